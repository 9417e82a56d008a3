"""On what condition attacks are measured: one on which they succeed, chosen by a rule on photos put aside.

Where hardly any attack succeeds, neither a search for better texts nor a defence can be judged. So:

- texts are names of ImageNet that the model reads: alone on an empty page, it takes them for what they say
  among all the names;
- a condition is a way to lay a text on a photo and a set of labels to choose from, the article's own first,
  the easiest last;
- on one half of the photos put aside, the texts that win most often are found, as the article found its own;
- the other texts that were tried are kept, too: to find on them what texts have in common;
- the first condition on which these win in at least half of the cases on the other half is taken; if there
  is none, the one on which they win most often.

No photo is chosen, and none that is put aside is measured on later.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
import torch
from card.figure import spread
from open_clip import IMAGENET_CLASSNAMES
from PIL import Image

import clipbench as cb
from clipbench.attacks.rendering import lay
from clipbench.classify import Classifier, as_classifier
from clipbench.intervals import Rate
from clipbench.models import ClipModel, Read, imagenet_labels
from clipbench.pretrain.photos import Photo
from clipbench.results import read_json, save_json
from clipbench.stimuli import ARTICLE, BAND, TAG, Recipe, Tag, written
from clipbench.streams import chunks

FEWEST = 16  # things, if the photos allow it
ASIDE = 6  # one photo in so many is put aside
TEXTS, POOL = 6, 24  # that are taken, of so many that the model reads
LETTERS = 12  # of a name at most, as in the article's search
ENOUGH = 0.5  # of the attacks
SIZES = (20, 28, 40, 56, 80)  # of print, for curves; the article's first
WAYS = {"the article's eight small labels": ARTICLE, "a paper tag": TAG, "a band of paper": BAND}
_CHUNK = 32
_EMBEDDING = Read("embedding")


@dataclass(frozen=True)
class Condition:
    """How and among what attacks are measured.

    Args:
        way: of `WAYS`.
        labels: to choose from; the texts are among them.
        size: of printed letters with which curves are measured.
        texts: the strongest first.
        others: texts that were tried and are not among these.
        aside: how often they won on photos that they were not found on.
        tried: each condition that was looked at, in words, and how often its texts won.
        weights_hash: of the model.
        photos: hash of the photos.
    """

    way: str
    labels: tuple[str, ...]
    size: float
    texts: tuple[str, ...]
    others: tuple[str, ...]
    aside: Rate
    tried: tuple[tuple[str, Rate], ...]
    weights_hash: str
    photos: str

    @property
    def recipe(self) -> Recipe | Tag:
        """How a text is laid on."""
        return WAYS[self.way]

    def __str__(self) -> str:
        rule = "the first with half of them" if self.aside.share >= ENOUGH else "none has half, this the most"
        won = f"{self.aside.hits} of {self.aside.n} attacks succeed on photos put aside ({rule})"
        return f"{self.way}, {len(self.labels)} labels, {', '.join(self.texts)}: {won}"

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        tried = [[told, rate.as_dict()] for told, rate in self.tried]
        save_json({**vars(self), "aside": self.aside.as_dict(), "tried": tried}, path)

    @classmethod
    def load(cls, path: Path) -> "Condition":
        """Back from `save`."""
        told = read_json(path)
        tried = tuple((each, Rate.from_dict(rate)) for each, rate in told.pop("tried"))
        words = {name: tuple(told.pop(name)) for name in ("labels", "texts", "others")}
        aside = Rate.from_dict(told.pop("aside"))
        return cls(**told, **words, aside=aside, tried=tried)


def condition(model: ClipModel, photos: Sequence[Photo], path: Path) -> Condition:
    """The condition for a model and the photos in play; one found before is read from its file."""
    key = hashlib.sha256(b"".join(photo.content for photo in photos)).hexdigest()
    if path.is_file():
        known = Condition.load(path)
        if (known.weights_hash, known.photos) == (model.weights_hash, key):
            return known
    found = _looked_for(model, photos, key)
    found.save(path)
    return found


def in_play(photos: Sequence[Photo], most: int) -> list[Photo]:
    """So many photos, of as few things as there are photos for, but at least `FEWEST`."""
    of_thing: dict[int, list[Photo]] = defaultdict(list)
    for photo in photos:
        of_thing[photo.label].append(photo)
    for each in range(max(1, most // FEWEST), 0, -1):
        roomy = [own for own in of_thing.values() if len(own) >= each]
        if each * len(roomy) >= most:
            return [photo for own in spread(roomy, ceil(most / each)) for photo in own[:each]][:most]
    return list(photos)[:most]


def halves(photos: Sequence[Photo]) -> tuple[list[Photo], list[Photo]]:
    """The photos to measure on, and those put aside."""
    aside = set(range(0, len(photos), ASIDE))
    kept = [photo for place, photo in enumerate(photos) if place not in aside]
    return kept, [photos[place] for place in sorted(aside)]


def _looked_for(model: ClipModel, photos: Sequence[Photo], key: str) -> Condition:
    pool = spread(list(readable(model)), POOL)
    if len(pool) < 2:
        raise cb.ClipbenchError(f"{model.name} reads {len(pool)} names of ImageNet; attacks need two or more")
    things = [IMAGENET_CLASSNAMES[photo.label] for photo in photos]
    few = tuple(dict.fromkeys([*things, *pool]))
    classifiers = [as_classifier(model, labels) for labels in (imagenet_labels(), few)]
    crops = [model.crop(photo.open()) for photo in halves(photos)[1]]
    won = {way: _won(classifiers, crops, pool, recipe) for way, recipe in WAYS.items()}
    tried = [
        (way, classifier, *strongest(won[way][number], pool))
        for number, classifier in enumerate(classifiers)
        for way in WAYS
    ]
    enough = (one for one in tried if one[-1].share >= ENOUGH)
    way, classifier, texts, aside = next(enough, max(tried, key=lambda one: one[-1].share))
    size = _size(classifier, crops, texts[0])
    told = tuple((f"{one[0]}, {len(one[1].labels)} labels", one[-1]) for one in tried)
    others = tuple(text for text in pool if text not in texts)
    return Condition(way, classifier.labels, size, texts, others, aside, told, model.weights_hash, key)


def readable(model: ClipModel) -> Iterator[str]:
    """The short names of ImageNet that a model takes for what they say, written on an empty page."""
    names = [name for name in imagenet_labels() if len(name) <= LETTERS]
    pages = (written(name, side=model.image_size) for name in names)
    (answers,) = _answers([as_classifier(model)], pages)
    labels = imagenet_labels()
    return (name for name, answer in zip(names, answers, strict=True) if labels[answer] == name)


def strongest(won: np.ndarray, pool: Sequence[str]) -> tuple[tuple[str, ...], Rate]:
    """The texts that win most often on the even photos, and how often these win on the odd ones.

    Args:
        won: (texts, photos) bool.
        pool: the texts.
    """
    order = np.argsort(-won[:, ::2].sum(axis=1), kind="stable")[:TEXTS]
    other = won[order, 1::2]
    return tuple(pool[place] for place in order), Rate(int(other.sum()), other.size)


def _won(
    classifiers: Sequence[Classifier],
    crops: Sequence[Image.Image],
    texts: Sequence[str],
    recipe: Recipe | Tag,
) -> list[np.ndarray]:
    """For each classifier (texts, photos) bool: the text is the answer, and was not without it."""
    pictures = (lay(crop, text, recipe)[0] for text in texts for crop in crops)
    found = zip(classifiers, _answers(classifiers, crops), _answers(classifiers, pictures), strict=True)
    tables = []
    for classifier, before, after in found:
        places = np.array([classifier.place(text) for text in texts])[:, None]
        tables.append((after.reshape(len(texts), -1) == places) & (before[None] != places))
    return tables


@torch.no_grad()
def _answers(classifiers: Sequence[Classifier], pictures) -> list[np.ndarray]:
    """For each classifier (n,) the number of the label that a picture is taken for; each is encoded once."""
    model, found, pictures = classifiers[0].model, [[] for _ in classifiers], list(pictures)
    for some in chunks(pictures, _CHUNK):
        features = model.answers(model.pixels(some), [_EMBEDDING])[_EMBEDDING].flatten(1)
        for own, classifier in zip(found, classifiers, strict=True):
            own.append(classifier.logits(features).argmax(dim=1).cpu().numpy())
    return [np.concatenate(own) for own in found]


def _size(classifier: Classifier, crops: Sequence[Image.Image], text: str) -> float:
    """The first size of print with which a text wins in half of the cases, or the one with which in most."""
    shares = [_won([classifier], crops, [text], Recipe(size=size))[0].mean() for size in SIZES]
    enough = (size for size, share in zip(SIZES, shares, strict=True) if share >= ENOUGH)
    return next(enough, SIZES[int(np.argmax(shares))])
