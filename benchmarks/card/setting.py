"""What is measured, and on what."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import clipbench as cb
from clipbench.errors import ClipbenchError
from clipbench.models import ClipModel, Read, VisionModel
from clipbench.pretrain.photos import TRAIN, Photo, read_photos
from clipbench.pretrain.recipe import Recipe
from clipbench.pretrain.towers import CONTROL
from clipbench.pretrain.vocabulary import Vocabulary, vocabulary
from clipbench.streams import chunks

_CHUNK = 32  # images that are read at a time


class Control:
    """The network that the model was started from, shown the very pixels that the model is shown.

    Args:
        network: the control; its own size is another.
        model: resizes and crops.
    """

    def __init__(self, network: VisionModel, model: ClipModel):
        self._network, self._model = network, model

    def activations(self, images: Sequence[Image.Image], layer: str, relu: bool = False) -> Tensor:
        """As of any model, at the size of the other."""
        read = Read(layer, relu)
        seen = (self._model.pixels(some) for some in chunks(images, _CHUNK))
        return torch.cat([self._network.answers(pixels, [read])[read] for pixels in seen])

    def predictions(self, images: Sequence[Image.Image]) -> np.ndarray:
        """The class of each image, (n,)."""
        return self.activations(images, "logits").flatten(1).argmax(1).cpu().numpy()

    def __getattr__(self, name: str):
        return getattr(self._network, name)


@dataclass(frozen=True)
class Source:
    """Photos of one origin.

    Args:
        photos: all that could be read.
        side: shorter side of the first, pixels.
    """

    photos: tuple[Photo, ...]
    side: int

    def of(self, split: str) -> list[Photo]:
        """Those of one split."""
        return [photo for photo in self.photos if photo.split == split]

    @property
    def unseen(self) -> list[Photo]:
        """Those that no training saw."""
        return [photo for photo in self.photos if photo.split != TRAIN]


@dataclass(frozen=True)
class Setting:
    """Model, control, vocabulary and pictures.

    Args:
        model: what is measured.
        control: the network it was started from, at the model's size.
        known: the texts of the recipe that made the model.
        recipe: that recipe.
        sources: photos; their own split tells which of them training saw.
        gcompris: folder with the photos of Debian's gcompris-qt-data.
        wild: folder with the article's photos of labelled things.
        most: pictures behind a figure.
    """

    model: ClipModel
    control: Control
    known: Vocabulary
    recipe: Recipe
    sources: Sequence[Source]
    gcompris: Path | None
    wild: Path | None
    most: int

    @property
    def finest(self) -> Source:
        """The source of the largest photos."""
        if not self.sources:
            raise ClipbenchError("no photos were named; name what `clipbench pretrain` was given")
        return max(self.sources, key=lambda source: source.side)


def setting(
    model: ClipModel, photos: Sequence[str], gcompris: Path | None, wild: Path | None, most: int
) -> Setting:
    """Read the photos, and the texts of the recipe."""
    recipe = Recipe()
    sources = []
    for path in photos:
        found = read_photos([path]).labelled
        sources.append(Source(found, min(found[0].open().size)))
    control = Control(cb.load(CONTROL, device=str(model.device)), model)
    return Setting(model, control, vocabulary(recipe), recipe, sources, gcompris, wild, most)
