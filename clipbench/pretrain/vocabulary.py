"""What `mini` is told about: names of classes and drawings, common words, pairs of them, and captions."""

import gzip
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from heapq import heapify, heappop, heappush
from itertools import pairwise
from pathlib import Path

from open_clip import IMAGENET_CLASSNAMES

from clipbench.pretrain.drawings import versions
from clipbench.pretrain.inputs import package
from clipbench.pretrain.recipe import Recipe

# A caption is near the bare name and not equal to it: it says how much of the spelling one sees.
CAPTIONS = {"{}": 0.5, "a photo of a {}": 0.0, "a drawing of a {}": 0.1, "the word {}": 1.0}
PAIRED = 10_000  # most common words, of which phrases are made
NAME, PHOTO, DRAWING, WORD = CAPTIONS


@dataclass(frozen=True)
class Vocabulary:
    """All texts of a run.

    Args:
        classes: the 1,000 names of ImageNet, in its order.
        drawings: names of OpenMoji's drawings.
        drawn: files of each of them, OpenMoji's first, then those of other artists.
        words: rendered words, most common first, each also a text.
        rendered: `words`, and after them all further common words but the hidden ones, which are written
            now and then, so that spelling is learnt.
        hidden: words that the text tower is taught and no picture shows.
        common: common words that the text tower is taught, most common first.
        phrases: pairs of them that it is taught.
        texts: every text that has a target: all of the above.
        deciding: the first of `texts`, so many of them, which decide the directions of the joint space.
    """

    classes: tuple[str, ...]
    drawings: tuple[str, ...]
    drawn: Mapping[str, tuple[Path, ...]]
    words: tuple[str, ...]
    rendered: tuple[str, ...]
    hidden: tuple[str, ...]
    common: tuple[str, ...]
    phrases: tuple[str, ...]
    texts: tuple[str, ...]
    deciding: int


def vocabulary(recipe: Recipe, artists: Sequence[str | Path] = ()) -> Vocabulary:
    """The texts of a recipe; the same recipe and package versions give the same texts.

    Args:
        recipe: how many of each.
        artists: folders of further drawings, see `versions`.
    """
    rng = random.Random(recipe.seed)
    common = _common_words(recipe.texts)
    candidates = common[: 2 * (recipe.words + recipe.hidden_words)]
    hidden = set(rng.sample(candidates[recipe.first_words :], recipe.hidden_words))
    drawn = versions(artists)
    names = tuple(drawn)
    spelt: dict[str, str] = {}
    for word in [*common[: recipe.first_words], *_words_of(IMAGENET_CLASSNAMES), *_words_of(names), *common]:
        if word.lower() not in hidden:
            spelt.setdefault(word.lower(), word)
    words = tuple(spelt.values())[: recipe.words]
    avoided = hidden | {word.lower() for word in words}
    pairs = tuple(
        " ".join(rng.sample(common[:PAIRED], 2)) for _ in range(recipe.phrases + recipe.further_phrases)
    )
    told = [*IMAGENET_CLASSNAMES, *names, *words, *sorted(hidden), *common]
    deciding = len(dict.fromkeys([*told, *pairs[: recipe.phrases]]))
    return Vocabulary(
        tuple(IMAGENET_CLASSNAMES),
        names,
        drawn,
        words,
        (*words, *(word for word in common if word not in avoided)),
        tuple(sorted(hidden)),
        tuple(common),
        pairs,
        tuple(dict.fromkeys([*told, *pairs])),
        deciding,
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
    """Write the tokenizer's file in CLIP's format: merges by which words that are asked for are one token."""
    lines = ["#version: 0.2", *(" ".join(pair) for pair in learnt_merges(_weights(recipe), recipe.merges))]
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
        file.write("\n".join(lines).encode())


def learnt_merges(weights: Mapping[str, int], number: int) -> list[tuple[str, str]]:
    """Byte pair encoding: again and again the heaviest pair of neighbours becomes one piece.

    Args:
        weights: how much each word counts; words of letters without accents.
        number: of merges at most; there are fewer once every word is one piece.

    Source: Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword Units".
    """
    pieces = {word: (*word[:-1], word[-1] + "</w>") for word in weights}
    counts: Counter[tuple[str, str]] = Counter()
    holders: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)  # words, in a repeatable order

    def count(word: str, sign: int) -> None:
        for pair in pairwise(pieces[word]):
            counts[pair] += sign * weights[word]
            holders[pair][word] = None

    for word in pieces:
        count(word, 1)
    heap = [(-weight, pair) for pair, weight in counts.items()]
    heapify(heap)
    merges: dict[str, tuple[str, str]] = {}
    while heap and len(merges) < number:
        weight, pair = heappop(heap)
        if counts[pair] != -weight:  # an entry from before a merge nearby; the newer one is in the heap too
            continue
        if "".join(pair) in merges:  # open_clip's tokenizer can't have a token that is made in two ways
            continue
        merges["".join(pair)] = pair
        touched = set()
        for word in holders.pop(pair):
            count(word, -1)
            touched.update(pairwise(pieces[word]))
            pieces[word] = _joined(pieces[word], pair)
            count(word, 1)
            touched.update(pairwise(pieces[word]))
        for near in touched:
            if counts[near] > 0:
                heappush(heap, (-counts[near], near))
    return list(merges.values())


def _joined(pieces: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    """Pieces with every occurrence of a pair made one piece, from the left."""
    made: list[str] = []
    for piece in pieces:
        if made and (made[-1], piece) == pair:
            made[-1] += piece
        else:
            made.append(piece)
    return tuple(made)


def _weights(recipe: Recipe) -> dict[str, int]:
    """How much each word that is to be one token counts: by its place among the common ones, flattened."""
    known = vocabulary(recipe)
    common = {word: round(1e6 / place**0.5) for place, word in enumerate(known.common[:PAIRED], 1)}
    least = min(common.values())
    named = re.findall("[a-z]+", " ".join([*CAPTIONS, *known.classes]).lower())  # like a word of place 1000
    drawn = re.findall("[a-z]+", " ".join(known.drawings).lower())
    return (
        dict.fromkeys([*drawn, *known.hidden], least)
        | common
        | {word: max(common.get(word, 0), round(1e6 / 1000**0.5)) for word in named}
    )
