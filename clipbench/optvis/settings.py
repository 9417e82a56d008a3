"""Objectives, parametrizations and the rest as plain JSON types, and back, without losing a bit.

Whatever decides an ascent is a frozen dataclass, so one rule writes all of them: the name of the class and
its fields. Photos, tensors and models are leaves of their own. Nothing that is read is run: a name stands
for a class that clipbench knows, and each field must be what the class declares.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from io import BytesIO
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel
from clipbench.optvis import priors
from clipbench.optvis.objectives import Objective, Term
from clipbench.optvis.original import Original
from clipbench.optvis.parametrizations import Parametrization
from clipbench.optvis.probes import Facet
from clipbench.optvis.regularizers import Regularizer
from clipbench.optvis.transforms import Transform

_IS = "is"  # key of the name of a class or leaf; no field is called that
_FAMILIES = (Objective, Term, Parametrization, Transform, Regularizer, Facet, priors.Towards, priors.Shipped)

Load = Callable[[str, str], ImageModel]  # a model of that name and weights_hash


def write(value: Any, size: int) -> Any:
    """A value as plain JSON types.

    Args:
        value: a dataclass of `clipbench.optvis`, or anything it may hold.
        size: of the pictures; photos are cut to what is seen of them at that size.

    Raises:
        ClipbenchError: a function or network of the user's own, which no file can hold.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list):
        return [write(each, size) for each in value]
    if isinstance(value, Mapping):
        return {_IS: "mapping", "items": {key: write(each, size) for key, each in value.items()}}
    if isinstance(value, Tensor):
        return {_IS: "tensor", "npy": _npy(value)}
    if isinstance(value, ImageModel):
        return {_IS: "model", "name": value.name, "weights_hash": value.weights_hash}
    if isinstance(value, Original):
        return {_IS: "photo", "png": _png(value, size), "digest": value.digest}
    if is_dataclass(value) and type(value).__name__ in kinds():
        own = [field.name for field in fields(value) if field.init]
        return {_IS: type(value).__name__, **{name: write(getattr(value, name), size) for name in own}}
    raise ClipbenchError(f"{priors.name_of(value)} is your own and cannot be written into a file")


def read(document: Any, load: Load) -> Any:
    """What `write` has written; tuples in place of lists.

    Args:
        document: plain JSON types.
        load: gives another model that an objective asks.

    Raises:
        KeyError, TypeError, ValueError: it is something else.
    """
    if isinstance(document, list):
        return tuple(read(each, load) for each in document)
    if not isinstance(document, dict):
        return document
    match document[_IS]:
        case "mapping":
            return {key: read(each, load) for key, each in document["items"].items()}
        case "tensor":
            return torch.from_numpy(np.load(BytesIO(b64decode(document["npy"])), allow_pickle=False))
        case "model":
            return load(document["name"], document["weights_hash"])
        case "photo":
            with Image.open(BytesIO(b64decode(document["png"]))) as image:
                return Original(image.convert("RGB"), document["digest"])
        case name:
            return build(kinds()[name], document, load)


def build(kind: type, document: Mapping, load: Load) -> Any:
    """A dataclass of its fields as `write` has written them; errors as for `read`."""
    values = {name: read(each, load) for name, each in document.items() if name != _IS}
    hints = get_type_hints(kind)
    for name, value in values.items():
        if not _fits(value, hints[name]):
            raise TypeError(f"{kind.__name__}.{name} cannot be {value!r}")
    return kind(**values)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of the declared type."""
    kind, parts = get_origin(hint), get_args(hint)
    if kind in (Union, UnionType):
        return any(_fits(value, part) for part in parts)
    if kind is tuple and parts[-1] is Ellipsis:
        return isinstance(value, tuple) and all(_fits(each, parts[0]) for each in value)
    if kind is tuple:
        return isinstance(value, tuple) and len(value) == len(parts) and all(map(_fits, value, parts))
    return isinstance(value, int | float if hint is float else kind or hint)


def kinds() -> dict[str, type]:
    """All classes that may stand in a file, by name; a user's own terms and transforms are among them."""
    return {kind.__name__: kind for family in _FAMILIES for kind in _descendants(family)}


def _descendants(kind: type) -> Iterator[type]:
    yield kind
    for child in kind.__subclasses__():
        yield from _descendants(child)


def _npy(tensor: Tensor) -> str:
    file = BytesIO()
    np.save(file, tensor.cpu().numpy(), allow_pickle=False)
    return b64encode(file.getvalue()).decode()


def _png(photo: Original, size: int) -> str:
    file = BytesIO()
    photo.cut(size).save(file, format="PNG")
    return b64encode(file.getvalue()).decode()
