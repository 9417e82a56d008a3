"""What `mini` is told about: names of classes and drawings, common words, pairs of them, and captions."""

import gzip
import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from open_clip import IMAGENET_CLASSNAMES
from open_clip.tokenizer import default_bpe

from clipbench.pretrain.drawings import drawings
from clipbench.pretrain.inputs import package
from clipbench.pretrain.recipe import Recipe

# A caption is near the bare name and not equal to it: it says how much of the spelling one sees.
CAPTIONS = {"{}": 0.5, "a photo of a {}": 0.0, "a drawing of a {}": 0.1, "the word {}": 1.0}
PAIRED = 10_000  # most common words, of which phrases are made
PHOTO, DRAWING, WORD = (list(CAPTIONS)[number] for number in (1, 2, 3))


@dataclass(frozen=True)
class Vocabulary:
    """All texts of a run.

    Args:
        classes: the 1,000 names of ImageNet, in its order.
        drawings: names of OpenMoji's drawings.
        words: rendered words, most common first, each also a text.
        hidden: words that the text tower is taught and no picture shows.
        common: common words that the text tower is taught, most common first.
        phrases: pairs of them that it is taught.
        texts: every text that has a target: all of the above.
    """

    classes: tuple[str, ...]
    drawings: tuple[str, ...]
    words: tuple[str, ...]
    hidden: tuple[str, ...]
    common: tuple[str, ...]
    phrases: tuple[str, ...]
    texts: tuple[str, ...]


def vocabulary(recipe: Recipe) -> Vocabulary:
    """The texts of a recipe; the same recipe and package versions give the same texts."""
    rng = random.Random(recipe.seed)
    common = _common_words(recipe.texts)
    candidates = common[: 2 * (recipe.words + recipe.hidden_words)]
    hidden = set(rng.sample(candidates[recipe.first_words :], recipe.hidden_words))
    names = tuple(drawings())
    spelt: dict[str, str] = {}
    for word in [*common[: recipe.first_words], *_words_of(IMAGENET_CLASSNAMES), *_words_of(names), *common]:
        if word.lower() not in hidden:
            spelt.setdefault(word.lower(), word)
    words = tuple(spelt.values())[: recipe.words]
    pairs = tuple(" ".join(rng.sample(common[:PAIRED], 2)) for _ in range(recipe.phrases))
    texts = dict.fromkeys([*IMAGENET_CLASSNAMES, *names, *words, *sorted(hidden), *common, *pairs])
    return Vocabulary(
        tuple(IMAGENET_CLASSNAMES),
        names,
        words,
        tuple(sorted(hidden)),
        tuple(common),
        pairs,
        tuple(texts),
    )


@cache
def _common_words(number: int) -> list[str]:
    """The most common English words of three letters and more, without numbers."""
    listed = package("wordfreq", "wordfreq").top_n_list("en", 3 * number)
    return [word for word in listed if re.fullmatch("[a-z]{3,}", word)][:number]


def _words_of(names: Iterable[str]) -> list[str]:
    """The words that names consist of, as they are written there."""
    return [word for name in names for word in re.findall("[A-Za-z]{3,}", name)]


def write_merges(recipe: Recipe, path: Path) -> None:
    """Write the tokenizer's file: the first merges of CLIP's own, in its format."""
    with gzip.open(default_bpe(), "rt", encoding="utf-8") as file:
        lines = [next(file) for _ in range(recipe.merges + 1)]  # the first line tells the format
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
        file.write("".join(lines).encode())
