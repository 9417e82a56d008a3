"""What an objective is: a weighted sum of terms, as a value that is checked against a model once."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel, Read

_ROUNDING = 1e-9  # a sum of weights that is smaller than this share of the largest is zero

Activations = Mapping[Read, Tensor]


class Seen(dict[Read, Tensor]):
    """The activations of one step, and the view of the pictures that they come from.

    Most terms need no more than activations; those that look at a photo or ask another model need the view.

    Args:
        activations: what was read.
        view: (n, 3, h, w), the pictures as the model was shown them.
        show: shows other pictures, (m, 3, size, size) in [0, 1], in the same way.
        size: height and width of the pictures before the view.
    """

    def __init__(self, activations: Activations, view: Tensor, show: Callable[[Tensor], Tensor], size: int):
        super().__init__(activations)
        self.view = view
        self.show = show
        self.size = size


@dataclass(frozen=True)
class Bound:
    """A term or objective that has been checked against a model.

    Args:
        reads: what it needs of a forward pass.
        value: from those activations of n images to (n,), larger is better.
    """

    reads: frozenset[Read]
    value: Callable[[Activations], Tensor]


class Term(ABC):
    """One thing to maximise. Subclasses are frozen dataclasses whose str is how a user writes them."""

    @abstractmethod
    def bind(self, model: ImageModel) -> Bound:
        """Check against a model.

        Raises:
            ClipbenchError: the model has no such layer or channel.
        """


@dataclass(frozen=True)
class Objective:
    """A weighted sum of terms, maximised."""

    terms: tuple[tuple[float, Term], ...]

    def __add__(self, other: "Objective") -> "Objective":
        return Objective(self.terms + other.terms)

    def __sub__(self, other: "Objective") -> "Objective":
        return self + -1.0 * other

    def __mul__(self, scale: float) -> "Objective":
        return Objective(tuple((scale * weight, term) for weight, term in self.terms))

    __rmul__ = __mul__

    def __neg__(self) -> "Objective":
        return -1.0 * self

    def __str__(self) -> str:
        parts = [f"{'-' if weight < 0 else '+'} {_factor(abs(weight))}{term}" for weight, term in self.terms]
        return " ".join(parts).removeprefix("+ ")

    def bind(self, model: ImageModel) -> Bound:
        """Check all terms against a model; see `Term.bind`. Equal terms are computed once.

        Raises:
            ClipbenchError: a weight that is no number, or weights that cancel.
        """
        bound = [(weight, term.bind(model)) for term, weight in self._totals().items()]
        reads = frozenset().union(*(term.reads for _, term in bound))
        return Bound(reads, lambda acts: sum(weight * term.value(acts) for weight, term in bound))

    def _totals(self) -> dict[Term, float]:
        """The weight of each different term, without those that cancel."""
        totals: dict[Term, float] = {}
        for weight, term in self.terms:
            if not math.isfinite(weight):
                raise ClipbenchError(f"{term} has the weight {weight}; give it a finite number")
            totals[term] = totals.get(term, 0.0) + weight
        least = _ROUNDING * max((abs(weight) for weight, _ in self.terms), default=0.0)
        left = {term: total for term, total in totals.items() if abs(total) > least}
        if not left:
            raise ClipbenchError(
                f"the weights of {str(self) or 'an empty objective'} leave nothing to excite; "
                "give at least one term a weight that no other takes away"
            )
        return left


def single(term: Term) -> Objective:
    """The objective of one term at weight 1."""
    return Objective(((1.0, term),))


def _factor(weight: float) -> str:
    return "" if weight == 1 else f"{weight:g} "
