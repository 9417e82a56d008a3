"""How sure a rate is."""

import math
from dataclasses import dataclass

import numpy as np

from clipbench.errors import ClipbenchError

_Z = 1.959963984540054  # 97.5 % of a normal distribution lie below


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a rate that was seen as some hits in n independent trials.

    Args:
        hits: 0 … n.
        n: at least 1.

    Returns:
        (low, high), each in [0, 1].

    Raises:
        ClipbenchError: no trials, or hits that are not among them.

    Source: Wilson 1927, without continuity correction.
    """
    if not 0 <= hits <= n or n < 1:
        raise ClipbenchError(f"hits must be from 0 to n and n at least 1, not {hits} of {n}")
    share, shrink = hits / n, 1 / (1 + _Z**2 / n)
    middle = shrink * (share + _Z**2 / (2 * n))
    half = shrink * _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    low, high = min(share, middle - half), max(share, middle + half)
    return max(0.0, low), min(1.0, high)  # it holds the rate and nothing that is none, whatever the rounding


def usual(counts: np.ndarray) -> tuple[int, int]:
    """Least and most of the middle 95 % of some counts, such as those of shufflings."""
    return tuple(np.quantile(counts, (0.025, 0.975), method="inverted_cdf").tolist())


def by_chance(counts: np.ndarray) -> str:
    """What shufflings give, in words: the mean of their counts, and the middle 95 %."""
    low, high = usual(counts)
    return f"{counts.mean():.1f} (95\xa0% of shufflings: {low} to {high})"


@dataclass(frozen=True)
class Rate:
    """How often something was seen.

    Args:
        hits: how often.
        n: of how many.
    """

    hits: int
    n: int

    @property
    def share(self) -> float:
        """Hits / n, in [0, 1]."""
        return self.hits / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share."""
        return wilson(self.hits, self.n)

    def told(self, what: str) -> str:
        """In words: how many of what there is, and the interval."""
        low, high = self.interval
        return f"{self.hits} of {self.n} {what} (95\xa0% interval {low:.0%} to {high:.0%})"

    @classmethod
    def from_dict(cls, told: dict) -> "Rate":
        """Back from `as_dict`."""
        return cls(told["hits"], told["n"])

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        return {"hits": self.hits, "n": self.n, "share": self.share, "interval": self.interval}
