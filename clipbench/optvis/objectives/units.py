"""Units, layers and directions: what lies at one place of the network."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from clipbench.errors import ClipbenchError
from clipbench.hooks import check_position
from clipbench.models import ImageModel, Read
from clipbench.optvis.objectives.base import Activations, Bound, Objective, Term, single
from clipbench.units import check_channel


def channel(layer: str, channel: int) -> Objective:
    """Mean over all positions of one channel, before its ReLU.

    Source: Olah et al. 2017; Lucid's `channel`.
    """
    return single(Channel(layer, channel))


def neuron(layer: str, channel: int, position: tuple[int, int] | None = None) -> Objective:
    """One channel at one position (row, column), before its ReLU; None is the middle of the map.

    Source: Olah et al. 2017; Lucid's `neuron`.
    """
    return single(Neuron(layer, channel, position))


def layer(layer: str) -> Objective:
    """Mean square of everything in a layer, after its ReLU: DeepDream.

    Source: Mordvintsev et al. 2015; Lucid's `deepdream`.
    """
    return single(WholeLayer(layer))


def direction(layer: str, vector: Sequence[float] | Tensor, power: float = 0.0) -> Objective:
    """Dot product with a direction times (cosine clipped at 0.1) to a power, mean over positions.

    Args:
        layer: where.
        vector: (channels,).
        power: 0 is the dot product alone.
    Source: Lucid's `direction`; Carter et al. 2019.
    """
    return single(
        Direction(layer, tuple(torch.as_tensor(vector, dtype=torch.float32).tolist()), float(power))
    )


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
