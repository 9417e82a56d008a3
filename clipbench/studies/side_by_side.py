"""Models side by side: units that answer alike, and things that units of every model answer to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clipbench.errors import ClipbenchError
from clipbench.results import Provenance
from clipbench.studies.correlation import standardised
from clipbench.studies.known_pictures import Shown
from clipbench.studies.multimodal import Multimodal

_SHUFFLES = 20


@dataclass(frozen=True, eq=False)
class Matched:
    """Each unit of one model, and the unit of another that answers to the same pictures most alike.

    Args:
        partners: (units,) the other model's unit for each.
        likeness: (units,) the correlation of the two.
        chance: (2,) what a unit's best partner reaches when pictures are shuffled: median and 95 of 100.
        provenance: of both; n counts pictures.
    """

    partners: np.ndarray
    likeness: np.ndarray
    chance: np.ndarray
    provenance: Provenance

    @property
    def above(self) -> float:
        """Share of the units whose partner is more alike than 95 of 100 are by chance."""
        return float((self.likeness > self.chance[1]).mean())

    @property
    def summary(self) -> str:
        """The counts in a sentence."""
        return (
            f"{self.above:.0%} of {len(self.partners)} units have a partner beyond chance; the median "
            f"correlation is {np.median(self.likeness):.2f}, by chance {self.chance[0]:.2f}"
        )


def match_units(one: Shown, other: Shown, seed: int = 0) -> Matched:
    """Find the partner of each unit.

    Args:
        one, other: what two models say to the known pictures, both complete.
        seed: of the shuffling.

    Raises:
        ClipbenchError: a stream that has not come to its end.
    """
    if one.done < one.total or other.done < other.total:
        raise ClipbenchError("both models have to have seen all pictures; read both streams to their end")
    rows, columns = standardised(one.answers.T), standardised(other.answers.T)
    likeness = rows @ columns.T
    rng = np.random.default_rng(seed)
    shuffled = [(rows[:, rng.permutation(one.total)] @ columns.T).max(axis=1) for _ in range(_SHUFFLES)]
    told = (one.provenance, other.provenance)
    provenance = Provenance(
        " and ".join(own.model for own in told),
        "+".join(own.weights_hash for own in told),
        f"partners by correlation over the known pictures, {one.layer} and {other.layer}",
        seed=seed,
        n=one.total,
    )
    return Matched(
        likeness.argmax(axis=1), likeness.max(axis=1), np.quantile(shuffled, (0.5, 0.95)), provenance
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
        results: of at least two models, measured with the same things.

    Raises:
        ClipbenchError: one result, or results of different things.
    """
    if len(results) < 2 or len({result.concepts for result in results}) > 1:
        raise ClipbenchError("universality takes two models at least, measured with the same things")
    counts = np.stack([result.owned.sum(axis=0) for result in results], axis=1).tolist()
    rows = [Universal(name, tuple(own)) for name, own in zip(results[0].concepts, counts, strict=True)]
    return tuple(sorted(rows, key=lambda row: (-sum(map(bool, row.counts)), -sum(row.counts), row.concept)))
