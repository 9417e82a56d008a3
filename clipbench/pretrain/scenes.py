"""Words on photos, as stage 2 and the contrastive stage show them."""

import random
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from clipbench.pretrain import pictures
from clipbench.pretrain.photos import Photo
from clipbench.pretrain.recipe import Recipe
from clipbench.pretrain.towers import PATCH
from clipbench.pretrain.vocabulary import Vocabulary

_FURTHER = 0.2  # share of words that are any of thousands, so that spelling is read, not shapes
_PART = 2 / 3  # of a picture's side, that of the small scenes
_TIMES = (1, 2, 4, 8)  # words on a scene


class Sources:
    """Photos of several sources, each source as likely as another, whatever its size."""

    def __init__(self, photos: Sequence[Photo]):
        sources: dict[int, list[Photo]] = {}
        for photo in photos:
            sources.setdefault(photo.source, []).append(photo)
        self._sources = list(sources.values())

    def draw(self, rng: random.Random) -> Photo:
        """Any photo."""
        return rng.choice(rng.choice(self._sources))

    def crop(self, side: int, rng: random.Random) -> Image.Image:
        """A part of any photo, `side` pixels wide."""
        return pictures.crop(self.draw(rng).open(), side, rng)


class Scenes:
    """Draws scenes.

    Args:
        recipe, vocabulary, fonts: what to write.
        photos: what to write on.
    """

    def __init__(self, recipe: Recipe, vocabulary: Vocabulary, fonts: Sequence[Path], photos: Sources):
        self._recipe, self._rendered, self._fonts, self._photos = recipe, vocabulary.rendered, fonts, photos

    def word(self, rng: random.Random) -> int:
        """The number of a word, sometimes any that is rendered."""
        return rng.randrange(len(self._rendered) if rng.random() < _FURTHER else self._recipe.words)

    def draw(self, rng: random.Random) -> dict[str, Tensor]:
        """Scenes, on whole pictures or on more small ones, where words are most of them.

        Half of them bear one word, once or several times, as the article's label; the others different ones.

        Returns:
            `scenes` and the photos `under` them, (n, 3, side, side) bytes; and of each word its number
            `written`, the number of the scene that it is `on`, and its `boxes` (m, 4) in pixels.
        """
        whole = self._recipe.scene_size
        side = rng.choice((whole, round(_PART * whole)))
        scenes, under, written, on, boxes = [], [], [], [], []
        for number in range(self._recipe.scenes_a_step * whole**2 // side**2):
            photo, words = self._photos.crop(side, rng), self._words(rng)
            texts = [self._rendered[word] for word in words]
            shown, labels = pictures.scene(photo, texts, self._fonts, rng)
            scenes.append(shown)
            under.append(photo)
            written += [words[place] for place, _ in labels]
            boxes += [box for _, box in labels]
            on += [number] * len(labels)
        return {
            "scenes": torch.from_numpy(pictures.stack(scenes)),
            "under": torch.from_numpy(pictures.stack(under)),
            "written": torch.tensor(written),
            "on": torch.tensor(on),
            "boxes": torch.tensor(boxes),
        }

    def _words(self, rng: random.Random) -> list[int]:
        times = rng.choice(_TIMES)
        if rng.random() < 0.5:
            return [self.word(rng)] * times
        return [self.word(rng) for _ in range(times)]


def coverage(boxes: Tensor, grid: Sequence[int]) -> Tensor:
    """How many pixels of each place of a grid boxes cover, (n, h, w).

    Args:
        boxes: (n, 4) left, top, right, bottom in pixels of the picture.
        grid: height and width in places.
    """
    across, down = (_shared(boxes[:, axis], boxes[:, axis + 2], grid[1 - axis]) for axis in (0, 1))
    return down[:, :, None] * across[:, None]


def _shared(starts: Tensor, ends: Tensor, places: int) -> Tensor:
    """(n, places) pixels that intervals share with each place."""
    bounds = PATCH * torch.arange(places + 1, device=starts.device)
    return (torch.minimum(ends[:, None], bounds[1:]) - torch.maximum(starts[:, None], bounds[:-1])).clamp(
        min=0
    )
