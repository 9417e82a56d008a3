"""`sweep`: show a model many pictures or words, and keep what all units of some layers say."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel
from clipbench.results import versions
from clipbench.sweeps.lock import locked
from clipbench.sweeps.pictures import Listed, Source, Stimuli, listed
from clipbench.sweeps.place import is_remote, local, opened
from clipbench.sweeps.reading import Batch, grids, sweep_blocks
from clipbench.sweeps.shelf import BLOCK, Shelf


@dataclass(frozen=True)
class Progress:
    """How far a sweep has come.

    Args:
        stage: "listing" while the content of all images is read for the first time, then "sweeping".
        done, total: images.
        resumed: of those done, how many an earlier run had done.
        unread: name and reason of images that could not be read, in this run.
        key: of the sweep in its store; None while listing.
    """

    stage: str
    done: int
    total: int
    resumed: int = 0
    unread: tuple[tuple[str, str], ...] = ()
    key: str | None = None


def sweep(
    model: ImageModel,
    stimuli: Source,
    layers: Sequence[str] | None = None,
    *,
    store: str | Path,
    scheduler: str | None = None,
    block: int = BLOCK,
    column: str = "image",
) -> Iterator[Progress]:
    """Show pictures or words to a model and keep what the units of some layers say, before their ReLU.

    Kept are, of each image and unit, the maximum over the map, where it is, and the mean, as float16; of
    each unit a histogram and moments; and the embedding. A sweep that was stopped or killed goes on when it
    is begun again: what is lost is the block in work. A store holds many sweeps, of other models or images;
    one whose weights, preprocessing or images differ in anything is another one.

    Args:
        model: any model.
        stimuli: as for `listed`: a folder, a parquet table, a tar archive, a list of files, a data set of
            Hugging Face, or `Words`.
        layers: names out of `model.layers` or `model.heads`; by default the last layer.
        store: a folder, or an address of fsspec such as "s3://bucket/store"; not every such file system can
            keep out a second sweep that begins at the same instant, see `locked`.
        scheduler: address of a Dask cluster whose workers run the model and write into the store; they must
            reach the images and the store under the same names. None runs it here.
        block: images that are written at once, at least 1; a sweep that is there keeps its own.
        column: where tables and data sets have their pictures.

    Yields:
        After each batch, or on a cluster after each block, how far it has come; whoever stops reading stops
        the work.

    Raises:
        ClipbenchError: no images, an unknown layer, a store that cannot be written or is in use, another
            thing where the store should be.
    """
    names = _layers(model, layers)
    if block < 1:
        raise ClipbenchError(f"a block must have at least one image, not {block}")
    store = store if is_remote(store) else local(store)
    with locked(store):
        opened(store, write=True)
        for step in listed(stimuli, column):
            if isinstance(step, Listed):
                yield Progress("listing", step.done, step.total)
        shelf = _shelf(model, step, names, store, block)
        yield from _run(model, step, shelf, names, scheduler)


def key_of(model: ImageModel, stimuli: Stimuli) -> str:
    """The name of a sweep in its store: weights, preprocessing, content of the stimuli."""
    prepared = hashlib.sha256(f"{model.preprocessing} {model.dtype}".encode()).hexdigest()[:8]
    return f"{model.weights_hash}-{prepared}-{stimuli.hash}"


def _layers(model: ImageModel, layers: Sequence[str] | None) -> list[str]:
    if isinstance(layers, str):
        raise ClipbenchError(f"layers must be a list of names, as in [{layers!r}]")
    names = [model.last_layer] if layers is None else list(dict.fromkeys(layers))
    for name in names:
        model.layer(name)
    return [*names, *(head for head in ("embedding",) if head in model.heads and head not in names)]


def _shelf(model: ImageModel, stimuli: Stimuli, layers: list[str], store: str | Path, block: int) -> Shelf:
    """The place of this sweep in the store, with arrays for all layers."""
    attributes = {
        "model": model.name,
        "weights_hash": model.weights_hash,
        "preprocessing": model.preprocessing,
        "image_size": model.image_size,
        "view": model.view,
        "stimuli": stimuli.hash,
        "origin": stimuli.origin,
        "n": len(stimuli),
        "block": min(block, len(stimuli)),
        "begun": datetime.now(UTC).isoformat(timespec="microseconds"),
        "versions": versions(),
    }
    shelf = Shelf.create(store, key_of(model, stimuli), attributes, stimuli.names, stimuli.digests)
    shelf.sweep_up()
    missing = [layer for layer in layers if layer not in shelf.layers]
    for layer, grid in grids(model, missing).items() if missing else ():
        shelf.add_layer(layer, model.layer(layer).channels, model.layer(layer).stride, grid)
    shelf.consolidate()
    return shelf


def _run(
    model: ImageModel, stimuli: Stimuli, shelf: Shelf, layers: list[str], scheduler: str | None
) -> Iterator[Progress]:
    """Sweep the blocks that some layer lacks."""
    lacking = {layer: ~shelf.done(layer) for layer in layers}
    todo = np.flatnonzero(np.any(list(lacking.values()), axis=0)).tolist()
    wanted = [layer for layer in layers if lacking[layer].any()]
    left = sum(stop - start for start, stop in map(shelf.span, todo))
    resumed = done = shelf.n - left
    unread: tuple[tuple[str, str], ...] = ()
    yield Progress("sweeping", done, shelf.n, resumed, unread, shelf.key)
    if not todo:
        return
    with closing(_batches(model, stimuli, shelf, todo, wanted, scheduler)) as batches:
        for batch in batches:
            done, unread = done + batch.images, unread + batch.unread
            yield Progress("sweeping", done, shelf.n, resumed, unread, shelf.key)


def _batches(
    model: ImageModel,
    stimuli: Stimuli,
    shelf: Shelf,
    blocks: list[int],
    layers: list[str],
    scheduler: str | None,
) -> Iterator[Batch]:
    if scheduler is None:
        return sweep_blocks(model, stimuli, 0, shelf, blocks, layers)
    from clipbench.sweeps.cluster import sweep_on_cluster

    return sweep_on_cluster(scheduler, model, stimuli, shelf, blocks, layers)
