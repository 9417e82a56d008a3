"""Rows of pictures of one kind each, and which of them a unit answers to most."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from clipbench.models import ImageModel
from clipbench.streams import Progress, chunks
from clipbench.units import check_channel

_BATCH = 32


@dataclass(frozen=True, eq=False)
class Row:
    """Pictures of one kind, and what the units of a layer say to each.

    Args:
        kind: what they are, such as "flags".
        names: n, of what is on them.
        images: n pictures.
        answers: (n, units) largest activation over the map, before the ReLU.
    """

    kind: str
    names: tuple[str, ...]
    images: tuple[Image.Image, ...]
    answers: np.ndarray

    def top(self, unit: int, count: int = 5) -> tuple[tuple[str, Image.Image, float], ...]:
        """The pictures that a unit answers to most: name, picture, and sd over the pictures of the row.

        Raises:
            ClipbenchError: there is no such unit.
        """
        check_channel(unit, self.answers.shape[1], self.kind)
        own = self.answers[:, unit].astype(np.float64)
        sds = (own - own.mean()) / (own.std() or 1)
        order = np.argsort(-own, kind="stable")[:count].tolist()
        return tuple((self.names[place], self.images[place], float(sds[place])) for place in order)


@torch.no_grad()
def answers_to(model: ImageModel, shown: Sequence[Image.Image], layer: str) -> Iterator[np.ndarray]:
    """What a layer says to some pictures, largest over the map, before the ReLU, a batch at a time.

    Yields:
        (≤ 32, units) float32 each.
    """
    for some in chunks(shown, _BATCH):
        maps = model.activations(some, layer)
        yield maps.float().amax(dim=(2, 3)).cpu().numpy()


def read_row(
    model: ImageModel, shown: Sequence[Image.Image], layer: str, done: int, total: int
) -> Generator[Progress, None, np.ndarray]:
    """The same as one part of a longer stream: yields how far that has come, from `done` on, of `total`.

    Returns:
        (n, units) float32.
    """
    kept = []
    for answers in answers_to(model, shown, layer):
        kept.append(answers)
        done += len(answers)
        yield Progress(done, total)
    return np.concatenate(kept)
