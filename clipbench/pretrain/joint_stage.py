"""CLIP's own stage: pictures and their captions, both towers in the loop.

A few hundred classes of photos say little about the others, so what the untouched network makes of photos is
kept beside it, where it knows them. Most small photos it does not know, so that from these much is learnt.
"""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from open_clip import ClipLoss
from open_clip.tokenizer import SimpleTokenizer
from torch import Tensor, nn
from torch.utils.data import Dataset

from clipbench.pretrain import pictures
from clipbench.pretrain.image_stage import by_source
from clipbench.pretrain.loop import Stage
from clipbench.pretrain.photos import LabelledPhoto
from clipbench.pretrain.recipe import Recipe
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
    """Batch i: photos, drawings and words on whole pictures, each with its caption, none twice.

    The first pictures are the photos; `labels` are their classes.
    """

    def __init__(
        self,
        recipe: Recipe,
        vocabulary: Vocabulary,
        fonts: Sequence[Path],
        photos: Sequence[LabelledPhoto],
        tokenizer: SimpleTokenizer,
    ):
        self._recipe, self._vocabulary, self._fonts = recipe, vocabulary, fonts
        self._sources, self._tokenizer = by_source(photos), tokenizer

    def __getitem__(self, step: int) -> dict[str, Tensor]:
        recipe, known, side = self._recipe, self._vocabulary, self._recipe.scene_size
        rng = random.Random(f"{recipe.seed} joint {step}")
        pairs, labels = {}, {}
        for photo in (rng.choice(rng.choice(self._sources)) for _ in range(recipe.photos_a_step)):
            caption = PHOTO.format(known.classes[photo.label])
            pairs[caption], labels[caption] = pictures.crop(photo.open(), side, rng), photo.label
        for name in rng.choices(known.drawings, k=2 * recipe.drawings_a_step):
            pairs[DRAWING.format(name)] = pictures.drawn(name, side, rng)
        for word in rng.choices(known.words, k=2 * recipe.photos_a_step):
            pairs[WORD.format(word)] = pictures.written(word, side, self._fonts, rng)
        return {
            "pictures": torch.from_numpy(pictures.stack(list(pairs.values()))),
            "tokens": tokens_of(self._tokenizer, list(pairs)),
            "labels": torch.tensor(list(labels.values())),
        }


def joint_stage(
    recipe: Recipe, image: ImageTower, text: TextTower, teacher: ImageTower, classes: Tensor, batches: Dataset
) -> Stage:
    """The symmetric contrastive loss of CLIP over pictures and captions; photos are kept.

    Args:
        recipe, image, text, batches: as everywhere.
        teacher: the untouched network, whose answers to photos that it knows are kept.
        classes: (1000, width) where photos of each class should land.
    """
    towers, contrast = BothTowers(image, text), ClipLoss()

    def losses(batch: dict[str, Tensor]) -> dict[str, Tensor]:
        early, photos = image.early(batch["pictures"]), slice(len(batch["labels"]))
        embedded = image.embed(image.late(early))
        with torch.no_grad():
            kept = teacher.embed(teacher.late(early[photos]))
            known = (kept @ classes.T).argmax(1) == batch["labels"]
        apart = 1 - (embedded[photos] * kept).sum(1)
        return {
            "contrast": contrast(embedded, text(batch["tokens"]), SCALE),
            "photos": _KEPT * (apart * known).mean(),
        }

    return Stage("joint", towers, batches, losses, recipe.joint_steps, recipe.joint_rate, _SHARES)


def part_way(image: ImageTower, before: Mapping[str, Tensor], share: float) -> None:
    """Leave the image tower at a share of the way that it went since `before`, its state then.

    The stage gives to small photos and takes from words on photos, of which it shows none; the mean of both
    states has most of either.

    Source: Wortsman et al. 2022, "Robust fine-tuning of zero-shot models".
    """
    image.load_state_dict({name: before[name].lerp(now, share) for name, now in image.state_dict().items()})
