"""The text tower against the joint space: does a text fall to the same class as its target?"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import normalize

from card.figure import Figure, rate, spread
from card.setting import Setting
from clipbench.models import load
from clipbench.pretrain import space
from clipbench.pretrain.recipe import Recipe
from clipbench.pretrain.towers import CONTROL
from clipbench.pretrain.vocabulary import CAPTIONS, PAIRED, PHOTO, Vocabulary, vocabulary

_COMMON, _FURTHER = 10_000, 1000  # words; phrases, and words that were not taught


def text_figures(setting: Setting) -> Iterator[Figure]:
    """Same top-1 among the thousand classes, for texts of four kinds."""
    known = setting.known
    phrases, words = unseen_phrases(known, _FURTHER), unseen_words(setting.recipe, known, _FURTHER)
    kinds = {
        "classes": ("the class names", known.classes, 0.98),
        "common": ("the most common words", spread(known.common[:_COMMON], 10 * setting.most), 0.9),
        "phrases": ("unseen pairs of taught words", spread(phrases, setting.most), 0.7),
        "unseen": ("words it was not taught", spread(words, setting.most), None),
    }
    target_of = targets(setting.recipe, (*phrases, *words))
    classes = (
        target_of(known.classes, CAPTIONS[PHOTO]),
        setting.model.encode_text([PHOTO.format(name) for name in known.classes]).cpu(),
    )
    for key, (what, texts, target) in kinds.items():
        wanted = (target_of(texts, CAPTIONS["{}"]) @ classes[0].T).argmax(1)
        found = (setting.model.encode_text(list(texts)).cpu() @ classes[1].T).argmax(1)
        same = int((wanted == found).sum())
        how = f"the bare text against “{PHOTO}”, in the tower and in the space that it was taught"
        told = f"text tower: same class as the target, {what}"
        yield rate(f"texts/{key}", told, same, len(texts), 1 / len(known.classes), target, how)


def unseen_phrases(known: Vocabulary, number: int) -> tuple[str, ...]:
    """Pairs of taught words that were not taught as pairs, by a seed that no training uses."""
    rng, taught = random.Random("card"), set(known.texts)
    found: dict[str, None] = {}
    while len(found) < number:
        pair = " ".join(rng.sample(known.common[:PAIRED], 2))
        if pair not in taught:
            found[pair] = None
    return tuple(found)


def unseen_words(recipe: Recipe, known: Vocabulary, number: int) -> tuple[str, ...]:
    """The most common words after the taught ones."""
    further = vocabulary(replace(recipe, texts=recipe.texts + 2 * number)).common[recipe.texts :]
    taught = {text.lower() for text in known.texts}
    return tuple(word for word in further if word not in taught)[:number]


@cache
def targets(recipe: Recipe, further: tuple[str, ...]):
    """Where texts are to land: the space of a recipe's texts, continued to texts that are not among them.

    Args:
        recipe: its texts alone decide the whitening.
        further: texts that the returned function will know besides.

    Returns:
        A function of texts and the weight of their spelling that gives (n, 384) of unit length.
    """
    known = vocabulary(recipe)
    index = {text: row for row, text in enumerate((*known.texts[: known.deciding], *further))}
    vectors = space.sentence_vectors(list(index))
    meaning = continued(vectors[: known.deciding], vectors, index, known.classes)

    def target_of(texts: Sequence[str], spelling: float) -> Tensor:
        spelt = spelling * space.spelling_vectors(list(texts))
        return normalize(torch.cat([meaning[[index[text] for text in texts]], spelt], 1), dim=1)

    return target_of


def continued(taught: Tensor, vectors: Tensor, index: dict[str, int], classes: Sequence[str]) -> Tensor:
    """The meaning of texts in the space that the taught ones span, (n, 352); `build_space` for any text.

    Args:
        taught: (m, 384) sentence vectors of the texts that decide the whitening and the directions kept.
        vectors: (n, 384) of all texts, those first.
        index: text -> row of `vectors`.
        classes: the thousand names.
    """
    semantic = normalize(space.whiten(taught, space.SEMANTIC, vectors), dim=1)
    named = torch.tensor([index[name] for name in classes])
    of_classes = visual_of_classes()
    visual = space.ridge(semantic[named], of_classes, space._RIDGE, semantic)
    visual = visual / visual.norm(dim=1, keepdim=True).clamp(min=1)
    visual[named] = of_classes
    meaning = torch.cat([visual, semantic], 1)
    return meaning @ space.principal_directions(meaning[: len(taught)], meaning[named], space.MEANING)


@cache
def visual_of_classes() -> Tensor:
    """The classifier's rows in their own first directions, (1000, 256) of unit length."""
    weight = load(CONTROL, device="cpu").network.get_classifier().weight.float()
    left, sizes, _ = torch.linalg.svd(weight - weight.mean(0), full_matrices=False)
    return normalize(left[:, : space.VISUAL] * sizes[: space.VISUAL], dim=1)
