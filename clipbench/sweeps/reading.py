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
# Images in one forward pass. On a CPU each of torch's threads runs a pass of its own: small passes side by
# side are faster than a large one that a team of threads shares, which waits whenever one of them decodes.
_BATCH, _BATCH_ON_GPU = 8, 128
_LARGEST = 65504.0  # the largest number of float16

Shown = Tensor | str  # pixels, or why there are none


class Batch(NamedTuple):
    """Images that the model has seen just now, and name and reason of those that could not be read."""

    images: int
    unread: tuple[tuple[str, str], ...]


class Answer(NamedTuple):
    """What each layer said to the images of a batch, and for each image why it could not be read, or ""."""

    rows: dict[str, Rows]
    notes: list[str]


def sweep_blocks(
    model: ImageModel,
    stimuli: Stimuli,
    first: int,
    shelf: Shelf,
    blocks: Sequence[int],
    layers: Sequence[str],
) -> Iterator[Batch]:
    """Show the images of some blocks and write what layers say to them.

    Decoding runs ahead of the model, and a block is written while the next one is read. What is written does
    not depend on how many threads there are.

    Args:
        stimuli: the images of these blocks at least.
        first: number of the image that `stimuli` begins with.
        blocks: rising; each is written whole or, when the reader stops, not at all.

    Yields:
        After each forward pass what was read; at the end all is written.
    """
    size, passes = (_BATCH, torch.get_num_threads()) if model.device.type == "cpu" else (_BATCH_ON_GPU, 1)
    spans = [shelf.span(block) for block in blocks]
    numbers = (number - first for span in spans for number in range(*span))
    pictures = ahead(partial(_show, model, stimuli), numbers, depth=2 * size * passes, workers=_DECODERS)
    answers = ahead(
        partial(_said, model, layers), _batches(pictures, spans, size), depth=passes, workers=passes
    )
    with closing(pictures), closing(answers), ThreadPoolExecutor(max_workers=1) as writer:
        written: Future | None = None
        for block, (start, stop) in zip(blocks, spans, strict=True):
            parts: list[Answer] = []
            for at in range(start, stop, size):
                parts.append(next(answers))
                if written is not None:  # so that of what was told no more than a block can be lost
                    written = written.result()
                notes = parts[-1].notes
                names = stimuli.names[at - first : at - first + len(notes)]
                unread = tuple((name, note) for name, note in zip(names, notes, strict=True) if note)
                yield Batch(len(notes), unread)
            written = writer.submit(_write, shelf, block, parts)
        if written is not None:
            written.result()


def _batches(pictures: Iterator[Shown], spans: Sequence[tuple[int, int]], size: int) -> Iterator[list[Shown]]:
    """Pictures of one forward pass each, none of two blocks."""
    for start, stop in spans:
        for at in range(start, stop, size):
            yield list(islice(pictures, min(size, stop - at)))


def grids(model: ImageModel, layers: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Rows and columns of each layer's map, for pictures as the model takes them."""
    blank = torch.zeros(1, 3, model.image_size, model.image_size, device=model.device)
    with torch.no_grad():
        maps = model.read(blank, [Read(layer) for layer in layers])
    return {read.layer: tuple(value.shape[-2:]) for read, value in maps.items()}


def _show(model: ImageModel, stimuli: Stimuli, number: int) -> Shown:
    try:
        return model.pixels([stimuli.picture(number)])
    except ClipbenchError as error:
        return str(error)


@torch.no_grad()
def _said(model: ImageModel, layers: Sequence[str], shown: Sequence[Shown]) -> Answer:
    """What the layers say to the images of a batch."""
    good = [isinstance(one, Tensor) for one in shown]
    notes = ["" if isinstance(one, Tensor) else one for one in shown]
    if not any(good):
        return Answer({layer: _silence(len(shown), model, layer) for layer in layers}, notes)
    pixels = torch.cat([one for one in shown if isinstance(one, Tensor)])
    maps = model.read(pixels, [Read(layer) for layer in layers])
    return Answer(
        {read.layer: _pooled(maps[read], model.layer(read.layer).stride, good) for read in maps}, notes
    )


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


def _write(shelf: Shelf, block: int, parts: list[Answer]) -> None:
    notes = [note for part in parts for note in part.notes]
    try:
        if any(notes):
            shelf.write_notes(block, notes)
        for layer in parts[0].rows:
            columns = zip(*(part.rows[layer] for part in parts), strict=True)
            joined = (None if column[0] is None else np.concatenate(column) for column in columns)
            shelf.write(layer, block, Rows(*joined))
    except OSError as error:
        raise cannot_write(shelf.path, error) from error
