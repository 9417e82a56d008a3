"""The same work by the workers of a Dask cluster, each of which loads the model once."""

import threading
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel, load
from clipbench.sweeps.pictures import Stimuli, package
from clipbench.sweeps.reading import Batch, sweep_blocks
from clipbench.sweeps.shelf import Shelf

_AHEAD = 2  # blocks that are handed out for each thread of the cluster
_PATIENCE = 10  # seconds in which a scheduler should answer
_loading = threading.Lock()


def sweep_on_cluster(
    address: str,
    model: ImageModel,
    stimuli: Stimuli,
    shelf: Shelf,
    blocks: Sequence[int],
    layers: Sequence[str],
) -> Iterator[Batch]:
    """Let workers show the images of some blocks and write what layers say into the store.

    A block whose worker dies is given to another one. Writing a block twice writes the same.

    Args:
        address: of the scheduler, such as "tcp://127.0.0.1:8786".

    Yields:
        After each block what was read.

    Raises:
        ClipbenchError: no scheduler or no worker there, or workers that have other weights.
    """
    distributed = package("distributed", "distributed")
    try:
        client = distributed.Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise ClipbenchError(
            f"no Dask scheduler answers at {address!r}; start one with `dask scheduler` and give its address"
        ) from error
    with client:
        threads = sum(client.nthreads().values())
        if threads == 0:
            raise ClipbenchError(
                f"the scheduler at {address!r} has no workers; start some with `dask worker`"
            )
        waiting = (_submitted(client, model, stimuli, shelf, block, layers) for block in blocks)
        running = distributed.as_completed(islice(waiting, _AHEAD * threads), loop=client.loop)
        for future in running:
            yield future.result()
            for following in islice(waiting, 1):
                running.add(following)


def _submitted(client, model: ImageModel, stimuli: Stimuli, shelf: Shelf, block: int, layers: Sequence[str]):
    part = stimuli.part(*shelf.span(block))
    source = (model.name, model.checkpoint, model.weights_hash)
    return client.submit(_sweep_block, source, part, shelf, block, tuple(layers), pure=False)


def _sweep_block(
    source: tuple[str, Path | None, str], part: Stimuli, shelf: Shelf, block: int, layers: Sequence[str]
) -> Batch:
    """What a worker does."""
    first, _ = shelf.span(block)
    batches = list(sweep_blocks(_model(*source), part, first, shelf, [block], layers))
    unread = tuple(one for batch in batches for one in batch.unread)
    return Batch(sum(batch.images for batch in batches), unread)


def _model(name: str, checkpoint: Path | None, weights_hash: str) -> ImageModel:
    with _loading:  # else every thread of a worker would load its own
        model = _loaded(name, checkpoint)
    if model.weights_hash != weights_hash:
        raise ClipbenchError(
            f"a worker's {name} has weights {model.weights_hash}, not {weights_hash}; "
            "install one version everywhere"
        )
    return model


@cache
def _loaded(name: str, checkpoint: Path | None) -> ImageModel:
    return load(name, checkpoint)
