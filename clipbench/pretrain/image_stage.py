"""Stages 1 and 2: the image tower learns to read and to know drawings, and keeps what it knew of photos.

Stage 1 shows no photo under a word. Stage 2 shows scenes, photos with a word on them, and asks for both.
"""

import random
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, cross_entropy, normalize, relu6
from torch.utils.data import Dataset

from clipbench.pretrain import pictures
from clipbench.pretrain.grown import GrownTower
from clipbench.pretrain.loop import Stage
from clipbench.pretrain.photos import LabelledPhoto
from clipbench.pretrain.pictures import LETTERS
from clipbench.pretrain.recipe import Recipe
from clipbench.pretrain.space import Space
from clipbench.pretrain.vocabulary import CAPTIONS, DRAWING, WORD, Vocabulary

_FIRST_SCALE = 30.0  # between cosine and logit, learnt from here
# What is new can be learnt fast; what photos are would be lost.
_SHARES = {"tower.coarse": 0.4, "tower.head": 0.4, "tower.proj": 0.2}
_SIDE_TASK = 0.4  # weight of letters, and of drawings, beside words
_BLENDED = 0.5  # share of photos that are two: a few hundred sharp ones alone would be learnt by heart
_FURTHER = 0.4  # share of written words that are any of thousands, so that spelling is read, not shapes
_CELL, _SLOT = 16, 8  # pixels of the places where letters are asked for: two side by side in each


class Reader(nn.Module):
    """What these stages train: the image tower, the scale of its logits, and where letters are read off."""

    def __init__(self, tower: GrownTower):
        super().__init__()
        self.tower = tower
        self.log_scale = nn.Parameter(torch.tensor(_FIRST_SCALE).log())
        channels = tower.coarse[0].conv_pw.in_channels
        self.letters = nn.Sequential(nn.GroupNorm(1, channels), nn.Conv2d(channels, 2 * len(LETTERS), 1))
        nn.init.zeros_(self.letters[1].weight)  # two runs start alike


class WordBatches(Dataset):
    """Batch i: words on small grounds, few and large ones at first; and small photos, without a word.

    Args:
        recipe, vocabulary, fonts, photos: what to draw from.
    """

    def __init__(
        self, recipe: Recipe, vocabulary: Vocabulary, fonts: Sequence[Path], photos: Sequence[LabelledPhoto]
    ):
        self._recipe, self._vocabulary, self._fonts = recipe, vocabulary, fonts
        self._sources = by_source(photos)

    def __getitem__(self, step: int) -> dict[str, Tensor]:
        recipe = self._recipe
        rng = random.Random(f"{recipe.seed} words {step}")
        tiles = self._words(recipe.active_words(step), recipe.words_a_step, pictures.TILES, rng)
        return _tensors(tiles | {"photos": self._photos(recipe.small_size, rng)})

    def _words(self, active: int, most: int, sizes: Sequence[tuple[int, int]], rng: random.Random) -> dict:
        """Words on grounds of one of the sizes: `most` on the smallest, on others what costs the same."""
        known, recipe, size = self._vocabulary, self._recipe, rng.choice(sizes)
        ease = 1 - (active - recipe.first_words) / (recipe.words - recipe.first_words)
        number = max(1, most * pictures.area(pictures.TILES[0]) // pictures.area(size))
        words = [self._word(active, _FURTHER * (1 - ease), rng) for _ in range(number)]
        tiles, spots = zip(
            *(pictures.word_tile(known.rendered[word], self._fonts, rng, ease, size) for word in words),
            strict=True,
        )
        letters = [(tile, *spot) for tile, found in enumerate(spots) for spot in found]
        return {"tiles": tiles, "words": words, "letters": letters, "active": active}

    def _word(self, active: int, further: float, rng: random.Random) -> int:
        """One of the active words or, with the chance `further`, any that is rendered."""
        return rng.randrange(len(self._vocabulary.rendered) if rng.random() < further else active)

    def _photos(self, side: int, rng: random.Random) -> list[Image.Image]:
        """Photos, half of them blends of two: what the untouched network makes of any picture is known."""
        shown = [self._photo(side, rng) for _ in range(self._recipe.photos_a_step)]
        return [
            Image.blend(photo, self._photo(side, rng), rng.random()) if rng.random() < _BLENDED else photo
            for photo in shown
        ]

    def _photo(self, side: int, rng: random.Random) -> Image.Image:
        photo = rng.choice(rng.choice(self._sources))
        return pictures.crop(photo.open(), side, rng)


class ImageBatches(WordBatches):
    """Batch i: all words, drawings, photos; and posters or, in stage 2, scenes.

    A poster is a drawing with an unrelated word written on and beside it; a scene is a photo with a word on
    it, and comes with the photo that it was written on.

    Args:
        recipe, vocabulary, fonts, photos: what to draw from.
        scenes: whether this is stage 2.
    """

    def __init__(
        self,
        recipe: Recipe,
        vocabulary: Vocabulary,
        fonts: Sequence[Path],
        photos: Sequence[LabelledPhoto],
        scenes: bool = False,
    ):
        super().__init__(recipe, vocabulary, fonts, photos)
        self._scenes, self._side = scenes, recipe.scene_size if scenes else recipe.training_size

    def __getitem__(self, step: int) -> dict[str, Tensor]:
        recipe, names = self._recipe, self._vocabulary.drawings
        rng = random.Random(f"{recipe.seed} {'scene' if self._scenes else 'image'} {step}")
        tiles = self._words(recipe.words, recipe.words_a_step // 2, pictures.ALL_TILES, rng)
        drawn = [rng.randrange(len(names)) for _ in range(recipe.drawings_a_step)]
        others = {
            "drawings": [pictures.drawn(names[number], recipe.small_size, rng) for number in drawn],
            "drawn": drawn,
            "photos": self._photos(self._side, rng),
        }
        both = self._written_on_photos(rng) if self._scenes else self._posters(rng)
        return _tensors(tiles | others | both)

    def _posters(self, rng: random.Random) -> dict:
        known, numbers = self._vocabulary, range(self._recipe.posters_a_step)
        words = [self._word(len(known.words), _FURTHER, rng) for _ in numbers]
        drawn = [rng.randrange(len(known.drawings)) for _ in numbers]
        posters = [
            pictures.poster(known.drawings[drawing], known.rendered[word], self._side, self._fonts, rng)
            for word, drawing in zip(words, drawn, strict=True)
        ]
        return {"scenes": posters, "written": words, "beside": drawn}

    def _written_on_photos(self, rng: random.Random) -> dict:
        known, under = (
            self._vocabulary,
            [self._photo(self._side, rng) for _ in range(self._recipe.scenes_a_step)],
        )
        words = [self._word(len(known.words), _FURTHER / 2, rng) for _ in under]
        scenes = [
            pictures.scene(photo, known.rendered[word], self._fonts, rng)
            for photo, word in zip(under, words, strict=True)
        ]
        return {"scenes": scenes, "written": words, "under": under}


def _tensors(batch: dict) -> dict[str, Tensor]:
    """Lists of pictures as bytes (n, 3, h, w), all else as numbers."""
    return {
        name: torch.from_numpy(pictures.stack(value))
        if name in ("tiles", "drawings", "photos", "scenes", "under")
        else torch.tensor(value)
        for name, value in batch.items()
    }


class Lessons:
    """The losses of both stages, on the device of the tower.

    Args:
        recipe, vocabulary, space: what is to be learnt.
        tower: learns, and holds the untouched network, whose answer to a photo is to be kept.
    """

    def __init__(self, recipe: Recipe, vocabulary: Vocabulary, space: Space, tower: GrownTower):
        self.reader, self._recipe = Reader(tower), recipe
        device = next(tower.parameters()).device
        word_rows, drawing_rows = space.rows(vocabulary.rendered), space.rows(vocabulary.drawings)
        self._words = space.targets(word_rows, CAPTIONS[WORD]).to(device)
        self._drawings = space.targets(drawing_rows, CAPTIONS[DRAWING]).to(device)
        self._word_units, self._drawing_units = (
            space.units[rows].to(device) for rows in (word_rows, drawing_rows)
        )
        self._untouched = tower.proj.weight.detach().clone()

    def reading(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Words by letters, by name and in units; photos by what the untouched network makes of them."""
        losses, aligned = self._of_tiles(batch)
        kept = self._of_photos(batch["photos"])
        return losses | kept | {"units": self._recipe.unit_weight * aligned}

    def stage_one(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The same, drawings by name and in units, and posters by both their contents."""
        return self._common(batch) | self._of_scenes(batch, self._drawings[batch["beside"]])

    def stage_two(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The same with scenes: half the caption is the word, half what the untouched photo shows."""
        with torch.no_grad():
            under = self._kept(self.reader.tower.old(batch["under"]))
        return self._common(batch) | self._of_scenes(batch, under)

    def _common(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        tower = self.reader.tower
        losses, aligned = self._of_tiles(batch)
        units, _ = self._seen(batch["drawings"])
        aligned = aligned + alignment(units, self._drawing_units[batch["drawn"]])
        named = self._scale() * tower.embed(units) @ self._drawings.T
        return (
            losses
            | self._of_photos(batch["photos"])
            | {
                "drawings": _SIDE_TASK * cross_entropy(named, batch["drawn"]),
                "units": self._recipe.unit_weight * aligned,
            }
        )

    def _of_photos(self, photos: Tensor) -> dict[str, Tensor]:
        """How far photos went from where the untouched network has them, in the space and in the units."""
        tower, (units, old) = self.reader.tower, self._seen(photos)
        kept = (tower.embed(units) * self._kept(old)).sum(1).mean()
        return {"photos": self._recipe.photo_weight * (1 - kept) + apart(units, tower.untouched(old))}

    def _of_tiles(self, batch: dict[str, Tensor]) -> tuple[dict[str, Tensor], Tensor]:
        tower = self.reader.tower
        old, new = tower.late(tower.early(batch["tiles"]))
        read = self.reader.letters(torch.cat([old, new], 1))
        units = tower.units(old, new)
        losses = {
            "words": self._of_words(tower.embed(units), batch["words"], batch["active"]),
            "letters": _SIDE_TASK * of_letters(read, batch["letters"]),
        }
        return losses, alignment(units, self._word_units[batch["words"]])

    def _of_scenes(self, batch: dict[str, Tensor], other: Tensor) -> dict[str, Tensor]:
        """Both contents alike: near to the middle of both, and the word told from other words."""
        units, _ = self._seen(batch["scenes"])
        seen = self.reader.tower.embed(units)
        both = normalize(other + self._words[batch["written"]], dim=1)
        near = self._recipe.scene_weight * (1 - (seen * both).sum(1).mean())
        return {"scenes": near + 0.5 * self._of_words(seen, batch["written"], batch["active"])}

    def _of_words(self, seen: Tensor, words: Tensor, active: Tensor) -> Tensor:
        """Cross entropy among the first words, and those of the batch that are not among them."""
        n, beyond = int(active), words >= active
        targets = torch.cat([self._words[:n], self._words[words[beyond]]])
        labels = words.clone()
        labels[beyond] = torch.arange(n, len(targets), device=words.device)
        return cross_entropy(self._scale() * seen @ targets.T, labels)

    def _seen(self, shown: Tensor) -> tuple[Tensor, Tensor]:
        tower = self.reader.tower
        old, new = tower.seen(shown)
        return tower.units(old, new), old

    def _kept(self, old: Tensor) -> Tensor:
        """What the untouched network makes of a picture, (n, width)."""
        units = self.reader.tower.untouched(old)
        return normalize(relu6(units).mean((2, 3)) @ self._untouched.T, dim=1)

    def _scale(self) -> Tensor:
        return self.reader.log_scale.exp().clamp(max=100)


def of_letters(read: Tensor, spots: Tensor) -> Tensor:
    """Cross entropy of letters where they lie.

    Args:
        read: (n, 2 · 26, h, w), for the left and the right half of each place.
        spots: (m, 4) picture, letter, and pixels from the left and the top.
    """
    picture, letter = spots[:, 0].long(), spots[:, 1].long()
    x, y = spots[:, 2], spots[:, 3]
    across, down = (x / _CELL).long(), (y / _CELL).long()
    half = (x / _SLOT).long() % 2
    at = read.unflatten(1, (2, len(LETTERS)))[picture, half, :, down, across]
    return cross_entropy(at, letter)


def word_stage(recipe: Recipe, lessons: Lessons, batches: Dataset) -> Stage:
    """The start of stage 1: reading alone. It does not begin among the slopes of other, larger pictures."""
    steps, rate = recipe.word_steps, recipe.word_rate
    return Stage("word", lessons.reader, batches, lessons.reading, steps, rate, _SHARES)


def image_stage(recipe: Recipe, lessons: Lessons, batches: Dataset) -> Stage:
    """Stage 1: words, drawings and posters; photos are kept."""
    steps, rate = recipe.image_steps, recipe.image_rate
    return Stage("image", lessons.reader, batches, lessons.stage_one, steps, rate, _SHARES)


def scene_stage(recipe: Recipe, lessons: Lessons, batches: Dataset) -> Stage:
    """Stage 2: the same with words on photos, captioned with both."""
    steps, rate = recipe.scene_steps, recipe.scene_rate
    return Stage("scene", lessons.reader, batches, lessons.stage_two, steps, rate, _SHARES)


def by_source(photos: Sequence[LabelledPhoto]) -> list[list[LabelledPhoto]]:
    """The photos of each source apart, so that each is seen as often as the others, whatever its size."""
    sources: dict[int, list[LabelledPhoto]] = {}
    for photo in photos:
        sources.setdefault(photo.source, []).append(photo)
    return list(sources.values())


def alignment(units: Tensor, wanted: Tensor) -> Tensor:
    """One minus cosine between how pictures differ from their batch's mean and what they should do."""
    pooled = units.mean((2, 3))
    return 1 - (normalize(pooled - pooled.mean(0), dim=1) * wanted).sum(1).mean()


def apart(units: Tensor, kept: Tensor) -> Tensor:
    """One minus cosine between what two networks' units do in all places, after their ReLU6."""
    return 1 - cosine_similarity(relu6(units).flatten(1), relu6(kept).flatten(1)).mean()
