"""What a defence can hold: the units of a layer, or the directions in which a text moves an embedding."""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize

from clipbench.attacks.attribution import values_at
from clipbench.attacks.explanation import carried
from clipbench.attacks.rendering import lay
from clipbench.attacks.run import Case
from clipbench.classify import Classifier
from clipbench.errors import ClipbenchError
from clipbench.streams import chunks

UNIT_WAYS = ("zero", "mean", "clamp")
WAYS = (*UNIT_WAYS, "projection")
EMBEDDING = "embedding"
_HIGHEST = 0.99  # share of a unit's values on clean photos that "clamp" leaves as they are
_CHUNK = 8  # photos at a time; between two of them a reader can stop


@dataclass(frozen=True, eq=False)
class Lever:
    """Units, and what it means to hold some of them.

    Args:
        order: all units, those that carry the attack first.
        activity: (units,) how active each is on clean photos, by which controls are matched.
        hold: units -> context manager in which they are held.
    """

    order: tuple[int, ...]
    activity: np.ndarray
    hold: Callable[[Sequence[int]], AbstractContextManager]


def lever(
    classifier: Classifier,
    crops: Sequence[Image.Image],
    truths: Sequence[str],
    cases: Sequence[Case],
    layer: str,
    way: str,
) -> Generator[None, None, Lever]:
    """Find what carries attacks on some photos; yields every few pictures, where a reader can stop.

    Args:
        classifier: who is attacked.
        crops: photos as the model sees them.
        truths: their labels.
        cases: texts with their targets and recipes.
        layer: whose units; of a projection, always `EMBEDDING`.
        way: "zero" and "mean" hold units there, "clamp" keeps them at or below their 99th percentile on the
            clean photos; "projection" takes directions out of the embedding.

    Returns:
        What can be held.

    Raises:
        ClipbenchError: every photo shows the target of a text.
    """
    attacked = [(case, _others(truths, case)) for case in cases]  # complains before any work is done
    if way == "projection":
        return (yield from _directions(classifier, crops, attacked))
    return (yield from _units(classifier, crops, truths, attacked, layer, way))


def _others(truths: Sequence[str], case: Case) -> list[int]:
    """Numbers of the photos that do not show a text's target."""
    found = [number for number, truth in enumerate(truths) if truth != case.target]
    if not found:
        raise ClipbenchError(f"every photo shows {case.target!r}; give photos of other things")
    return found


def _units(
    classifier: Classifier,
    crops: Sequence[Image.Image],
    truths: Sequence[str],
    attacked: Sequence[tuple[Case, Sequence[int]]],
    layer: str,
    way: str,
) -> Generator[None, None, Lever]:
    """The units of a layer, those first that add most to the targets' margins over the truth."""
    model, added = classifier.model, []
    clean = yield from _read(classifier, chunks(crops, _CHUNK), layer)
    for case, numbers in attacked:
        added.append((yield from _added(classifier, crops, truths, case, numbers, layer, clean)))
    order = np.argsort(-np.mean(added, axis=0), kind="stable").tolist()
    values = clean.flatten(2)
    means = values.mean(dim=(0, 2))
    active = values.relu().mean(dim=(0, 2)).numpy()  # above zero is what flows on
    if way == "clamp":
        highest = torch.from_numpy(np.quantile(values.numpy(), _HIGHEST, axis=(0, 2)))

        def clamp(chosen: Sequence[int]) -> AbstractContextManager:
            limits = _only(highest, chosen, torch.inf).to(model.device, model.dtype)[None, :, None, None]
            return model.edit(layer, lambda old: torch.minimum(old, limits))

        return Lever(tuple(order), active, clamp)
    at = means if way == "mean" else torch.zeros_like(means)
    return Lever(tuple(order), active, lambda chosen: model.hold(layer, _only(at, chosen, torch.nan)))


def _added(
    classifier: Classifier,
    crops: Sequence[Image.Image],
    truths: Sequence[str],
    case: Case,
    numbers: Sequence[int],
    layer: str,
    clean: Tensor,
) -> Generator[None, None, np.ndarray]:
    """Returns (units,), what each adds to a target's margin over the truth, as a mean over photos."""
    model, place, parts = classifier.model, classifier.place(case.target), []
    for some in chunks(numbers, _CHUNK):
        pixels = model.pixels(_written(crops, some, case))
        after = values_at(classifier, pixels, layer)
        yield
        before, rivals = clean[some].to(after), [classifier.place(truths[number]) for number in some]
        added, *_ = yield from carried(classifier, pixels, layer, before, after, place, rivals)
        parts.append(added.cpu())
    return torch.cat(parts).mean(dim=0).numpy()


def _directions(
    classifier: Classifier, crops: Sequence[Image.Image], attacked: Sequence[tuple[Case, Sequence[int]]]
) -> Generator[None, None, Lever]:
    """An orthonormal basis of the embedding, the directions first in which texts move it most."""
    model, moves = classifier.model, []
    clean = yield from _embedded(classifier, chunks(crops, _CHUNK))
    for case, numbers in attacked:
        yield
        written = (_written(crops, some, case) for some in chunks(numbers, _CHUNK))
        after = yield from _embedded(classifier, written)
        moves.append(after - clean[numbers])
    moved = torch.cat(moves)
    basis = torch.linalg.eigh(moved.T @ moved).eigenvectors.flip(1).T  # rows, the most moved first
    active = (clean @ basis.T).square().mean(dim=0).sqrt().numpy()

    def project(chosen: Sequence[int]) -> AbstractContextManager:
        taken = basis[list(chosen)].to(model.device, model.dtype)
        out = taken.T @ taken
        return model.edit(EMBEDDING, lambda old: old - torch.einsum("ij,njhw->nihw", out, old))

    return Lever(tuple(range(len(basis))), active, project)


def _written(crops: Sequence[Image.Image], numbers: Sequence[int], case: Case) -> list[Image.Image]:
    return [lay(crops[number], case.text, case.recipe)[0] for number in numbers]


def _embedded(
    classifier: Classifier, chunks: Iterable[Sequence[Image.Image]]
) -> Generator[None, None, Tensor]:
    """Returns (n, d) float64 of unit length, on the CPU."""
    values = yield from _read(classifier, chunks, EMBEDDING)
    return normalize(values.flatten(1).double(), dim=1)


def _read(
    classifier: Classifier, chunks: Iterable[Sequence[Image.Image]], layer: str
) -> Generator[None, None, Tensor]:
    """Returns (n, channels, h, w) float32, on the CPU."""
    parts = []
    for some in chunks:
        parts.append(values_at(classifier, classifier.model.pixels(some), layer).float().cpu())
        yield
    return torch.cat(parts)


def _only(values: Tensor, chosen: Sequence[int], otherwise: float) -> Tensor:
    """The values of the chosen units, and another one for the rest."""
    kept = torch.full_like(values, otherwise)
    kept[list(chosen)] = values[list(chosen)]
    return kept
