"""The text tower goes to meet the image tower, which is locked: to where it puts words and drawings.

What the image tower makes of a written word is some way off the word's target; of that the text tower is told
here, and beside it again of all targets. Photos have no part: the names of the classes are what other texts
are measured by, and photos of a few hundred of them would shift these against the rest.

Source: Zhai et al. 2022, "LiT: Zero-Shot Transfer with Locked-image text Tuning".
"""

import math
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from open_clip import ClipLoss
from open_clip.tokenizer import SimpleTokenizer
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from clipbench.pretrain import pictures
from clipbench.pretrain.checkpoints import Checkpoints
from clipbench.pretrain.joint_stage import SCALE
from clipbench.pretrain.loop import SAVE_EVERY, Progress, Stage, in_order
from clipbench.pretrain.recipe import Recipe
from clipbench.pretrain.text_stage import TextBatches, TextTower, distillation, tokens_of
from clipbench.pretrain.towers import ImageTower
from clipbench.pretrain.vocabulary import DRAWING, WORD, Vocabulary

SEEN = "seen"  # the checkpoint with what the image tower makes of the pictures
_AT_ONCE = 64  # pictures
_TOLD = 100.0  # weight of the targets: nothing of what was learnt of them is to be lost


class Shown(Dataset):
    """Item i: 64 pictures, of the words and then of the drawings, over and over.

    `captions` are theirs: picture j, counted over all items, bears number j modulo their number.
    """

    def __init__(self, recipe: Recipe, vocabulary: Vocabulary, fonts: Sequence[Path]):
        self._recipe, self._fonts, self._words = recipe, fonts, len(vocabulary.words)
        self._texts, self._drawn = (*vocabulary.words, *vocabulary.drawings), vocabulary.drawn
        self.captions = [*map(WORD.format, vocabulary.words), *map(DRAWING.format, vocabulary.drawings)]

    def __len__(self) -> int:
        return math.ceil(self._recipe.meeting_pictures / _AT_ONCE)

    def __getitem__(self, item: int) -> Tensor:
        rng = random.Random(f"{self._recipe.seed} shown {item}")
        numbers = range(item * _AT_ONCE, min((item + 1) * _AT_ONCE, self._recipe.meeting_pictures))
        made = [self._picture(number % len(self._texts), rng) for number in numbers]
        return torch.from_numpy(pictures.stack(made))

    def _picture(self, place: int, rng: random.Random) -> Image.Image:
        text, side = self._texts[place], self._recipe.size
        if place < self._words:
            return pictures.written(text, side, self._fonts, rng)
        return pictures.drawn(self._drawn[text], side, rng)


@torch.no_grad()
def look(shown: Shown, image: ImageTower, checkpoints: Checkpoints) -> Iterator[Progress]:
    """Let the image tower see every picture once, or go on with it.

    What it makes of them, (n, 384) of unit length, is afterwards the checkpoint `SEEN`, "embedded".
    """
    device, content = next(image.parameters()).device, checkpoints.load(SEEN)
    embedded = [] if content is None else list(content["embedded"].split(_AT_ONCE))
    start = saved = time.monotonic()
    items = range(len(embedded), len(shown))
    for done, chunk in enumerate(in_order(shown, items), 1):
        embedded.append(image.embed(image.late(image.early(chunk.to(device)))).cpu())
        if len(embedded) == len(shown) or time.monotonic() - saved > SAVE_EVERY:
            checkpoints.save(SEEN, embedded=torch.cat(embedded))
            saved = time.monotonic()
        yield Progress(SEEN, len(embedded), len(shown), {}, done / (time.monotonic() - start))


class MeetingBatches(Dataset):
    """Batch i: what the image tower made of some pictures, their captions, none twice, and texts to be told.

    Args:
        recipe: how many pictures at most.
        captions: of the pictures, over and over.
        seen: (n, 384) of unit length.
        tokenizer, told: as everywhere.
    """

    def __init__(
        self,
        recipe: Recipe,
        captions: Sequence[str],
        seen: Tensor,
        tokenizer: SimpleTokenizer,
        told: TextBatches,
    ):
        self._recipe, self._captions, self._seen = recipe, captions, seen
        self._tokenizer, self._told = tokenizer, told

    def __getitem__(self, step: int) -> dict[str, Tensor]:
        rng = np.random.default_rng((self._recipe.seed, 3, step))
        drawn = rng.choice(len(self._seen), min(len(self._seen), self._recipe.meeting_batch), replace=False)
        pictures_of = {self._captions[number % len(self._captions)]: number for number in drawn.tolist()}
        return {
            "seen": self._seen[list(pictures_of.values())],
            "captions": tokens_of(self._tokenizer, list(pictures_of)),
            **self._told[step],
        }


def meeting_stage(recipe: Recipe, text: TextTower, batches: MeetingBatches) -> Stage:
    """CLIP's symmetric loss with the image tower locked, and the distillation of the targets beside it."""
    contrast, distilled = ClipLoss(), distillation(text)

    def losses(batch: dict[str, Tensor]) -> dict[str, Tensor]:
        told = {name: _TOLD * loss for name, loss in distilled(batch).items()}
        return {"meeting": contrast(batch["seen"], text(batch["captions"]), SCALE), **told}

    return Stage("meeting", text, batches, losses, recipe.meeting_steps, recipe.meeting_rate)
