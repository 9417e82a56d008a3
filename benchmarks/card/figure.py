"""One figure of the card: a value with its interval, what chance gives and what it should reach."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

import numpy as np
from PIL import Image

from clipbench.intervals import wilson

T = TypeVar("T")
_DRAWS = 2000  # of a bootstrap


@dataclass(frozen=True)
class Figure:
    """A measured value.

    Args:
        key: unique and lasting, as in "reading/clean"; what stands before the slash is its subject.
        what: what it is, in words.
        value: the value.
        n: how many pictures, texts or other things it rests on.
        interval: 95 %; None where there is none.
        hits: of n, where the value is a rate.
        chance: what guessing gives; None where that has no meaning.
        target: what it should reach; None where it is reported only.
        how: how it was obtained.
        unit: "%" for shares of one, else what the value counts.
        at_most: the target is an upper limit.
    """

    key: str
    what: str
    value: float
    n: int
    interval: tuple[float, float] | None = None
    hits: int | None = None
    chance: float | None = None
    target: float | None = None
    how: str = ""
    unit: str = "%"
    at_most: bool = False

    @property
    def reached(self) -> bool | None:
        """Whether the value meets its target; None without one."""
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    @property
    def told(self) -> str:
        """The value as people read it, with interval and n."""
        value = in_unit(self.value, self.unit)
        if self.interval:
            low, high = (in_unit(end, self.unit, bare=True) for end in self.interval)
            value += f" ({low} to {high})"
        if self.hits is not None:
            return f"{value}, {self.hits} of {self.n}"
        return value if self.n == 1 else f"{value}, n = {self.n}"

    def as_dict(self) -> dict:
        """For JSON."""
        return {**asdict(self), "reached": self.reached, "told": self.told}


def in_unit(value: float, unit: str, bare: bool = False) -> str:
    """A number with its unit, or without."""
    number = f"{100 * value:.1f}" if unit == "%" else f"{value:.3g}"
    return number if bare or not unit else f"{number} {unit}"


def of_chance(chance: float | None, unit: str) -> str:
    """What guessing gives, with three digits, so that a thousandth is not rounded away."""
    if chance is None:
        return ""
    return f"{100 * chance:.3g} %" if unit == "%" else f"{chance:.3g}"


def rate(key: str, what: str, hits: int, n: int, chance: float | None, target=None, how: str = "") -> Figure:
    """Hits of n with Wilson's interval."""
    return Figure(key, what, hits / n, n, wilson(hits, n), hits, chance, target, how)


def bootstrap(statistic: Callable[[np.ndarray], float], n: int) -> tuple[float, float]:
    """95 % interval of a statistic over n things: percentiles over draws with replacement, seed 0.

    Args:
        statistic: of the places of the things drawn, (n,) whole numbers; not finite where it has no value.
        n: how many there are.
    """
    rng = np.random.default_rng(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.array([statistic(rng.integers(n, size=n)) for _ in range(_DRAWS)])
    low, high = np.percentile(values[np.isfinite(values)], (2.5, 97.5))
    return float(low), float(high)


def best(model, images: Sequence[Image.Image], labels: Sequence[str], template: str = "{}") -> np.ndarray:
    """The label nearest to each image, (n,) places among the labels."""
    texts = model.encode_text([template.format(label) for label in labels])
    return (model.encode_image(images) @ texts.T).argmax(1).cpu().numpy()


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most so many of them, evenly spread."""
    return [items[place * len(items) // most] for place in range(most)] if len(items) > most else list(items)


class Shuffled:
    """A control: a model whose embeddings of texts are dealt out among them, anew in each call, seed 0."""

    def __init__(self, model):
        self._model, self._rng = model, np.random.default_rng(0)

    def encode_text(self, texts: Sequence[str]):
        """The embeddings of the texts, each at another's place."""
        rows = self._model.encode_text(texts)
        return rows[self._rng.permutation(len(rows))]

    def __getattr__(self, name: str):
        return getattr(self._model, name)
