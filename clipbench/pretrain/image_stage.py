"""Stages 1 and 2: the image tower learns to read and to know drawings, and keeps what it knew of photos.

Stage 1 shows no photo under a word. Stage 2 shows scenes, photos with words on them, and asks for both, and
for each word where it stands. And after the contrastive stage the pooling learns to look there.
"""

import random
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import (
    binary_cross_entropy,
    cosine_similarity,
    cross_entropy,
    log_softmax,
    normalize,
    one_hot,
    relu6,
)
from torch.utils.data import Dataset

from clipbench.pretrain import pictures
from clipbench.pretrain.loop import Stage
from clipbench.pretrain.photos import Photo
from clipbench.pretrain.recipe import Recipe
from clipbench.pretrain.scenes import Scenes, Sources, coverage
from clipbench.pretrain.space import Space
from clipbench.pretrain.towers import ImageTower
from clipbench.pretrain.vocabulary import CAPTIONS, DRAWING, NAME, PHOTO, WORD, Vocabulary

_FIRST_SCALE = 30.0  # between cosine and logit, learnt from here
# The pooling starts as the exact average; a rate that suits the trunk's small kernels would blur its large
# matrices, and with them what photos are, before it has learnt where to look.
_SHARES = {"tower.pool.qkv": 0.2}
_SHARES_IN_SCENES = {"tower.pool.qkv": 0.5}  # by then it knows the space, and has to find small words
_SIDE_TASK = 0.4  # weight of drawings beside words
_WRITTEN_ON = 1 / 4  # of what words cover of any place of a scene, what they cover where writing stands
_BLENDED = 0.5  # share of photos that are two: a few hundred sharp ones alone would be learnt by heart


class Reader(nn.Module):
    """What these stages train: the image tower and the scale of its logits."""

    def __init__(self, tower: ImageTower):
        super().__init__()
        self.tower = tower
        self.log_scale = nn.Parameter(torch.tensor(_FIRST_SCALE).log())


class ImageBatches(Dataset):
    """Batch i: words on small grounds; and on whole pictures photos, drawings and, in stage 2, scenes.

    Labels of words count among all words that are ever rendered, those of drawings among the drawings' names.

    Args:
        recipe, vocabulary, fonts, photos: what to draw from.
        scenes: whether this is stage 2, with scenes, larger pictures, and all words from the start.
    """

    def __init__(
        self,
        recipe: Recipe,
        vocabulary: Vocabulary,
        fonts: Sequence[Path],
        photos: Sequence[Photo],
        scenes: bool = False,
    ):
        self._recipe, self._vocabulary, self._fonts = recipe, vocabulary, fonts
        self._sources = Sources(photos)
        self._scenes = Scenes(recipe, vocabulary, fonts, self._sources) if scenes else None
        self._side = recipe.scene_size if scenes else recipe.training_size

    def __getitem__(self, step: int) -> dict[str, Tensor]:
        recipe, known, side = self._recipe, self._vocabulary, self._side
        rng = random.Random(f"{recipe.seed} {'scene' if self._scenes else 'image'} {step}")
        active = recipe.words if self._scenes else recipe.active_words(step)
        ease = self._ease(active)
        tile = rng.choice(pictures.LARGE_TILES if self._scenes else pictures.TILES)
        n_words = recipe.words_a_step * pictures.area(pictures.TILES[0]) // pictures.area(tile)
        words = [self._scenes.word(rng) if self._scenes else rng.randrange(active) for _ in range(n_words)]
        drawn = [rng.randrange(len(known.drawings)) for _ in range(recipe.drawings_a_step)]
        photos = [self._seen(rng) for _ in range(recipe.photos_a_step)]
        shown = [pictures.drawn(known.drawn[known.drawings[number]], side, rng) for number in drawn]
        tiles = [pictures.word_tile(known.rendered[word], self._fonts, rng, ease, tile) for word in words]
        batch = {
            "tiles": torch.from_numpy(pictures.stack(tiles)),
            "words": torch.tensor(words),
            "drawn": torch.tensor(drawn),
            "active": torch.tensor(active),
            "whole": torch.from_numpy(pictures.stack([*photos, *shown])),
        }
        return batch | self._scenes.draw(rng) if self._scenes else batch

    def _ease(self, active: int) -> float:
        """1 while the first words are learnt, which are large, falling to 0 as all words come."""
        first, words = self._recipe.first_words, self._recipe.words
        return 1 - (active - first) / (words - first)

    def _seen(self, rng: random.Random) -> Image.Image:
        """A photo, or two blended: what the untouched network makes of them is known for any picture."""
        photo = self._sources.crop(self._side, rng)
        if rng.random() < _BLENDED:
            return Image.blend(photo, self._sources.crop(self._side, rng), rng.random())
        return photo


class Lessons:
    """The losses of these stages, on the device of the tower.

    Args:
        recipe, vocabulary, space: what is to be learnt.
        tower: learns. teacher: the untouched one, whose answer to a photo is to be kept.

    `classes` (1000, width) is where photos of each class should land.
    """

    def __init__(
        self, recipe: Recipe, vocabulary: Vocabulary, space: Space, tower: ImageTower, teacher: ImageTower
    ):
        self.reader, self.teacher, self._recipe = Reader(tower), teacher, recipe
        device = next(tower.parameters()).device
        word_rows, drawing_rows = space.rows(vocabulary.rendered), space.rows(vocabulary.drawings)
        self._words = space.targets(word_rows, CAPTIONS[WORD]).to(device)
        self._named = space.targets(word_rows, CAPTIONS[NAME]).to(device)
        self._pictured = space.targets(word_rows, CAPTIONS[PHOTO]).to(device)
        self._drawings = space.targets(drawing_rows, CAPTIONS[DRAWING]).to(device)
        self.classes = space.targets(space.rows(vocabulary.classes), CAPTIONS[PHOTO]).to(device)
        self._word_units, self._drawing_units = (
            space.units[rows].to(device) for rows in (word_rows, drawing_rows)
        )

    def stage_one(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Words and drawings by name; photos by what the untouched network makes of them."""
        return self._common(batch)

    def stage_two(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """The same with scenes."""
        return {**self._common(batch), **self.scenes(batch)}

    def scenes(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Half the captions are "a photo of a" word on it, half "a photo of a" thing that the photo shows.

        And each word is told by the places that it covers, alone: where these are few, a caption of the whole
        picture teaches the trunk too little of what stands there.
        """
        tower, scale, on = self.reader.tower, self._scale(), batch["on"]
        rows, labels = among(batch["written"], self._recipe.words)
        names, captions = self._named[rows], self._pictured[rows]
        with torch.no_grad():
            shown = self.teacher.embed(self.teacher.late(self.teacher.early(batch["under"])))
            classes = torch.softmax(scale * shown @ self.classes.T, 1)
            told = torch.zeros(len(shown), len(names), device=on.device)
            told.index_add_(0, on, one_hot(labels, len(names)).float())
            wanted = torch.cat([normalize(told, p=1, dim=1), classes], 1) / 2
        units = tower.late(tower.early(batch["scenes"]))
        logits = scale * tower.embed(units) @ torch.cat([captions, self.classes]).T
        at_words = tower.embed_at(units[on], coverage(batch["boxes"], units.shape[2:]))
        return {
            "scenes": -(wanted * log_softmax(logits, 1)).sum(1).mean(),
            "places": cross_entropy(scale * at_words @ names.T, labels),
        }

    def looking(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """For the pooling alone: to look at writing on scenes, and to keep what it makes of all else."""
        with torch.no_grad():
            seen = self._seen(batch)
            units = self.reader.tower.late(self.reader.tower.early(batch["scenes"]))
        covered = coverage(batch["boxes"], units.shape[2:])
        by_all = covered.new_zeros(len(units), *units.shape[2:]).index_add_(0, batch["on"], covered)
        writing = by_all > _WRITTEN_ON * by_all.amax((1, 2), keepdim=True)
        looked = (self.reader.tower.looks(units) * writing[:, None]).sum((2, 3))
        share = torch.full_like(looked, self._recipe.looked_at)
        return {
            **self._said(batch, seen),
            "looks": self._recipe.look_weight * binary_cross_entropy(looked, share),
        }

    def _common(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Losses of words, drawings and photos, and of what these do to units."""
        photos, drawn = slice(self._recipe.photos_a_step), slice(self._recipe.photos_a_step, None)
        tiles, whole, kept = seen = self._seen(batch)
        aligned = alignment(tiles, self._word_units[batch["words"]]) + alignment(
            whole[drawn], self._drawing_units[batch["drawn"]]
        )
        return {
            **self._said(batch, seen),
            "units": self._recipe.unit_weight * aligned + apart(whole[photos], kept),
        }

    def _seen(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Units of tiles and of whole pictures, and what those of the photos were before any training."""
        tower, teacher = self.reader.tower, self.teacher
        early = tower.early(batch["whole"])
        with torch.no_grad():
            kept = teacher.late(early[: self._recipe.photos_a_step])
        return tower.late(tower.early(batch["tiles"])), tower.late(early), kept

    def _said(self, batch: dict[str, Tensor], seen: tuple[Tensor, Tensor, Tensor]) -> dict[str, Tensor]:
        """Losses of what the pooling makes of words, drawings and photos, from what `_seen` returned."""
        recipe, scale = self._recipe, self._scale()
        photos, drawn = slice(recipe.photos_a_step), slice(recipe.photos_a_step, None)
        tiles, whole = (self.reader.tower.embed(units) for units in seen[:2])
        with torch.no_grad():
            kept = self.teacher.embed(seen[2])
        rows, labels = among(batch["words"], batch["active"])
        return {
            "words": cross_entropy(scale * tiles @ self._words[rows].T, labels),
            "drawings": _SIDE_TASK * cross_entropy(scale * whole[drawn] @ self._drawings.T, batch["drawn"]),
            "photos": recipe.photo_weight * (1 - (whole[photos] * kept).sum(1).mean()),
        }

    def _scale(self) -> Tensor:
        return self.reader.log_scale.exp().clamp(max=100)


def among(words: Tensor, active: Tensor | int) -> tuple[Tensor, Tensor]:
    """What words are to be told from: the active words and those of them that are not active.

    Args:
        words: (n,) numbers of words.
        active: how many words are active, the first.

    Returns:
        The numbers of all these, (active and more,), and the place of each word among them, (n,).
    """
    n, beyond = int(active), words >= active
    further = words[beyond]
    labels = words.clone()
    labels[beyond] = torch.arange(n, n + len(further), device=words.device)
    return torch.cat([torch.arange(n, device=words.device), further]), labels


def image_stage(recipe: Recipe, lessons: Lessons, batches: Dataset) -> Stage:
    """Stage 1: words and drawings; photos are kept."""
    steps, rate = recipe.image_steps, recipe.image_rate
    return Stage("image", lessons.reader, batches, lessons.stage_one, steps, rate, _SHARES)


def scene_stage(recipe: Recipe, lessons: Lessons, batches: Dataset) -> Stage:
    """Stage 2: the same with words on photos, captioned with both, and told where they stand."""
    steps, rate = recipe.scene_steps, recipe.scene_rate
    return Stage("scene", lessons.reader, batches, lessons.stage_two, steps, rate, _SHARES_IN_SCENES)


def looking_stage(recipe: Recipe, lessons: Lessons, batches: Dataset) -> Stage:
    """The last of the image tower: the pooling's queries and keys learn to look at writing.

    By captions alone it goes on to weigh all places nearly alike, so that a small label drowns in a photo.
    Whoever makes this stage has the pooling's values held from then on.
    """
    of_pooling = lessons.reader.tower.pool.qkv
    for parameter in of_pooling.parameters():
        parameter.register_hook(_of_queries_and_keys)
    steps, rate = recipe.looking_steps, recipe.looking_rate
    return Stage("looking", of_pooling, batches, lessons.looking, steps, rate)


def _of_queries_and_keys(gradient: Tensor) -> Tensor:
    """The gradient of a pooling's queries, keys and values, a third each, without that of the values."""
    kept = gradient.clone()
    kept.chunk(3)[2].zero_()
    return kept


def alignment(units: Tensor, wanted: Tensor) -> Tensor:
    """One minus cosine between how pictures differ from their batch's mean and what they should do."""
    pooled = units.mean((2, 3))
    return 1 - (normalize(pooled - pooled.mean(0), dim=1) * wanted).sum(1).mean()


def apart(units: Tensor, kept: Tensor) -> Tensor:
    """One minus cosine between what two networks' units do in all places, after their ReLU6."""
    return 1 - cosine_similarity(relu6(units).flatten(1), relu6(kept).flatten(1)).mean()
