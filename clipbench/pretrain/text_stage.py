"""The text tower learns where every text lands in the joint space."""

from collections.abc import Callable

import numpy as np
import torch
from open_clip.tokenizer import SimpleTokenizer
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize
from torch.utils.data import Dataset

from clipbench.pretrain.loop import Stage
from clipbench.pretrain.recipe import Recipe
from clipbench.pretrain.space import Space
from clipbench.pretrain.towers import reduced
from clipbench.pretrain.vocabulary import CAPTIONS, DRAWING, PAIRED, PHOTO, WORD, Vocabulary

# of the batches: names of classes, of drawings, the most common words, all words, phrases
_SHARES = (0.15, 0.1, 0.35, 0.15, 0.25)
_OF_PICTURES = 0.7  # share of the batches of the second stage that are captions of pictures
_CONTRAST, _SHARPNESS = 0.1, 20.0


class TextTower(nn.Module):
    """The text half of an open_clip CLIP, as a module of its own."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.token_embedding, self.transformer = network.token_embedding, network.transformer
        self.ln_final = network.ln_final
        self.positional_embedding, self.text_projection = (
            network.positional_embedding,
            network.text_projection,
        )
        self.register_buffer("attn_mask", network.attn_mask, persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """(n, 384) of unit length from (n, length) token numbers; the length may be under the context's."""
        length = tokens.shape[1]
        x = self.token_embedding(tokens) + self.positional_embedding[:length]
        with reduced(x.device):
            x = self.transformer(x, attn_mask=self.attn_mask[:length, :length])
        x = x[torch.arange(len(x), device=x.device), tokens.argmax(1)]  # at "end of text", the largest
        return normalize(self.ln_final(x.float()) @ self.text_projection, dim=1)


def tokens_of(tokenizer: SimpleTokenizer, texts: list[str]) -> Tensor:
    """Token numbers (n, length), cut to the longest text: what follows the end is never looked at."""
    tokens = tokenizer(texts)
    return tokens[:, : int(tokens.argmax(1).max()) + 1]


class TextBatches(Dataset):
    """Batch i: texts of one kind in captions of one kind, so that they are of about one length."""

    def __init__(self, recipe: Recipe, vocabulary: Vocabulary, space: Space, tokenizer: SimpleTokenizer):
        self._recipe, self._tokenizer, self._space = recipe, tokenizer, space
        self._kinds = [
            vocabulary.classes,
            vocabulary.drawings,
            vocabulary.common[:PAIRED],
            [*vocabulary.words, *vocabulary.hidden, *vocabulary.common],
            vocabulary.phrases,
        ]

    def __getitem__(self, step: int) -> dict[str, Tensor]:
        rng = np.random.default_rng((self._recipe.seed, 1, step))
        kind = self._kinds[rng.choice(len(_SHARES), p=_SHARES)]
        texts = list(
            dict.fromkeys(kind[number] for number in rng.integers(len(kind), size=self._recipe.text_batch))
        )
        caption = list(CAPTIONS)[rng.choice(len(CAPTIONS), p=(0.55, 0.15, 0.15, 0.15))]
        return self._captioned(texts, caption)

    def _captioned(self, texts: list[str], caption: str) -> dict[str, Tensor]:
        return {
            "tokens": tokens_of(self._tokenizer, [caption.format(text) for text in texts]),
            "targets": self._space.targets(self._space.rows(texts), CAPTIONS[caption]),
        }


class CaptionBatches(TextBatches):
    """Batch i: mostly captions that pictures bear, photos of classes, drawn drawings and written words."""

    def __init__(self, recipe: Recipe, vocabulary: Vocabulary, space: Space, tokenizer: SimpleTokenizer):
        super().__init__(recipe, vocabulary, space, tokenizer)
        self._pictured = {
            PHOTO: vocabulary.classes,
            WORD: (*vocabulary.words, *vocabulary.hidden),
            DRAWING: vocabulary.drawings,
        }

    def __getitem__(self, step: int) -> dict[str, Tensor]:
        rng = np.random.default_rng((self._recipe.seed, 2, step))
        if rng.random() > _OF_PICTURES:
            return super().__getitem__(self._recipe.text_steps + step)
        caption = list(self._pictured)[rng.choice(3, p=(0.4, 0.4, 0.2))]
        texts = list(dict.fromkeys(self._pictured[caption]))
        chosen = rng.choice(len(texts), min(self._recipe.text_batch, len(texts)), replace=False)
        return self._captioned([texts[number] for number in chosen], caption)


def text_stage(recipe: Recipe, tower: TextTower, batches: TextBatches) -> Stage:
    """Distil the joint targets into the text tower."""
    return Stage("text", tower, batches, _distillation(tower), recipe.text_steps, recipe.text_rate)


def caption_stage(recipe: Recipe, tower: TextTower, batches: CaptionBatches) -> Stage:
    """Go on with what is asked most: a class's photo and a written word have to be met closely."""
    return Stage("caption", tower, batches, _distillation(tower), recipe.caption_steps, recipe.caption_rate)


def _distillation(tower: TextTower) -> Callable[[dict[str, Tensor]], dict[str, Tensor]]:
    """One minus cosine, and a little contrast in the batch."""

    def losses(batch: dict[str, Tensor]) -> dict[str, Tensor]:
        made, wanted = tower(batch["tokens"]), batch["targets"]
        own = torch.arange(len(made), device=made.device)
        return {
            "cosine": 1 - (made * wanted).sum(1).mean(),
            "contrast": _CONTRAST * cross_entropy(_SHARPNESS * made @ wanted.T, own),
        }

    return losses
