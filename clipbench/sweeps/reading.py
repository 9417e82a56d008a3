"""From pictures to the rows of a block: decoded in threads, run through the model in batches, written."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel, Read
from clipbench.results import cannot_write
from clipbench.streams import ahead
from clipbench.sweeps.pictures import Stimuli
from clipbench.sweeps.shelf import Rows, Shelf

_DECODERS = max(2, min(8, os.cpu_count() or 1))  # threads; Pillow lets go of Python's lock while it decodes
_BATCH, _BATCH_ON_GPU = 32, 128  # images in one forward pass
_LARGEST = 65504.0  # the largest number of float16

Shown = Tensor | str  # pixels, or why there are none


class Batch(NamedTuple):
    """Images that the model has seen just now, and name and reason of those that could not be read."""

    images: int
    unread: tuple[tuple[str, str], ...]


def sweep_blocks(
    model: ImageModel,
    stimuli: Stimuli,
    first: int,
    shelf: Shelf,
    blocks: Sequence[int],
    layers: Sequence[str],
) -> Iterator[Batch]:
    """Show the images of some blocks and write what layers say to them.

    Decoding runs ahead of the model, and a block is written while the next one is read.

    Args:
        stimuli: the images of these blocks at least.
        first: number of the image that `stimuli` begins with.
        blocks: rising; each is written whole or, when the reader stops, not at all.

    Yields:
        After each forward pass what was read; at the end all is written.
    """
    size = _BATCH if model.device.type == "cpu" else _BATCH_ON_GPU
    numbers = [number - first for block in blocks for number in range(*shelf.span(block))]
    pictures = ahead(partial(_show, model, stimuli), numbers, depth=2 * size, workers=_DECODERS)
    with closing(pictures), ThreadPoolExecutor(max_workers=1) as writer:
        written: Future | None = None
        for block in blocks:
            start, stop = shelf.span(block)
            notes: list[str] = []
            rows: list[dict[str, Rows]] = []
            for at in range(start, stop, size):
                batch = list(islice(pictures, min(size, stop - at)))
                rows.append(_said(model, layers, batch))
                notes += [one if isinstance(one, str) else "" for one in batch]
                if written is not None:  # so that of what was told no more than a block can be lost
                    written = written.result()
                yield Batch(len(batch), _unread(stimuli.names[at - first : stop - first], batch))
            written = writer.submit(_write, shelf, block, rows, notes)
        if written is not None:
            written.result()


def grids(model: ImageModel, layers: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Rows and columns of each layer's map, for pictures as the model takes them."""
    blank = torch.zeros(1, 3, model.image_size, model.image_size, device=model.device)
    with torch.no_grad():
        maps = model.read(blank, [Read(layer) for layer in layers])
    return {read.layer: tuple(value.shape[-2:]) for read, value in maps.items()}


def _unread(names: Sequence[str], batch: list[Shown]) -> tuple[tuple[str, str], ...]:
    """Name and reason of the images of a batch that could not be read."""
    return tuple((name, one) for name, one in zip(names, batch, strict=False) if isinstance(one, str))


def _show(model: ImageModel, stimuli: Stimuli, number: int) -> Shown:
    try:
        return model.pixels([stimuli.picture(number)])
    except ClipbenchError as error:
        return str(error)


@torch.no_grad()
def _said(model: ImageModel, layers: Sequence[str], shown: Sequence[Shown]) -> dict[str, Rows]:
    """Layer -> what it said to the images of a batch."""
    good = [isinstance(one, Tensor) for one in shown]
    if not any(good):
        return {layer: _silence(len(shown), model, layer) for layer in layers}
    pixels = torch.cat([one for one in shown if isinstance(one, Tensor)])
    maps = model.answers(pixels, [Read(layer) for layer in layers])
    return {read.layer: _pooled(maps[read], model.layer(read.layer).stride, good) for read in maps}


def _pooled(maps: Tensor, stride: int | None, good: list[bool]) -> Rows:
    """Maximum, its place and mean over a map (m, units, h, w), in the rows of the images that were read."""
    flat = maps.float().flatten(2)
    top, place = flat.max(dim=2)
    if stride is None:
        return Rows(_spread(_halved(top), good, np.nan), None, None)
    return Rows(
        _spread(_halved(top), good, np.nan),
        _spread(_halved(flat.mean(dim=2)), good, np.nan),
        _spread(place.cpu().numpy().astype(np.uint32), good, 0),
    )


def _halved(values: Tensor) -> np.ndarray:
    return values.clamp(-_LARGEST, _LARGEST).half().cpu().numpy()


def _spread(rows: np.ndarray, good: list[bool], fill: float) -> np.ndarray:
    """The rows where `good`, and `fill` elsewhere."""
    spread = np.full((len(good), rows.shape[1]), fill, rows.dtype)
    spread[good] = rows
    return spread


def _silence(images: int, model: ImageModel, layer: str) -> Rows:
    """What a layer said to images of which none could be read."""
    channels, stride = model.layer(layer).channels, model.layer(layer).stride
    return _pooled(torch.empty(0, channels, 1, 1), stride, [False] * images)


def _write(shelf: Shelf, block: int, parts: list[dict[str, Rows]], notes: list[str]) -> None:
    try:
        if any(notes):
            shelf.write_notes(block, notes)
        for layer in parts[0]:
            columns = zip(*(part[layer] for part in parts), strict=True)
            joined = (None if column[0] is None else np.concatenate(column) for column in columns)
            shelf.write(layer, block, Rows(*joined))
    except OSError as error:
        raise cannot_write(shelf.path, error) from error
