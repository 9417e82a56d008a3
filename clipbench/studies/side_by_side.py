"""Two to four models side by side: units that answer alike, and things that units of all answer to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from clipbench.classify.likely import most_likely
from clipbench.errors import ClipbenchError
from clipbench.models import ClipModel, ImageModel
from clipbench.results import Provenance
from clipbench.stimuli import concepts
from clipbench.streams import Progress
from clipbench.studies.correlation import standardised
from clipbench.studies.multimodal import Multimodal, measure

MOST = 4  # models
_SHUFFLES = 20


def measure_all(models: Sequence[ImageModel]) -> Iterator[Progress[tuple[Multimodal, ...]]]:
    """Show the shipped photos, drawings and words to the last layer of each model, one after the other.

    Args:
        models: two to four.

    Yields:
        After each batch how far it has come; the last one, and only that, with the result.

    Raises:
        ClipbenchError: another number of models.
    """
    _check_count(len(models))
    things, found = concepts(), []
    for place, model in enumerate(models):
        for step in measure(model, things, model.last_layer):
            yield Progress(place * step.total + step.done, len(models) * step.total)
        found.append(step.result)
    yield Progress(len(models) * step.total, len(models) * step.total, tuple(found))


@dataclass(frozen=True, eq=False)
class Matched:
    """Each unit of the first model, and of each other model the unit that answers most alike.

    Args:
        sources: of each of the m models where its answers come from.
        partners: (m − 1, units) each other model's unit.
        likeness: (m − 1, units) the correlation of the two.
        chance: (m − 1, 2) what a unit's best partner reaches where pictures are shuffled, median and 95 of
            100.
        recipe: how the partners were found.
        seed: of the shuffling.
    """

    sources: tuple[Provenance, ...]
    partners: np.ndarray
    likeness: np.ndarray
    chance: np.ndarray
    recipe: str
    seed: int

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the m models."""
        return tuple(source.model for source in self.sources)

    @property
    def captions(self) -> tuple[str, ...]:
        """A line for each model, and one for how they were matched."""
        return (*(source.caption() for source in self.sources), f"{self.recipe} · seed {self.seed}")

    @property
    def above(self) -> np.ndarray:
        """(m − 1,) share of the units whose partner is more alike than 95 of 100 are by chance."""
        return (self.likeness > self.chance[:, 1:]).mean(axis=1)

    @property
    def summary(self) -> tuple[str, ...]:
        """A sentence for each other model."""
        medians = np.median(self.likeness, axis=1)
        return tuple(
            f"{share:.0%} of {self.models[0]}'s {self.partners.shape[1]} units have a partner in {name} "
            f"beyond chance; the median correlation is {median:.2f}, by chance {usual:.2f}."
            for name, share, median, (usual, _) in zip(
                self.models[1:], self.above, medians, self.chance, strict=True
            )
        )

    def best(self, count: int) -> tuple[tuple[int, tuple[tuple[int, float], ...]], ...]:
        """The units that are most alike in all models: the largest by their least correlation.

        Returns:
            Each with its partner and their correlation, for each other model.
        """
        order = (-self.likeness.min(axis=0)).argsort(kind="stable")[:count].tolist()
        return tuple(
            (unit, tuple(zip(self.partners[:, unit].tolist(), self.likeness[:, unit].tolist(), strict=True)))
            for unit in order
        )


def match_units(results: Sequence[Multimodal], seed: int = 0) -> Matched:
    """Find the partners of each unit of the first model.

    Args:
        results: of two to four models, measured with the same things.
        seed: of the shuffling.

    Raises:
        ClipbenchError: another number of results, or results of different things.
    """
    _check(results)
    first, *others = (standardised(result.activations.T) for result in results)
    rng = np.random.default_rng(seed)
    likeness = [first @ other.T for other in others]
    chance = [np.quantile(_shuffled(first, other, rng), (0.5, 0.95)) for other in others]
    return Matched(
        tuple(result.provenance for result in results),
        np.stack([table.argmax(axis=1) for table in likeness]),
        np.stack([table.max(axis=1) for table in likeness]),
        np.stack(chance),
        f"partners by correlation over {results[0].provenance.n} shipped photos, drawings and words",
        seed,
    )


@dataclass(frozen=True)
class Universal:
    """A thing, and how many multimodal units each model has for it."""

    concept: str
    counts: tuple[int, ...]

    @property
    def everywhere(self) -> bool:
        """Whether every model has one."""
        return all(self.counts)


def universality(results: Sequence[Multimodal]) -> tuple[Universal, ...]:
    """How many multimodal units each model has for each thing, those that all models have first.

    Args:
        results: of two to four models, measured with the same things.

    Raises:
        ClipbenchError: another number of results, or results of different things.
    """
    _check(results)
    counts = np.stack([result.owned.sum(axis=0) for result in results], axis=1).tolist()
    rows = [Universal(name, tuple(own)) for name, own in zip(results[0].concepts, counts, strict=True)]
    return tuple(sorted(rows, key=lambda row: (-sum(map(bool, row.counts)), -sum(row.counts), row.concept)))


@dataclass(frozen=True)
class Taken:
    """What a model takes some pictures for.

    Args:
        answers: the likeliest label and its probability, for each picture.
        provenance: the model, and what it chose between; n counts pictures.
    """

    answers: tuple[tuple[str, float], ...]
    provenance: Provenance

    @property
    def model(self) -> str:
        """Its name."""
        return self.provenance.model


def taken_for(
    models: Sequence[ImageModel], images: Sequence[Image.Image]
) -> Iterator[Progress[tuple[Taken, ...]]]:
    """Show the same pictures to each model: of ImageNet's names for a CLIP, else of its own classes.

    Args:
        models: two to four.
        images: such as a photo, the same with a word on it, and the word alone.

    Yields:
        After each model how far it has come; the last one, and only that, with the result.

    Raises:
        ClipbenchError: another number of models.
    """
    _check_count(len(models))
    found = []
    for place, model in enumerate(models):
        yield Progress(place, len(models))
        choice = "ImageNet's names" if isinstance(model, ClipModel) else "its own classes"
        told = Provenance(model.name, model.weights_hash, f"likeliest of {choice}", n=len(images))
        found.append(Taken(tuple(most_likely(model, image, 1)[0] for image in images), told))
    yield Progress(len(models), len(models), tuple(found))


def _shuffled(first: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """What each unit's best partner reaches when one model's pictures are dealt out anew."""
    pictures = first.shape[1]
    return [(first[:, rng.permutation(pictures)] @ other.T).max(axis=1) for _ in range(_SHUFFLES)]


def _check(results: Sequence[Multimodal]) -> None:
    _check_count(len(results))
    seen = {(result.concepts, result.concept.tobytes(), result.modality.tobytes()) for result in results}
    if len(seen) > 1:
        raise ClipbenchError("the models were measured with different things; measure them with the same")


def _check_count(models: int) -> None:
    if not 2 <= models <= MOST:
        raise ClipbenchError(f"side by side stand two to {MOST} models, not {models}")
