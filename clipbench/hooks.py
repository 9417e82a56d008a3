"""Read and edit what flows through any `nn.Module`, and leave the module as it was.

A `Tap` says where: the input or the output of one module. `reading` collects what passes there,
`editing` changes it. Both are context managers, nest in any order, belong to the thread that opened
them, and take their hooks away again whatever happens inside.

Order: edits act before reads see the value, and an edit opened inside another acts before it, so the
outermost edit has the last word.
"""

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from clipbench.errors import ClipbenchError
from clipbench.units import Unit


@dataclass(frozen=True)
class Tokens:
    """How the tokens of a vision transformer lie in memory: (n, prefix + rows · columns, channels).

    Args:
        prefix: tokens in front of the patches, such as the class token; they are no part of the map.
        grid: (rows, columns) of patches.
    """

    prefix: int
    grid: tuple[int, int]

    def to_map(self, tokens: Tensor) -> Tensor:
        """(n, tokens, channels) -> (n, channels, rows, columns)."""
        return tokens[:, self.prefix :].transpose(1, 2).unflatten(2, self.grid)

    def to_flow(self, changed: Tensor, tokens: Tensor) -> Tensor:
        """Put a changed map back behind the untouched prefix tokens."""
        return torch.cat([tokens[:, : self.prefix], changed.flatten(2).transpose(1, 2)], dim=1)


@dataclass(frozen=True)
class Tap:
    """A place in a network: the input or the output of one module, seen as (n, channels, h, w).

    Args:
        module: the module. For a value before its ReLU, the ReLU module itself with side "input".
        side: "input" (first positional argument) or "output".
        tokens: how to see a transformer's tokens as a map; None for maps and for (n, channels).
    """

    module: nn.Module
    side: Literal["input", "output"] = "output"
    tokens: Tokens | None = None

    def to_map(self, value: Tensor) -> Tensor:
        """What flows here as (n, channels, h, w); vectors get h = w = 1."""
        if self.tokens is not None:
            return self.tokens.to_map(value)
        return value[:, :, None, None] if value.ndim == 2 else value

    def to_flow(self, changed: Tensor, value: Tensor) -> Tensor:
        """The reverse of `to_map`."""
        if self.tokens is not None:
            return self.tokens.to_flow(changed, value)
        return changed.flatten(1) if value.ndim == 2 else changed

    def attach(self, watch: Callable[[Tensor], Tensor], *, first: bool) -> RemovableHandle:
        """Send every value that the present thread passes here through `watch`."""
        owner = threading.get_ident()

        def on_input(_module: nn.Module, arguments: tuple) -> tuple | None:
            if threading.get_ident() != owner:
                return None
            return (watch(arguments[0]), *arguments[1:])

        def on_output(_module: nn.Module, _arguments: tuple, output: Tensor | tuple) -> Tensor | tuple | None:
            if threading.get_ident() != owner:
                return None
            if isinstance(output, tuple):  # such as CoCa's image tower: (pooled, tokens)
                return (watch(output[0]), *output[1:])
            return watch(output)

        if self.side == "input":
            return self.module.register_forward_pre_hook(on_input, prepend=first)
        return self.module.register_forward_hook(on_output, prepend=first)


class _Reached(Exception):
    """Everything wanted has been read; the rest of the forward pass is not needed."""


@contextmanager
def reading(taps: Mapping[Hashable, Tap], *, stop: bool = False) -> Iterator[dict[Hashable, Tensor]]:
    """Collect what passes the taps while the block runs.

    The value read is the one that flows: gradients go from it to the input, and from what lies further
    down to it. The network goes on with a copy, so that nothing there, such as an in-place ReLU, can
    overwrite what was read.

    Args:
        taps: what to read, under names of your choice.
        stop: end the forward pass as soon as all taps have been read; the `with` block is then left at
            that point. Only for a block whose last statement is the forward pass.

    Yields:
        A dict that fills in the order of the forward pass: name -> (n, channels, h, w).
    """
    read: dict[Hashable, Tensor] = {}
    reached = _Reached()

    def watcher(key: Hashable, tap: Tap) -> Callable[[Tensor], Tensor]:
        def watch(value: Tensor) -> Tensor:
            read[key] = tap.to_map(value)
            if stop and len(read) == len(taps):
                raise reached
            return tap.to_flow(read[key].clone(), value)

        return watch

    with ExitStack() as stack:
        for key, tap in taps.items():
            stack.callback(tap.attach(watcher(key, tap), first=False).remove)
        try:
            yield read
        except _Reached as signal:
            if signal is not reached:
                raise
            signal.with_traceback(None)  # a cycle: its frames hold it, and all that the pass computed


@contextmanager
def editing(tap: Tap, change: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Replace what flows at a tap by `change` of it while the block runs.

    Args:
        tap: where.
        change: from (n, channels, h, w) to the same shape; must not work in place.
    """
    with ExitStack() as stack:
        handle = tap.attach(lambda value: tap.to_flow(change(tap.to_map(value)), value), first=True)
        stack.callback(handle.remove)
        yield


def select(units: Iterable[Unit], value: Tensor) -> Tensor:
    """Mark the units of one layer in its map.

    Args:
        units: units of the layer that `value` belongs to; with a position, only that position.
        value: (n, channels, h, w).

    Returns:
        (1, channels, h, w) bool.

    Raises:
        ClipbenchError: a position lies outside the map.
    """
    _, channels, height, width = value.shape
    mask = torch.zeros(1, channels, height, width, dtype=torch.bool, device=value.device)
    for unit in units:
        if unit.position is None:
            mask[:, unit.channel] = True
            continue
        row, column = check_position(unit.position, (height, width), unit.layer)
        mask[:, unit.channel, row, column] = True
    return mask


def check_position(position: tuple[int, int], size: tuple[int, int], layer: str) -> tuple[int, int]:
    """Return the position, or raise a ClipbenchError when it lies outside a map of that size."""
    (row, column), (height, width) = position, size
    if not (0 <= row < height and 0 <= column < width):
        raise ClipbenchError(
            f"position {row},{column} lies outside the {height} × {width} map of layer {layer!r}; "
            f"rows go from 0 to {height - 1}, columns from 0 to {width - 1}"
        )
    return position
