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
from clipbench.pretrain.space import WIDTH, Space
from clipbench.pretrain.towers import reduced
from clipbench.pretrain.vocabulary import CAPTIONS, PAIRED, Vocabulary

# Shares of a batch, and of each caption in it. Classes weigh most at first: what else is met is met by them.
# They are known soon; in the end common words weigh most, which people ask for most.
_AT_FIRST = (
    (0.45, (0.2, 0.7, 0.05, 0.05)),  # names of classes
    (0.05, (0.5, 0.1, 0.3, 0.1)),  # names of drawings
    (0.15, (0.8, 0.05, 0.05, 0.1)),  # the most common words
    (0.05, (0.4, 0.1, 0.1, 0.4)),  # all words
    (0.3, (0.8, 0.1, 0.05, 0.05)),  # pairs of words
)
_IN_THE_END = (
    (0.12, (0.3, 0.7, 0.0, 0.0)),
    (0.05, (0.2, 0.0, 0.8, 0.0)),
    (0.55, (0.9, 0.05, 0.0, 0.05)),
    (0.1, (0.2, 0.0, 0.0, 0.8)),
    (0.18, (0.9, 0.1, 0.0, 0.0)),
)
_CONTRAST, _SHARPNESS = 0.1, 20.0
_AVOIDED = 0.06  # by each key of a head: 64 of them make a normalised end, 20 long, weigh exp(-9) of a word


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
        length, rows = tokens.shape[1], torch.arange(len(tokens), device=tokens.device)
        end = tokens.argmax(1)  # "end of text" is the largest number
        *blocks, last = self.transformer.resblocks
        x = self.token_embedding(tokens) + self.positional_embedding[:length]
        with reduced(x.device):
            for block in blocks:
                x = block(x, attn_mask=self.attn_mask[:length, :length])
            # of the last block nothing but the end is read, so nothing else is computed
            x, seen = x[rows, end], last.ln_1(x)
            unseen = torch.arange(length, device=tokens.device) > end[:, None]
            found, _ = last.attn(
                seen[rows, end][:, None], seen, seen, key_padding_mask=unseen, need_weights=False
            )
            x = x + found[:, 0]
            x = x + last.mlp(last.ln_2(x))
        return normalize(self.ln_final(x.float()) @ self.text_projection, dim=1)


@torch.no_grad()
def start_text_tower(tower: TextTower, tokenizer: SimpleTokenizer, space: Space) -> None:
    """Make an untrained tower return about the average of its words' targets, from which it learns on.

    The target of a phrase is not far from that average: what is left to learn is the difference.
    """
    tokens, texts = _known_tokens(tokenizer, space)
    tower.token_embedding.weight[tokens] = space.targets(space.rows(texts), CAPTIONS["{}"])
    tower.positional_embedding.mul_(0.5)  # short beside a target
    ends = [tokenizer.sot_token_id, tokenizer.eot_token_id]
    tower.token_embedding.weight[ends] = torch.eye(WIDTH)[0]  # the direction of meaning that matters least
    tower.text_projection.copy_(torch.eye(WIDTH))
    for block in tower.transformer.resblocks:
        block.attn.out_proj.weight.zero_()
        block.mlp.c_proj.weight.zero_()
    first = tower.transformer.resblocks[0].attn
    first.in_proj_weight[: 2 * WIDTH].mul_(0.1)  # even attention, but to the two ends
    first.in_proj_weight[WIDTH : 2 * WIDTH, 0] = -_AVOIDED
    first.in_proj_bias[:WIDTH] = 1
    first.in_proj_weight[2 * WIDTH :] = torch.eye(WIDTH)
    first.out_proj.weight.copy_(torch.eye(WIDTH))


def _known_tokens(tokenizer: SimpleTokenizer, space: Space) -> tuple[list[int], list[str]]:
    """The tokens that are whole texts of the space, and these texts."""
    numbers = {text: tokenizer.encoder.get(f"{text}</w>") for text in space.index}
    known = {text: number for text, number in numbers.items() if number is not None}
    return list(known.values()), list(known)


def tokens_of(tokenizer: SimpleTokenizer, texts: list[str]) -> Tensor:
    """Token numbers (n, length), cut to the longest text: what follows the end is never looked at."""
    tokens = tokenizer(texts)
    return tokens[:, : int(tokens.argmax(1).max()) + 1]


class TextBatches(Dataset):
    """Batch i: texts of all kinds, each kind in its captions, so that every step is told of everything."""

    def __init__(
        self,
        recipe: Recipe,
        vocabulary: Vocabulary,
        space: Space,
        tokenizer: SimpleTokenizer,
        last: bool = False,
    ):
        self._recipe, self._tokenizer, self._space = recipe, tokenizer, space
        self._kinds = (
            vocabulary.classes,
            vocabulary.drawings,
            vocabulary.common[:PAIRED],
            (*vocabulary.words, *vocabulary.hidden, *vocabulary.common),
            vocabulary.phrases,
        )
        self._last, self._shares = last, _IN_THE_END if last else _AT_FIRST

    def __getitem__(self, step: int) -> dict[str, Tensor]:
        rng = np.random.default_rng((self._recipe.seed, 1 + self._last, step))
        texts: list[str] = []
        captions: list[str] = []
        for kind, (share, odds) in zip(self._kinds, self._shares, strict=True):
            number = round(share * self._recipe.text_batch)
            texts += [kind[place] for place in rng.integers(len(kind), size=number)]
            captions += [list(CAPTIONS)[place] for place in rng.choice(len(CAPTIONS), number, p=odds)]
        return self._captioned(texts, captions)

    def _captioned(self, texts: list[str], captions: list[str]) -> dict[str, Tensor]:
        captioned = dict.fromkeys(zip(texts, captions, strict=True))  # twice the same would be no contrast
        spelling = torch.tensor([CAPTIONS[caption] for _, caption in captioned])
        return {
            "tokens": tokens_of(self._tokenizer, [caption.format(text) for text, caption in captioned]),
            "targets": self._space.targets(self._space.rows([text for text, _ in captioned]), spelling),
        }


def text_stage(recipe: Recipe, tower: TextTower, batches: TextBatches) -> Stage:
    """Distil the joint targets into the text tower."""
    return Stage("text", tower, batches, distillation(tower), recipe.text_steps, recipe.text_rate)


def caption_stage(recipe: Recipe, tower: TextTower, batches: TextBatches) -> Stage:
    """Go on with other shares: common words, and captions that pictures bear, are to be met closely."""
    return Stage("caption", tower, batches, distillation(tower), recipe.caption_steps, recipe.caption_rate)


def distillation(tower: TextTower) -> Callable[[dict[str, Tensor]], dict[str, Tensor]]:
    """One minus cosine, and a little contrast in the batch."""

    def losses(batch: dict[str, Tensor]) -> dict[str, Tensor]:
        made, wanted = tower(batch["tokens"]), batch["targets"]
        own = torch.arange(len(made), device=made.device)
        return {
            "cosine": 1 - (made * wanted).sum(1).mean(),
            "contrast": _CONTRAST * cross_entropy(_SHARPNESS * made @ wanted.T, own),
        }

    return losses
