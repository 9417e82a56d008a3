"""What the pictures of a batch have to do with one another."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel, Read
from clipbench.optvis.objectives.attribution import attributions, check_upstream
from clipbench.optvis.objectives.base import Activations, Bound, Objective, Term, single

_REACH = 4  # how far apart in the batch two pictures are still drawn together (Lucid)


def batch(objectives: Sequence[Objective]) -> Objective:
    """One objective for each image of the batch, in this order."""
    return single(Batch(tuple(objectives)))


def interpolate(first: Objective, last: Objective) -> Objective:
    """From one objective in the first image of the batch to another in the last, in even steps.

    Source: Lucid's `channel_interpolate`, here between any two objectives.
    """
    return single(Interpolate(first, last))


def diversity(layer: str, objective: Objective | None = None) -> Objective:
    """How alike the pictures of a batch are in style; subtract it to see many faces of one unit.

    For each picture the sum, over all others, of the cosine between their Gram matrices, in [0, n - 1].
    A Gram matrix holds the products of all pairs of channels, summed over positions, after the ReLU.

    Args:
        layer: where styles are compared.
        objective: None compares activations g; else g ⊙ ∇f(g), what each contributes to this objective f.
            The gradient is held fixed.
    Source: Olah et al. 2017, "Diversity"; Lucid's `diversity`, whose mean over the batch is the mean of
        this; Goh et al. 2021, appendix, for attributions.
    """
    return single(Diversity(layer, objective))


def alignment(layer: str, decay: float = 2.0) -> Objective:
    """Minus the mean squared difference from the neighbours in the batch, up to 4 away, after the ReLU.

    A neighbour d away counts 1 / decay^d. Lucid counts each pair once and averages other terms over the
    n images of the batch, so that a weight there is n / 2 times that here.

    Args:
        layer: where the pictures are to resemble each other, mostly an early one.
        decay: how much less each further neighbour counts.
    Source: Lucid's `alignment`; Mordvintsev et al. 2018.
    """
    return single(Alignment(layer, float(decay)))


@dataclass(frozen=True)
class Batch(Term):
    """See `batch`."""

    objectives: tuple[Objective, ...]

    def __str__(self) -> str:
        return f"batch({'; '.join(str(objective) for objective in self.objectives)})"

    def bind(self, model: ImageModel) -> Bound:
        """See `Term.bind`."""
        bound = [objective.bind(model) for objective in self.objectives]
        if not bound:
            raise ClipbenchError("a batch of no objectives has nothing to show; give at least one")

        def value(acts: Activations) -> Tensor:
            rows = [each.value(acts) for each in bound]  # of all images: a diversity compares them
            if len(rows[0]) != len(bound):
                raise ClipbenchError(
                    f"a batch of {len(bound)} objectives needs {len(bound)} images, not {len(rows[0])}; "
                    f"give the parametrization batch={len(bound)}"
                )
            return torch.stack([row[number] for number, row in enumerate(rows)])

        return Bound(frozenset().union(*(each.reads for each in bound)), value)


@dataclass(frozen=True)
class Interpolate(Term):
    """See `interpolate`."""

    first: Objective
    last: Objective

    def __str__(self) -> str:
        return f"interpolate({self.first} → {self.last})"

    def bind(self, model: ImageModel) -> Bound:
        """See `Term.bind`."""
        first, last = self.first.bind(model), self.last.bind(model)

        def value(acts: Activations) -> Tensor:
            start, end = first.value(acts), last.value(acts)
            return torch.lerp(start, end, torch.linspace(0, 1, len(start)).to(start))

        return Bound(first.reads | last.reads, value)


@dataclass(frozen=True)
class Diversity(Term):
    """See `diversity`."""

    layer: str
    objective: Objective | None

    def __str__(self) -> str:
        return f"diversity({self.layer}{'' if self.objective is None else f' ⊙ ∇({self.objective})'})"

    def bind(self, model: ImageModel) -> Bound:
        """See `Term.bind`."""
        model.layer(self.layer)
        read = Read(self.layer, relu=True)
        if self.objective is None:
            return Bound(frozenset({read}), lambda acts: _likeness(_several(acts[read])))
        goal = self.objective.bind(model)
        check_upstream(model, [self.layer], goal)

        def value(acts: Activations) -> Tensor:
            (attribution,) = attributions(goal.value(acts), acts, [read])
            return _likeness(_several(attribution))

        return Bound(goal.reads | {read}, value)


@dataclass(frozen=True)
class Alignment(Term):
    """See `alignment`."""

    layer: str
    decay: float

    def __str__(self) -> str:
        return f"alignment({self.layer}, decay {self.decay:g})"

    def bind(self, model: ImageModel) -> Bound:
        """See `Term.bind`."""
        model.layer(self.layer)
        if not self.decay > 0:
            raise ClipbenchError(f"an alignment cannot decay by {self.decay:g}; give more than 0, as in 2")
        read = Read(self.layer, relu=True)
        return Bound(frozenset({read}), lambda acts: -self._strangeness(_several(acts[read])))

    def _strangeness(self, maps: Tensor) -> Tensor:
        total = maps.new_zeros(len(maps))
        for away in range(1, min(_REACH, len(maps) - 1) + 1):
            apart = (maps[away:] - maps[:-away]).square().mean(dim=(1, 2, 3)) / self.decay**away
            nothing = apart.new_zeros(away)
            total = total + torch.cat([apart, nothing]) + torch.cat([nothing, apart])
        return total


def _likeness(maps: Tensor) -> Tensor:
    """Summed cosines of each Gram matrix with all others: (n, channels, h, w) -> (n,)."""
    flat = maps.flatten(2)
    grams = normalize((flat @ flat.transpose(1, 2)).flatten(1), dim=1, eps=1e-5)
    return grams @ grams.sum(dim=0) - grams.square().sum(dim=1)


def _several(maps: Tensor) -> Tensor:
    if len(maps) < 2:
        raise ClipbenchError(
            "diversity and alignment compare pictures; give the parametrization batch=2 or more"
        )
    return maps
