"""CLIP's own stage: pictures and their captions, both towers in the loop; and beside it the scenes again.

A few hundred classes of photos say little about the others, so what the untouched network makes of photos is
kept beside it, where it knows them. Most small photos it does not know, so that from these much is learnt.
"""

import random
from collections.abc import Sequence
from pathlib import Path

import torch
from open_clip import ClipLoss
from open_clip.tokenizer import SimpleTokenizer
from torch import Tensor, nn
from torch.utils.data import Dataset

from clipbench.pretrain import pictures
from clipbench.pretrain.image_stage import Lessons
from clipbench.pretrain.loop import Stage
from clipbench.pretrain.photos import Photo
from clipbench.pretrain.recipe import Recipe
from clipbench.pretrain.scenes import Scenes, Sources
from clipbench.pretrain.text_stage import TextTower, tokens_of
from clipbench.pretrain.towers import ImageTower
from clipbench.pretrain.vocabulary import DRAWING, PHOTO, WORD, Vocabulary

_SHARES = {"text": 0.1}  # the image tower comes to meet the text tower, which has its targets from elsewhere
_KEPT = 5.0  # weight of the photos that the untouched network knows
SCALE = 50.0  # between cosine and logit; held, so that a short stage cannot spend itself on it


class BothTowers(nn.Module):
    """What the last stage trains."""

    def __init__(self, image: ImageTower, text: TextTower):
        super().__init__()
        self.image, self.text = image, text


class JointBatches(Dataset):
    """Batch i: photos, drawings and words on whole pictures, each with its caption, none twice; and scenes.

    The first pictures are the photos; `labels` are their classes.
    """

    def __init__(
        self,
        recipe: Recipe,
        vocabulary: Vocabulary,
        fonts: Sequence[Path],
        photos: Sequence[Photo],
        tokenizer: SimpleTokenizer,
    ):
        self._recipe, self._vocabulary, self._fonts = recipe, vocabulary, fonts
        self._named = Sources([photo for photo in photos if photo.label is not None])
        self._scenes, self._tokenizer = Scenes(recipe, vocabulary, fonts, Sources(photos)), tokenizer

    def __getitem__(self, step: int) -> dict[str, Tensor]:
        recipe, known, side = self._recipe, self._vocabulary, self._recipe.scene_size
        rng = random.Random(f"{recipe.seed} joint {step}")
        pairs, labels = {}, {}
        for photo in (self._named.draw(rng) for _ in range(recipe.photos_a_step)):
            caption = PHOTO.format(known.classes[photo.label])
            pairs[caption], labels[caption] = pictures.crop(photo.open(), side, rng), photo.label
        for name in rng.choices(known.drawings, k=2 * recipe.drawings_a_step):
            pairs[DRAWING.format(name)] = pictures.drawn(known.drawn[name], side, rng)
        for word in rng.choices(known.words, k=recipe.photos_a_step):
            pairs[WORD.format(word)] = pictures.written(word, side, self._fonts, rng)
        return {
            "pictures": torch.from_numpy(pictures.stack(list(pairs.values()))),
            "tokens": tokens_of(self._tokenizer, list(pairs)),
            "labels": torch.tensor(list(labels.values())),
            **self._scenes.draw(rng),
        }


def joint_stage(recipe: Recipe, lessons: Lessons, text: TextTower, batches: Dataset) -> Stage:
    """The symmetric contrastive loss of CLIP over pictures and captions; photos are kept, scenes go on.

    Args:
        recipe, text, batches: as everywhere.
        lessons: of the image tower; with the untouched network, whose answers to known photos are kept.
    """
    image, teacher, contrast = lessons.reader.tower, lessons.teacher, ClipLoss()

    def losses(batch: dict[str, Tensor]) -> dict[str, Tensor]:
        early, photos = image.early(batch["pictures"]), slice(len(batch["labels"]))
        embedded = image.embed(image.late(early))
        with torch.no_grad():
            kept = teacher.embed(teacher.late(early[photos]))
            known = (kept @ lessons.classes.T).argmax(1) == batch["labels"]
        apart = 1 - (embedded[photos] * kept).sum(1)
        return {
            "contrast": contrast(embedded, text(batch["tokens"]), SCALE),
            "photos": _KEPT * (apart * known).mean(),
            **lessons.scenes(batch),
        }

    towers = BothTowers(image, text)
    return Stage("joint", towers, batches, losses, recipe.joint_steps, recipe.joint_rate, _SHARES)
