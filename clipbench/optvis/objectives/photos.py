"""A photo's features in a picture: inversion and caricature; and the same views in another model."""

from abc import abstractmethod
from dataclasses import dataclass, field

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel, Read
from clipbench.optvis.objectives.base import Activations, Bound, Objective, Seen, Term, single
from clipbench.optvis.original import Original


def inversion(layer: str, image: Image.Image) -> Objective:
    """Minus the squared distance from a photo's activations, over their own square; after the ReLU.

    0 is a picture that the layer cannot tell from the photo. The photo is shown in the same view as the
    picture in each step.

    Args:
        layer: where.
        image: a PIL image of any size; its middle square counts.
    Source: Mahendran & Vedaldi 2015.
    """
    return single(Inversion(layer, Original(image)))


def caricature(layer: str, image: Image.Image, power: float = 1.0) -> Objective:
    """Dot product with a photo's activations times (cosine clipped at 0.1) to a power, after the ReLU.

    What the layer sees in the photo is exaggerated. The photo is shown in the same view as the picture in
    each step, and the dot product is divided by the norm of its activations.

    Args:
        layer: where.
        image: a PIL image of any size; its middle square counts.
        power: 0 is the dot product alone; larger keeps nearer to the photo.
    Source: Lucid's recipe `caricature`, whose "cosine" keeps the norm of the photo as a factor.
    """
    return single(Caricature(layer, Original(image), float(power)))


def elsewhere(model: ImageModel, objective: Objective) -> Objective:
    """An objective in another model, which is shown the same views.

    The difference of two models is `channel(…) - elsewhere(other, channel(…))`.

    Args:
        model: another model on the same device; one that takes a single size is shown the views at that.
        objective: what to excite there.
    """
    return single(Elsewhere(model, objective))


@dataclass(frozen=True)
class _OfPhoto(Term):
    """A term that compares activations with those of a photo in the same view."""

    layer: str
    photo: Original

    def bind(self, model: ImageModel) -> Bound:
        """See `Term.bind`."""
        model.layer(self.layer)
        read = Read(self.layer, relu=True)
        at_size: dict[int, Tensor] = {}

        def value(seen: Activations) -> Tensor:
            check_view(seen, str(self))
            if seen.size not in at_size:
                at_size[seen.size] = self.photo.pixels(seen.size).to(model.device)
            with torch.no_grad():
                wanted = model.read(seen.show(at_size[seen.size]), [read])[read]
            return self._compare(seen[read].flatten(1), wanted.flatten(1))

        return Bound(frozenset({read}), value)

    @abstractmethod
    def _compare(self, features: Tensor, wanted: Tensor) -> Tensor:
        """(n, d) and (1, d) -> (n,)."""


@dataclass(frozen=True)
class Inversion(_OfPhoto):
    """See `inversion`."""

    def __str__(self) -> str:
        return f"inversion({self.layer}: {self.photo})"

    def _compare(self, features: Tensor, wanted: Tensor) -> Tensor:
        return -(features - wanted).square().sum(dim=1) / wanted.square().sum().clamp(min=1e-6)


@dataclass(frozen=True)
class Caricature(_OfPhoto):
    """See `caricature`."""

    power: float

    def __str__(self) -> str:
        return f"caricature({self.layer}: {self.photo}, power {self.power:g})"

    def _compare(self, features: Tensor, wanted: Tensor) -> Tensor:
        along = (features * wanted).sum(dim=1) / (1e-6 + wanted.norm())
        cosine = along / (1e-6 + features.norm(dim=1))
        return along * cosine.clamp(min=0.1) ** self.power


@dataclass(frozen=True)
class Elsewhere(Term):
    """See `elsewhere`."""

    model: ImageModel = field(repr=False)
    objective: Objective

    def __str__(self) -> str:
        return f"{self.model.name} {self.model.weights_hash[:8]}({self.objective})"

    def bind(self, model: ImageModel) -> Bound:
        """See `Term.bind`."""
        if self.model.device != model.device:
            raise ClipbenchError(
                f"{self.model.name} lies on {self.model.device} and {model.name} on {model.device}; "
                "load both on one device"
            )
        goal = self.objective.bind(self.model)
        fixed = any(self.model.is_native_only(read.layer) for read in goal.reads)

        def value(seen: Activations) -> Tensor:
            check_view(seen, str(self))
            size = (self.model.image_size,) * 2

            def fit(view: Tensor) -> Tensor:
                return interpolate(view, size, mode="bilinear", antialias=True) if fixed else view

            view = fit(seen.view)
            there = Seen(
                self.model.read(view, goal.reads), view, lambda other: fit(seen.show(other)), seen.size
            )
            return goal.value(there)

        return Bound(frozenset(), value)


def check_view(seen: Activations, name: str) -> None:
    """Raise a TypeError where a term that needs the view is given bare activations."""
    if not isinstance(seen, Seen):
        raise TypeError(f"{name} needs the view of its step, not only activations")
