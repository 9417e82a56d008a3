"""Stage 1: the image tower learns to read and to know drawings, and keeps what it knew of photos."""

import random
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, log_softmax, normalize
from torch.utils.data import Dataset

from clipbench.pretrain import pictures
from clipbench.pretrain.loop import Stage
from clipbench.pretrain.photos import LabelledPhoto
from clipbench.pretrain.recipe import Recipe
from clipbench.pretrain.space import Space
from clipbench.pretrain.towers import ImageTower
from clipbench.pretrain.vocabulary import CAPTIONS, DRAWING, WORD, Vocabulary

_FIRST_SCALE = 30.0  # between cosine and logit, learnt from here


class Reader(nn.Module):
    """What stage 1 trains: the image tower and the scale of its logits."""

    def __init__(self, tower: ImageTower):
        super().__init__()
        self.tower = tower
        self.log_scale = nn.Parameter(torch.tensor(_FIRST_SCALE).log())


class ImageBatches(Dataset):
    """Batch i: words on small grounds; and on whole pictures photos, drawings and posters.

    Labels of words count among the words, those of drawings among the drawings' names. A poster's row
    holds its word and its drawings, filled up with -1.
    """

    def __init__(
        self,
        recipe: Recipe,
        vocabulary: Vocabulary,
        fonts: Sequence[Path],
        photos: Sequence[LabelledPhoto],
    ):
        self._recipe, self._vocabulary, self._fonts, self._photos = recipe, vocabulary, fonts, photos

    def __getitem__(self, step: int) -> dict[str, Tensor]:
        recipe, names = self._recipe, self._vocabulary.drawings
        rng = random.Random(f"{recipe.seed} {step}")
        active = recipe.active_words(step)
        words = [rng.randrange(active) for _ in range(recipe.words_a_step)]
        drawn = [rng.randrange(len(names)) for _ in range(recipe.drawings_a_step)]
        posters = [self._poster(rng, active) for _ in range(recipe.posters_a_step)]
        photos = [rng.choice(self._photos).open() for _ in range(recipe.photos_a_step)]
        ease = self._ease(active)
        known = self._vocabulary.words
        tiles = [pictures.word_tile(known[word], self._fonts, rng, ease) for word in words]
        whole = [pictures.crop(photo, recipe.size, rng) for photo in photos]
        whole += [pictures.drawn(names[number], recipe.size, rng) for number in drawn]
        whole += [
            pictures.poster(
                [names[n] for n in shown if n >= 0], known[word], self._fonts, recipe.size, rng, ease
            )
            for word, *shown in posters
        ]
        return {
            "tiles": torch.from_numpy(pictures.stack(tiles)),
            "whole": torch.from_numpy(pictures.stack(whole)),
            "words": torch.tensor(words),
            "drawn": torch.tensor(drawn),
            "posters": torch.tensor(posters),
            "active": torch.tensor(active),
        }

    def _ease(self, active: int) -> float:
        """1 while the first words are learnt, which are large, falling to 0 as their number doubles."""
        first = self._recipe.first_words
        return max(0.0, 1 - (active - first) / first)

    def _poster(self, rng: random.Random, active: int) -> list[int]:
        shown = rng.sample(range(len(self._vocabulary.drawings)), rng.randint(1, 4))
        return [rng.randrange(active), *shown, *[-1] * (4 - len(shown))]


def image_stage(
    recipe: Recipe,
    vocabulary: Vocabulary,
    space: Space,
    tower: ImageTower,
    teacher: ImageTower,
    batches: Dataset,
) -> Stage:
    """Words, drawings and posters by name; photos by what the untouched network makes of the same crop."""
    reader = Reader(tower)
    device = next(tower.parameters()).device
    word_rows, drawing_rows = space.rows(vocabulary.words), space.rows(vocabulary.drawings)
    word_targets = space.targets(word_rows, CAPTIONS[WORD]).to(device)
    drawing_targets = space.targets(drawing_rows, CAPTIONS[DRAWING]).to(device)
    word_units, drawing_units = (space.units[rows].to(device) for rows in (word_rows, drawing_rows))
    n_photos, n_drawn = recipe.photos_a_step, recipe.drawings_a_step

    def losses(batch: dict[str, Tensor]) -> dict[str, Tensor]:
        active, scale = int(batch["active"]), reader.log_scale.exp().clamp(max=100)
        targets = torch.cat([word_targets[:active], drawing_targets])
        tile_units, early = tower.late(tower.early(batch["tiles"])), tower.early(batch["whole"])
        whole_units = tower.late(early)
        tiles, whole = tower.embed(tile_units), tower.embed(whole_units)
        drawn = slice(n_photos, n_photos + n_drawn)
        posters = batch["posters"].clone()
        posters[:, 1:] += active * (posters[:, 1:] >= 0)  # drawings come after the words
        with torch.no_grad():
            kept_units = teacher.late(early[:n_photos])
            kept = teacher.embed(kept_units)
        aligned = _alignment(tile_units, word_units[batch["words"]]) + _alignment(
            whole_units[drawn], drawing_units[batch["drawn"]]
        )
        return {
            "words": _among(scale * tiles @ targets[:active].T, batch["words"][:, None]),
            "drawings": 0.4 * _among(scale * whole[drawn] @ drawing_targets.T, batch["drawn"][:, None]),
            "posters": 0.4 * _among(scale * whole[drawn.stop :] @ targets.T, posters),
            "photos": recipe.photo_weight * (1 - (whole[:n_photos] * kept).sum(1).mean()),
            "units": recipe.unit_weight * (aligned + _apart(whole_units[:n_photos], kept_units)),
        }

    return Stage("image", reader, batches, losses, recipe.image_steps, recipe.image_rate)


def _among(logits: Tensor, present: Tensor) -> Tensor:
    """Cross entropy with all that is present in a picture, equally; -1 stands for nothing."""
    chances = log_softmax(logits, 1).gather(1, present.clamp(min=0))
    there = (present >= 0).float()
    return -((chances * there).sum(1) / there.sum(1)).mean()


def _alignment(units: Tensor, wanted: Tensor) -> Tensor:
    """One minus cosine between how pictures differ from their batch's mean and what they should do."""
    pooled = units.mean((2, 3))
    return 1 - (normalize(pooled - pooled.mean(0), dim=1) * wanted).sum(1).mean()


def _apart(units: Tensor, kept: Tensor) -> Tensor:
    return 1 - cosine_similarity(units.flatten(1), kept.flatten(1)).mean()
