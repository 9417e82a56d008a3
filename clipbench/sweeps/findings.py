"""What a store tells of one unit, as values that carry where they come from."""

from dataclasses import dataclass

import numpy as np

from clipbench.results import Provenance


@dataclass(frozen=True, eq=False)
class Examples:
    """Images that excite a unit most, or least.

    Args:
        numbers: (k,) int, numbers of the images in the store, the most extreme first.
        values: (k,) float32, what the unit said to each, before the ReLU.
        names: of the images; they came from outside, so escape them where they are shown.
        provenance: of the sweep, with the unit's address.
    """

    numbers: np.ndarray
    values: np.ndarray
    names: tuple[str, ...]
    provenance: Provenance

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        return {
            "numbers": self.numbers.tolist(),
            "values": [float(value) for value in self.values],
            "names": list(self.names),
            "provenance": self.provenance.as_dict(),
        }


@dataclass(frozen=True, eq=False)
class Bucket:
    """Images between two quantiles of a unit's activation.

    Args:
        share: (low, high) quantiles in [0, 1].
        limits: (low, high) activations.
        examples: a few images out of it, drawn at random, the strongest first.
    """

    share: tuple[float, float]
    limits: tuple[float, float]
    examples: Examples


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often a unit says what.

    Args:
        edges: (bins + 1,) float32, activations, rising.
        counts: (bins,) int, images.
        mean, sd: over all images.
        provenance: of the sweep, with the unit's address.
    """

    edges: np.ndarray
    counts: np.ndarray
    mean: float
    sd: float
    provenance: Provenance


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean and standard deviation of each unit of a layer over all images that could be read.

    Args:
        n: images.
        mean, sd: (units,) float64, of the reading that was asked for.
    """

    n: int
    mean: np.ndarray
    sd: np.ndarray
