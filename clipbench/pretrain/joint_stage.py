"""The last stage is CLIP's own: pictures and their captions, both towers in the loop."""

import random
from collections.abc import Sequence
from pathlib import Path

import torch
from open_clip import ClipLoss
from open_clip.tokenizer import SimpleTokenizer
from torch import Tensor, nn
from torch.utils.data import Dataset

from clipbench.pretrain import pictures
from clipbench.pretrain.loop import Stage
from clipbench.pretrain.photos import LabelledPhoto
from clipbench.pretrain.recipe import Recipe
from clipbench.pretrain.text_stage import TextTower, tokens_of
from clipbench.pretrain.towers import ImageTower
from clipbench.pretrain.vocabulary import DRAWING, PHOTO, WORD, Vocabulary

_SCALE = 50.0  # between cosine and logit; held, so that a short stage cannot spend itself on it


class BothTowers(nn.Module):
    """What the last stage trains."""

    def __init__(self, image: ImageTower, text: TextTower):
        super().__init__()
        self.image, self.text = image, text


class JointBatches(Dataset):
    """Batch i: photos, drawings and words on whole pictures, each with its caption, none twice."""

    def __init__(
        self,
        recipe: Recipe,
        vocabulary: Vocabulary,
        fonts: Sequence[Path],
        photos: Sequence[LabelledPhoto],
        tokenizer: SimpleTokenizer,
    ):
        self._recipe, self._vocabulary, self._fonts = recipe, vocabulary, fonts
        self._photos, self._tokenizer = photos, tokenizer

    def __getitem__(self, step: int) -> dict[str, Tensor]:
        recipe, known, side = self._recipe, self._vocabulary, self._recipe.scene_size
        rng = random.Random(f"{recipe.seed} joint {step}")
        pairs = {}
        for photo in rng.choices(self._photos, k=recipe.photos_a_step):
            caption = PHOTO.format(known.classes[photo.label])
            pairs[caption] = pictures.crop(photo.open(), side, rng)
        for name in rng.choices(known.drawings, k=2 * recipe.drawings_a_step):
            pairs[DRAWING.format(name)] = pictures.drawn(name, side, rng)
        for word in rng.choices(known.words, k=2 * recipe.photos_a_step):
            picture = pictures.ground((side, side), rng)
            pictures.write(picture, word, rng.choice(self._fonts), pictures.letter_size(rng, 0.5), rng)
            pairs[WORD.format(word)] = picture
        return {
            "pictures": torch.from_numpy(pictures.stack(list(pairs.values()))),
            "tokens": tokens_of(self._tokenizer, list(pairs)),
        }


def joint_stage(recipe: Recipe, image: ImageTower, text: TextTower, batches: Dataset) -> Stage:
    """The symmetric contrastive loss of CLIP over pictures and captions."""
    towers, contrast = BothTowers(image, text), ClipLoss()

    def losses(batch: dict[str, Tensor]) -> dict[str, Tensor]:
        embedded = image.embed(image.late(image.early(batch["pictures"])))
        return {"contrast": contrast(embedded, text(batch["tokens"]), _SCALE)}

    return Stage("joint", towers, batches, losses, recipe.joint_steps, recipe.joint_rate)
