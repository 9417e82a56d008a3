"""Which units answer to a concept in photos, in drawings and in writing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from clipbench.errors import ClipbenchError
from clipbench.intervals import by_chance, usual, wilson
from clipbench.models import ImageModel
from clipbench.results import UNREADABLE, Provenance, npz, read_told, save_bytes
from clipbench.stimuli import MODALITIES, Concept
from clipbench.streams import Progress, chunks
from clipbench.units import check_channel

TOP = 2  # a unit answers to its first two concepts
_BATCH = 32  # images between two reports of progress
_ARRAYS = ("activations", "concept", "modality", "permuted")


@dataclass(frozen=True, eq=False)
class Multimodal:
    """Activations of one layer for concepts in three modalities, and what they come to.

    Args:
        layer: the layer that was read.
        concepts: k names.
        activations: (n, units) float32, each image's activation before the ReLU, averaged over space.
        concept: (n,) of each image, its place in `concepts`.
        modality: (n,) of each image, its place in `MODALITIES`.
        permuted: (draws,) number of multimodal units when the concepts of the drawings, and apart from
            them those of the words, are shuffled: what chance gives.
        provenance: model, recipe, seed of the shuffling; n counts images.
    """

    layer: str
    concepts: tuple[str, ...]
    activations: np.ndarray
    concept: np.ndarray
    modality: np.ndarray
    permuted: np.ndarray
    provenance: Provenance

    @cached_property
    def means(self) -> np.ndarray:
        """(units, k, 3) float32, mean activation over the images of a concept in a modality."""
        return cell_means(self.activations, self.concept, self.modality)

    @cached_property
    def tops(self) -> np.ndarray:
        """(units, k, 3) bool, whether the concept is among the unit's first two in the modality."""
        return among_top(self.means)

    @cached_property
    def owned(self) -> np.ndarray:
        """(units, k) bool, whether the unit is multimodal for the concept: first two in all three."""
        return self.tops.all(axis=2)

    @property
    def units(self) -> tuple[int, ...]:
        """The multimodal units."""
        return tuple(np.flatnonzero(self.owned.any(axis=1)).tolist())

    @property
    def count(self) -> int:
        """How many units are multimodal for at least one concept."""
        return len(self.units)

    @property
    def pairs(self) -> tuple[tuple[int, str], ...]:
        """Every (unit, concept) for which the unit is multimodal, in the order of the units."""
        return tuple((unit, self.concepts[at]) for unit, at in np.argwhere(self.owned).tolist())

    @property
    def share(self) -> float:
        """Share of the concepts that own at least one multimodal unit, in [0, 1]."""
        return float(self.owned.any(axis=0).mean())

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of `share`; it takes the concepts as independent."""
        return wilson(int(self.owned.any(axis=0).sum()), len(self.concepts))

    @property
    def chance(self) -> tuple[float, int, int]:
        """Mean, least and most of `permuted`."""
        return float(self.permuted.mean()), int(self.permuted.min()), int(self.permuted.max())

    @property
    def usual(self) -> tuple[int, int]:
        """Least and most of the middle 95 % of `permuted`."""
        return usual(self.permuted)

    @property
    def ranked(self) -> tuple[int, ...]:
        """The multimodal units, the clearest first; see `clarity`."""
        return tuple(sorted(self.units, key=self.clarity, reverse=True))

    @property
    def summary(self) -> str:
        """The counts in a sentence: multimodal units, and what chance gives."""
        return (
            f"{self.count} of {self.activations.shape[1]} units of {self.layer} are multimodal for at least "
            f"one of {len(self.concepts)} concepts; shuffled concepts give {by_chance(self.permuted)}"
        )

    def clarity(self, unit: int) -> float:
        """How far a unit's best concept stands out, in sd, in the modality where it does so least.

        Raises:
            ClipbenchError: there is no such unit.
        """
        sds, own = self.sds(unit), self.concept == self.concepts.index(self.best(unit))
        return min(float(sds[own & (self.modality == each)].mean()) for each in range(len(MODALITIES)))

    def sds(self, unit: int) -> np.ndarray:
        """(n,) activation of a unit for each image in standard deviations over its modality's images.

        Within a modality, because the rule compares there, too: that a unit prefers any writing to any
        photo is no answer to a word. A unit that is constant in a modality gets zeros.

        Raises:
            ClipbenchError: there is no such unit.
        """
        self.check(unit)
        values = self.activations[:, unit].astype(np.float64)
        scaled = np.zeros(len(values), np.float32)
        for modality in range(len(MODALITIES)):
            rows = self.modality == modality
            sd = values[rows].std()
            if sd > 0:
                scaled[rows] = (values[rows] - values[rows].mean()) / sd
        return scaled

    def best(self, unit: int) -> str:
        """The concept that ranks best in its worst modality: one the unit is multimodal for, if there is one.

        Raises:
            ClipbenchError: there is no such unit.
        """
        self.check(unit)
        means = self.means[unit]
        ranks = (means[None] >= means[:, None]).sum(axis=1)  # (k, 3), the first has rank 1
        return self.concepts[np.lexsort((ranks.sum(axis=1), ranks.max(axis=1)))[0]]

    def save(self, path: str | Path) -> Path:
        """Write all of it into one .npz file: 4 bytes for each image and unit before compression.

        Raises:
            ClipbenchError: it cannot be written.
        """
        told = {"layer": self.layer, "concepts": self.concepts, "provenance": self.provenance.as_dict()}
        return save_bytes(npz(told, **{name: getattr(self, name) for name in _ARRAYS}), path)

    @classmethod
    def load(cls, path: str | Path) -> "Multimodal":
        """Read what `save` has written; a ClipbenchError if it is not that."""
        try:
            told, saved = read_told(path)
            arrays, provenance = [saved[name] for name in _ARRAYS], Provenance(**told["provenance"])
            return cls(told["layer"], tuple(told["concepts"]), *arrays, provenance)
        except UNREADABLE as error:
            raise ClipbenchError(f"{str(path)!r} is no table of units that clipbench has written") from error

    def check(self, unit: int) -> None:
        """Raise a ClipbenchError unless there is such a unit."""
        check_channel(unit, self.activations.shape[1], self.layer)


def multimodal(
    model: ImageModel, concepts: Sequence[Concept], layer: str, *, draws: int = 1000, seed: int = 0
) -> Multimodal:
    """Find the units of a layer that answer to a concept in photos, drawings and writing.

    A unit is multimodal for a concept when the concept is among its first two of all concepts by mean
    activation to the photos, and to the drawings, and to the written words. A tie for the second place
    counts for nobody. Activations are read before the ReLU and averaged over space.

    Args:
        model: any model; to compare it with its control, call this for both.
        concepts: k > 2, of different names; chance gives a unit a concept with a probability of up to 8 / k²,
            so ten concepts tell little and sixty-four much.
        layer: a name out of `model.layers` or `model.heads`.
        draws: how often concepts are shuffled to see what chance gives, at least 1.
        seed: of the shuffling.

    Raises:
        ClipbenchError: too few concepts, one name twice, no draws, or a layer that the model lacks.

    Source: the first table of Goh et al. 2021 asks the question; the rule and the shuffling are clipbench's.
    """
    return [*measure(model, concepts, layer, draws=draws, seed=seed)][-1].result


def measure(
    model: ImageModel, concepts: Sequence[Concept], layer: str, *, draws: int = 1000, seed: int = 0
) -> Iterator[Progress[Multimodal]]:
    """The same as `multimodal`, a batch at a time: whoever stops reading stops the work.

    Yields:
        After each batch how far it has come; the last one, and only that, with the result.
    """
    _check_concepts(concepts)
    model.layer(layer)
    if draws < 1:
        raise ClipbenchError(f"draws must be at least 1, not {draws}; a thousand show what chance gives")
    images, concept, modality = _stimuli(concepts)
    done, parts = 0, []
    for some in chunks(images, _BATCH):
        parts.append(_pooled(model, some, layer))
        done += len(some)
        yield Progress(done, len(images))
    activations = np.concatenate(parts)
    shuffled = permuted_counts(among_top(cell_means(activations, concept, modality)), draws, seed)
    recipe = (
        f"{layer} before ReLU, mean over space, {len(concepts)} concepts, "
        f"first {TOP} in {', '.join(MODALITIES)}, {draws} shufflings"
    )
    provenance = Provenance(model.name, model.weights_hash, recipe, seed=seed, n=len(images))
    names = tuple(each.name for each in concepts)
    found = Multimodal(layer, names, activations, concept, modality, shuffled, provenance)
    yield Progress(len(images), len(images), found)


def cell_means(activations: np.ndarray, concept: np.ndarray, modality: np.ndarray) -> np.ndarray:
    """(n, units), (n,), (n,) -> (units, k, 3): mean activation over the images of a concept in a modality."""
    cells = concept * len(MODALITIES) + modality
    sums = np.zeros((cells.max() + 1, activations.shape[1]))
    np.add.at(sums, cells, activations)
    means = sums / np.bincount(cells)[:, None]
    return means.T.reshape(activations.shape[1], -1, len(MODALITIES)).astype(np.float32)


def among_top(means: np.ndarray) -> np.ndarray:
    """(units, k, 3) -> bool: whether at most `TOP` concepts, itself among them, reach the concept's mean.

    So a tie for the last place counts for nobody, and a constant unit answers to nothing.
    """
    third = np.partition(means, -TOP - 1, axis=1)[:, [-TOP - 1]]
    return means > third


def permuted_counts(tops: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """(units, k, 3) bool -> (draws,) int: multimodal units after shuffling drawings and words apart."""
    rng = np.random.default_rng(seed)
    photos, drawings, words = np.ascontiguousarray(
        tops.transpose(2, 1, 0)
    )  # (k, units) each: whole rows move
    counts = np.empty(draws, np.int64)
    for draw in range(draws):
        both = drawings[rng.permutation(len(drawings))] & words[rng.permutation(len(words))]
        counts[draw] = (photos & both).any(axis=0).sum()
    return counts


def _stimuli(concepts: Sequence[Concept]) -> tuple[list[Image.Image], np.ndarray, np.ndarray]:
    """All images, concept by concept, and of each its concept and its modality."""
    rows = [
        (image, at, modality)
        for at, concept in enumerate(concepts)
        for modality, images in enumerate(concept.modalities)
        for image in images
    ]
    images, concept, modality = zip(*rows, strict=True)
    return list(images), np.array(concept), np.array(modality)


def _pooled(model: ImageModel, images: list[Image.Image], layer: str) -> np.ndarray:
    """(n, units) float32, before the ReLU, averaged over space."""
    return model.activations(images, layer, relu=False).float().mean(dim=(2, 3)).cpu().numpy()


def _check_concepts(concepts: Sequence[Concept]) -> None:
    names = [concept.name for concept in concepts]
    if len(names) <= TOP:
        raise ClipbenchError(
            f"there are {len(names)} concepts; to be in the first {TOP} means nothing below 3"
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ClipbenchError(f"the concept {twice!r} is there twice; give each its own name")
