"""Why an attack worked: which units carried the answer from one label to another, and where."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from clipbench.attacks.attribution import logits_from, margin, slope, values_at
from clipbench.classify import Classifier, as_classifier
from clipbench.errors import ClipbenchError
from clipbench.models import ClipModel, VisionModel
from clipbench.results import Provenance, npz, read_told, reading, save_bytes
from clipbench.streams import result_of

_CHUNK = 8  # pairs of images at a time
POINTS = 8  # on the way between two activations; with one the slope of a saturated unit would count in full


@dataclass(frozen=True)
class UnitSay:
    """What one unit added to the target's margin, as a mean over images.

    Args:
        unit: its address, such as "layer4:550".
        added: in logits; negative if it spoke against the target.
        share: of the sum over all units; 0 where that is 0.
    """

    unit: str
    added: float
    share: float


@dataclass(frozen=True, eq=False)
class Why:
    """How the units of a layer moved n images from one label towards another.

    Args:
        layer: the layer.
        added: (n, units) float32, what each unit added to the target's margin, in logits.
        places: (n, h, w) float32, the same summed over units: where on the picture it came about.
        change: (n,) float32, by how much the margin really changed.
        target: the label that the text was to bring about.
        against: n labels whose logit is subtracted from the target's.
        provenance: model, layer and classifier; n counts pairs.
    """

    layer: str
    added: np.ndarray
    places: np.ndarray
    change: np.ndarray
    target: str
    against: tuple[str, ...]
    provenance: Provenance

    @property
    def explained(self) -> float | None:
        """The units' sum over the real change, both summed over images: 1 if nothing is missing.

        None where nothing changed.
        """
        change = float(self.change.sum(dtype=np.float64))
        return float(self.added.sum(dtype=np.float64)) / change if change else None

    @cached_property
    def ranked(self) -> tuple[int, ...]:
        """The units, those that added most first."""
        return tuple(np.argsort(-self.added.mean(axis=0), kind="stable").tolist())

    def top(self, k: int) -> tuple[UnitSay, ...]:
        """The k units that added most."""
        means, whole = self.added.mean(axis=0), float(self.added.mean(axis=0).sum())
        return tuple(
            UnitSay(f"{self.layer}:{unit}", float(means[unit]), float(means[unit]) / whole if whole else 0.0)
            for unit in self.ranked[:k]
        )

    def as_dict(self, k: int = 20) -> dict:
        """The same as plain JSON types, with the k first units."""
        return {
            "layer": self.layer,
            "target": self.target,
            "against": self.against,
            "explained": self.explained,
            "change": self.change.tolist(),
            "units": [vars(say) for say in self.top(k)],
            "provenance": self.provenance.as_dict(),
        }

    def save(self, path: str | Path) -> Path:
        """Write all of it into one .npz file; a ClipbenchError if it cannot be written."""
        words = {"layer": self.layer, "target": self.target, "against": self.against}
        told = {**words, "provenance": self.provenance.as_dict()}
        return save_bytes(npz(told, added=self.added, places=self.places, change=self.change), path)

    @classmethod
    def load(cls, path: str | Path) -> "Why":
        """Read what `save` has written; a ClipbenchError if it is not that."""
        with reading(path, "an explanation") as file:
            told, saved = read_told(file)
            provenance, against = Provenance(**told.pop("provenance")), tuple(told.pop("against"))
            return cls(**saved, **told, against=against, provenance=provenance)


def why(
    model: ClipModel | VisionModel | Classifier,
    before: Sequence[Image.Image],
    after: Sequence[Image.Image],
    *,
    target: str,
    against: Sequence[str] | None = None,
    layer: str | None = None,
    labels: Sequence[str] | None = None,
    template: str | Sequence[str] | None = None,
) -> Why:
    """Follow the change of an answer back to the units of a layer.

    A unit's part is the change of its activation times its linearised weight towards the target minus the
    other label: the slope of that margin, averaged over `POINTS` points on the straight way from the one
    activation to the other, so that the parts of all units sum to nearly the whole change.

    Args:
        model, labels, template: as for `attack`.
        before: n images.
        after: the same with a text on them, of the same sizes.
        target: the label that the text was to bring about.
        against: n labels, such as the true ones; None takes what the model saw before.
        layer: a name out of `model.layers`; None takes the last one.

    Raises:
        ClipbenchError: numbers of images that differ, no images, a label or layer that is not there.

    Source: Goh et al. 2021 rank units by linearised weights; the average over a way is Sundararajan et al.
        2017, in the space of a layer.
    """
    return result_of(followed(as_classifier(model, labels, template), before, after, target, against, layer))


def followed(
    classifier: Classifier,
    before: Sequence[Image.Image],
    after: Sequence[Image.Image],
    target: str,
    against: Sequence[str] | None = None,
    layer: str | None = None,
) -> Generator[None, None, Why]:
    """The same as `why`, returned at the end: yields every few pictures, where a reader can stop."""
    if len(before) != len(after):
        raise ClipbenchError(f"there are {len(before)} images before and {len(after)} after; give pairs")
    layer = classifier.model.last_layer if layer is None else layer
    classifier.model.layer(layer)
    place = classifier.place(target)
    rivals = None if against is None else [classifier.place(label) for label in against]
    if rivals is not None and len(rivals) != len(before):
        raise ClipbenchError(
            f"there are {len(rivals)} other labels for {len(before)} images; give one for each"
        )
    parts = []
    for start in range(0, max(1, len(before)), _CHUNK):
        some = slice(start, start + _CHUNK)
        pixels = classifier.model.pixels(before[some])
        bare = values_at(classifier, pixels, layer)
        yield
        attacked = values_at(classifier, classifier.model.pixels(after[some]), layer)
        own = rivals and rivals[some]
        parts.append((yield from carried(classifier, pixels, layer, bare, attacked, place, own)))
    added, places, change, others = (torch.cat(column).cpu().numpy() for column in zip(*parts, strict=True))
    model = classifier.model
    told = f"{layer} before ReLU, change × slope at {POINTS} points, towards {target} · {classifier.recipe}"
    provenance = Provenance(model.name, model.weights_hash, told, n=len(before))
    named = tuple(classifier.labels[other] for other in others)
    return Why(layer, added, places, change, target, named, provenance)


def carried(
    classifier: Classifier,
    pixels: Tensor,
    layer: str,
    before: Tensor,
    after: Tensor,
    place: int,
    rivals: Sequence[int] | None = None,
) -> Generator[None, None, tuple[Tensor, Tensor, Tensor, Tensor]]:
    """What each unit added on the way from one activation to another; yields where a reader can stop.

    Args:
        classifier: who answers.
        pixels: (n, 3, h, w); they only lead to the layer.
        layer: a name out of `model.layers`.
        before, after: (n, units, h, w), the layer before its ReLU.
        place: of the target among the labels.
        rivals: n places of the labels that are subtracted; None takes what is answered before.

    Returns:
        (n, units) added, (n, h, w) where, (n,) real change, (n,) the other labels.
    """
    with torch.no_grad():
        first, last = (logits_from(classifier, pixels, layer, each) for each in (before, after))
    others = first.argmax(dim=1) if rivals is None else torch.tensor(rivals, device=first.device)
    slopes = torch.zeros_like(before, dtype=torch.float32)
    for point in range(POINTS):
        here = torch.lerp(before, after, (point + 0.5) / POINTS)
        slopes += (
            slope(classifier, pixels, layer, here, lambda logits: margin(logits, place, others)) / POINTS
        )
        yield
    parts = slopes * (after - before).float()
    change = margin(last, place, others) - margin(first, place, others)
    return parts.sum(dim=(2, 3)), parts.sum(dim=1), change, others
