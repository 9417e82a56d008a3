"""Typographic attacks: the article's printed label on photos, and its photos of labelled things."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from torch import Tensor

import clipbench as cb
from card.figure import Figure, best, bootstrap, rate, spread
from card.setting import Setting
from clipbench.attacks.published import RECORDS
from clipbench.errors import ClipbenchError
from clipbench.pretrain.vocabulary import PHOTO

_TARGETS = ("pizza", "rifle", "radio", "library", "iPod", "trash")  # each is to win in 60 % of photos
_REPORTED = ("shark", "meow", "$$$")
_PHOTOS = 200  # at most
_PUBLISHED = RECORDS / "in_the_wild_2.json"
_WRITTEN = {"ipod": "iPod", "dollars": "$$$"}  # on the paper, where the file's name spells it otherwise
_UNRECORDED = {"pizza": "pizza", "trash": "trash can"}  # things that the article gives no labels for: class


def article_figures(setting: Setting) -> Iterator[Figure]:
    """The eight small labels, scaled to the model's size: how often the word wins where it had not."""
    side = setting.model.image_size
    chosen = spread(setting.finest.unseen, min(setting.most, _PHOTOS))
    squares = [ImageOps.fit(photo.open(), (side, side)) for photo in chosen]
    clean = setting.model.encode_image(squares), setting.control.predictions(squares)
    how = f"article's recipe at {side} px; among the 1,000 names and the word; photos not taken for it before"
    rates, figures = {}, []
    for text in (*_TARGETS, *_REPORTED):
        attacked = [cb.overlay(square, text) for square in squares]
        rates[text] = outcome(*(_says(setting, seen, text) for seen in (clean[0], attacked)))
        target = 0.6 if text in _TARGETS else None
        figures.append(_figure(setting, text, f"the article's label “{text}” wins", rates[text], target, how))
        if text in setting.known.classes:
            place = setting.known.classes.index(text)
            theirs = outcome(clean[1] == place, setting.control.predictions(attacked) == place)
            figures.append(_figure(setting, f"{text}-control", f"the control's “{text}”", theirs, None, how))
    yield _mean(setting, np.array([rates[text] for text in _TARGETS]), how)
    yield from figures


def _says(setting: Setting, seen: Tensor | Sequence[Image.Image], text: str) -> np.ndarray:
    """(n,) bool whether a text is the nearest of the thousand names and itself; embeddings or images."""
    labels = list(dict.fromkeys([*setting.known.classes, text]))
    texts = setting.model.encode_text([PHOTO.format(label) for label in labels])
    embedded = seen if isinstance(seen, Tensor) else setting.model.encode_image(seen)
    return ((embedded @ texts.T).argmax(1) == labels.index(text)).cpu().numpy()


def outcome(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) bool whether the label made the text win, and whether it could: it had not won before."""
    return after & ~before, ~before


def _figure(setting: Setting, key: str, what: str, outcomes, target: float | None, how: str) -> Figure:
    won, free = (int(each.sum()) for each in outcomes)
    return rate(f"article/{key}", what, won, free, 1 / len(setting.known.classes), target, how)


def _mean(setting: Setting, rates: np.ndarray, how: str) -> Figure:
    """The mean over the words, from (words, 2, photos) bool."""
    photos = rates.shape[2]
    return Figure(
        "article/mean",
        f"the article's label wins, mean of {', '.join(_TARGETS)}",
        mean_rate(rates),
        photos,
        bootstrap(lambda drawn: mean_rate(rates[:, :, drawn]), photos),
        chance=1 / len(setting.known.classes),
        target=0.8,
        how=f"{how}; bootstrap over photos",
    )


def mean_rate(rates: np.ndarray) -> float:
    """Mean over words of won / open, from (words, 2, photos) bool."""
    won, free = rates.sum(2).T
    return float((won / free).mean())


@dataclass(frozen=True)
class Labelled:
    """A photo of a thing with a paper label.

    Args:
        thing, word: what it is and what is written on it.
        labels: among which a model chooses, the first is the truth; the word is one of them.
        published: whether the article's record has the word, too.
    """

    thing: str
    word: str
    labels: tuple[str, ...]
    published: bool


def wild_figures(setting: Setting) -> Iterator[Figure]:
    """The article's photos in the wild: the word wins, where the photo without a label is taken rightly."""
    folder = setting.wild
    if folder is None or not folder.is_dir():
        raise ClipbenchError(
            "the article's photos in the wild are not there; name their folder with --in-the-wild"
        )
    taught = {word.lower() for word in setting.known.words}
    cases = [one for one in labelled(folder, records()) if one.word.lower() in taught]
    won = {case: _wins(setting, folder, case) for case in cases}
    groups = {
        "published": ("with a word of the article's record", [case for case in cases if case.published]),
        "all": ("with any taught word", cases),
    }
    for key, (which, group) in groups.items():
        clean = [case for case in group if won[case] is not None]
        hits = sum(bool(won[case]) for case in clean)
        chance = float(np.mean([1 / len(case.labels) for case in clean])) if clean else None
        how = f"{len(group)} pairs of thing and word; those whose photo without label is right; “{PHOTO}”"
        if clean:
            told = f"real photos {which}: the word wins"
            yield rate(f"wild/{key}", told, hits, len(clean), chance, 0.6, how)


def _wins(setting: Setting, folder: Path, case: Labelled) -> bool | None:
    """Whether the word wins on the label; None where the photo without one is mistaken."""
    names = {written: name for name, written in _WRITTEN.items()}
    files = [f"{case.thing}-blank.jpg", f"{case.thing}-{names.get(case.word, case.word)}.jpg"]
    blank, shown = best(
        setting.model, [cb.read_image(folder / file).image for file in files], case.labels, PHOTO
    )
    return case.labels[shown] == case.word if blank == 0 else None


def records() -> Mapping[str, list[str]]:
    """Thing -> the labels that the article chose among, the truth first."""
    found = json.loads(_PUBLISHED.read_text(encoding="utf-8"))
    return {
        thing: [label for _, label in shown["blank"]["zero_shot_statistics"]]
        for thing, shown in found.items()
    }


def labelled(folder: Path, record: Mapping[str, Sequence[str]]) -> list[Labelled]:
    """The photos of a folder, THING-WORD.jpg, but those without a label and those that name their thing.

    The labels are the article's for the thing, with the word. For a thing that it has no record of, they are
    the words that all its records share, and the thing's class.
    """
    shared = [label for label in next(iter(record.values())) if all(label in own for own in record.values())]
    found = []
    for path in sorted(folder.glob("*-*.jpg")):
        thing, _, name = path.stem.partition("-")
        word = _WRITTEN.get(name, name)
        own = record.get(thing) or [_UNRECORDED[thing], *shared]
        if name != "blank" and word not in (thing, own[0]):
            labels = tuple(dict.fromkeys([*own, word]))
            found.append(Labelled(thing, word, labels, thing in record and word in own))
    return found
