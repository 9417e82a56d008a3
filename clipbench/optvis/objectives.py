"""What an optimised picture is to excite: weighted sums of terms, maximised.

An objective is a value: it adds, scales, compares and prints itself, weights included, into the
provenance of the picture. It does nothing by itself; `bind` checks it against a model and says what to
read in each step.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from clipbench.errors import ClipbenchError
from clipbench.hooks import check_position
from clipbench.models import ClipModel, ImageModel, Read
from clipbench.units import check_channel

Activations = Mapping[Read, Tensor]


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
        """Check all terms against a model; see `Term.bind`."""
        bound = [(weight, term.bind(model)) for weight, term in self.terms]
        reads = frozenset().union(*(term.reads for _, term in bound))
        return Bound(reads, lambda acts: sum(weight * term.value(acts) for weight, term in bound))


def channel(layer: str, channel: int) -> Objective:
    """Mean over all positions of one channel, before its ReLU.

    Source: Olah et al. 2017; Lucid's `channel`.
    """
    return _single(Channel(layer, channel))


def neuron(layer: str, channel: int, position: tuple[int, int] | None = None) -> Objective:
    """One channel at one position (row, column), before its ReLU; None is the middle of the map.

    Source: Olah et al. 2017; Lucid's `neuron`.
    """
    return _single(Neuron(layer, channel, position))


def layer(layer: str) -> Objective:
    """Mean square of everything in a layer, after its ReLU: DeepDream.

    Source: Mordvintsev et al. 2015; Lucid's `deepdream`.
    """
    return _single(WholeLayer(layer))


def direction(layer: str, vector: Sequence[float] | Tensor, power: float = 0.0) -> Objective:
    """Dot product with a direction times (cosine clipped at 0.1) to a power, mean over positions.

    Args:
        layer: where.
        vector: (channels,).
        power: 0 is the dot product alone.
    Source: Lucid's `direction`; Carter et al. 2019.
    """
    return _single(
        Direction(layer, tuple(torch.as_tensor(vector, dtype=torch.float32).tolist()), float(power))
    )


def text(text: str) -> Objective:
    """Cosine similarity of the picture's embedding with that of a text, in [-1, 1]."""
    return _single(Text(text))


def batch(objectives: Sequence[Objective]) -> Objective:
    """One objective for each image of the batch, in this order."""
    return _single(Batch(tuple(objectives)))


@dataclass(frozen=True)
class Channel(Term):
    """See `channel`."""

    layer: str
    channel: int

    def __str__(self) -> str:
        return f"channel({self.layer}:{self.channel})"

    def bind(self, model: ImageModel) -> Bound:
        """See `Term.bind`."""
        check_channel(self.channel, model.layer(self.layer).channels, self.layer)
        read = Read(self.layer)
        return Bound(frozenset({read}), lambda acts: acts[read][:, self.channel].mean(dim=(1, 2)))


@dataclass(frozen=True)
class Neuron(Term):
    """See `neuron`."""

    layer: str
    channel: int
    position: tuple[int, int] | None

    def __str__(self) -> str:
        place = "middle" if self.position is None else "{},{}".format(*self.position)
        return f"neuron({self.layer}:{self.channel}@{place})"

    def bind(self, model: ImageModel) -> Bound:
        """See `Term.bind`."""
        check_channel(self.channel, model.layer(self.layer).channels, self.layer)
        read = Read(self.layer)

        def value(acts: Activations) -> Tensor:
            height, width = acts[read].shape[-2:]
            position = self.position or (height // 2, width // 2)
            row, column = check_position(position, (height, width), self.layer)
            return acts[read][:, self.channel, row, column]

        return Bound(frozenset({read}), value)


@dataclass(frozen=True)
class WholeLayer(Term):
    """See `layer`."""

    layer: str

    def __str__(self) -> str:
        return f"layer({self.layer})"

    def bind(self, model: ImageModel) -> Bound:
        """See `Term.bind`."""
        model.layer(self.layer)
        read = Read(self.layer, relu=True)
        return Bound(frozenset({read}), lambda acts: acts[read].square().mean(dim=(1, 2, 3)))


@dataclass(frozen=True)
class Direction(Term):
    """See `direction`."""

    layer: str
    vector: tuple[float, ...]
    power: float

    def __str__(self) -> str:
        nonzero = [(number, value) for number, value in enumerate(self.vector) if value]
        shown = " ".join(f"{value:+.3g}·{number}" for number, value in nonzero[:4])
        return f"direction({self.layer}: {shown}{' …' if len(nonzero) > 4 else ''}, power {self.power:g})"

    def bind(self, model: ImageModel) -> Bound:
        """See `Term.bind`."""
        channels = model.layer(self.layer).channels
        if len(self.vector) != channels:
            raise ClipbenchError(
                f"the direction has {len(self.vector)} numbers, layer {self.layer!r} has {channels} channels"
            )
        vector = torch.tensor(self.vector, device=model.device, dtype=model.dtype)
        read = Read(self.layer)

        def value(acts: Activations) -> Tensor:
            dot = torch.einsum("nchw,c->nhw", acts[read], vector)
            if self.power:
                cosine = torch.einsum("nchw,c->nhw", normalize(acts[read], dim=1), normalize(vector, dim=0))
                dot = dot * cosine.clamp(min=0.1) ** self.power
            return dot.mean(dim=(1, 2))

        return Bound(frozenset({read}), value)


@dataclass(frozen=True)
class Text(Term):
    """See `text`."""

    text: str

    def __str__(self) -> str:
        return f"text({self.text!r})"

    def bind(self, model: ImageModel) -> Bound:
        """See `Term.bind`."""
        if not isinstance(model, ClipModel):
            raise ClipbenchError(
                f"{model.name} has no text tower; aim at one of its units, as in embedding:0"
            )
        wanted = model.encode_text([self.text])[0].to(model.dtype)
        read = Read("embedding")
        return Bound(frozenset({read}), lambda acts: normalize(acts[read].flatten(1), dim=1) @ wanted)


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
        reads = frozenset().union(*(each.reads for each in bound))

        def value(acts: Activations) -> Tensor:
            images = len(next(iter(acts.values())))
            if images != len(bound):
                raise ClipbenchError(
                    f"a batch of {len(bound)} objectives needs {len(bound)} images, not {images}; "
                    f"give the parametrization batch={len(bound)}"
                )
            one = [{read: act[i : i + 1] for read, act in acts.items()} for i in range(images)]
            return torch.cat([each.value(part) for each, part in zip(bound, one, strict=True)])

        return Bound(reads, value)


def _single(term: Term) -> Objective:
    return Objective(((1.0, term),))


def _factor(weight: float) -> str:
    return "" if weight == 1 else f"{weight:g} "
