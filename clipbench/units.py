"""The address of a unit: a layer, a channel and, where wanted, one position."""

import re
from dataclasses import dataclass
from typing import Protocol

from clipbench.errors import ClipbenchError

_ADDRESS = re.compile(r"(?P<layer>[^:@]+):(?P<channel>\d+)(?:@(?P<row>\d+),(?P<column>\d+))?")


class _Layer(Protocol):
    channels: int


class _Layered(Protocol):
    """What a unit needs to know of a model."""

    last_layer: str

    def layer(self, name: str) -> _Layer: ...


@dataclass(frozen=True)
class Unit:
    """One channel of one layer; with a position, one neuron of that channel.

    Args:
        layer: a name out of `model.layers` or `model.heads`.
        channel: index of the channel, from 0. In OpenAI's RN50x4, `layer4` and the channel are the
            unit numbers of Goh et al. 2021.
        position: (row, column) in the layer's map, or None for the whole map.
    """

    layer: str
    channel: int
    position: tuple[int, int] | None = None

    def __str__(self) -> str:
        place = "" if self.position is None else "@{},{}".format(*self.position)
        return f"{self.layer}:{self.channel}{place}"

    @classmethod
    def parse(cls, address: "str | Unit", model: _Layered) -> "Unit":
        """Read an address such as "layer4:550" or "layer4:550@4,4" and check it against a model.

        Raises:
            ClipbenchError: the address has another form, or the model has no such layer or channel.
        """
        match = _ADDRESS.fullmatch(str(address).strip())
        if match is None:
            raise ClipbenchError(
                f"unit {str(address)!r} is not an address; write layer:channel, as in "
                f'"{model.last_layer}:0", or layer:channel@row,column for one position'
            )
        position = None if match["row"] is None else (int(match["row"]), int(match["column"]))
        unit = cls(match["layer"], int(match["channel"]), position)
        check_channel(unit.channel, model.layer(unit.layer).channels, unit.layer)
        return unit


def check_whole(unit: Unit) -> Unit:
    """The unit; a ClipbenchError if it is one position of a channel, where the whole map counts."""
    if unit.position is not None:
        raise ClipbenchError(
            f"the largest answer over the map counts here, and {str(unit)!r} is one position; "
            f"write {unit.layer}:{unit.channel}"
        )
    return unit


def check_channel(channel: int, channels: int, layer: str) -> None:
    """Raise a ClipbenchError unless 0 <= channel < channels."""
    if not 0 <= channel < channels:
        raise ClipbenchError(
            f"layer {layer!r} has no channel {channel}; its channels go from 0 to {channels - 1}"
        )
