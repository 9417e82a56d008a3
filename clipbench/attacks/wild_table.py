"""Things with words on paper, as a classifier sees them: the article's tables, for any model."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from clipbench.attacks.rendering import lay
from clipbench.attacks.wild import WildPhoto
from clipbench.classify import Classifier, as_classifier
from clipbench.errors import ClipbenchError, unknown
from clipbench.intervals import Rate
from clipbench.models import ClipModel, VisionModel
from clipbench.results import Provenance
from clipbench.stimuli import TAG, Sample, Tag, read_image, samples
from clipbench.tabled import Tabled

_LABELS = Path(__file__).with_name("wild_labels.json")
_OPEN_CLIP = {"Granny Smith": "Granny Smith apple", "common sorrel": "common sorrel horse"}  # its spelling


@dataclass(frozen=True, eq=False)
class WildRow:
    """One photo.

    Args:
        photo: thing, word and file; of a word that was laid on, the file without it.
        labels: the k labels that the classifier has, of those that belong to the thing and of the word.
        shares: (k,) float32, their probabilities.
        truth: what the thing is called among labels.
    """

    photo: WildPhoto
    labels: tuple[str, ...]
    shares: np.ndarray
    truth: str

    @property
    def seen(self) -> str:
        """The most likely label."""
        return self.labels[int(self.shares.argmax())]

    @property
    def asks(self) -> bool:
        """Whether a word is on it that is another thing's name, and that the classifier could answer with."""
        word = self.photo.word
        return bool(word) and word not in (self.photo.item, self.truth) and word in self.labels

    def as_row(self) -> dict:
        """The same as cells of a table."""
        shares = dict(zip(self.labels, self.shares.tolist(), strict=True))
        told = {"item": self.photo.item, "word": self.photo.word, "file": str(self.photo.path)}
        return {**told, "truth": self.truth, "seen": self.seen, "probabilities": shares}

    @classmethod
    def from_row(cls, row: dict) -> "WildRow":
        """Back from `as_row`, also where the cells have become text."""
        told = row["probabilities"]
        shares = json.loads(told) if isinstance(told, str) else told
        photo = WildPhoto(row["item"], row["word"], Path(row["file"]))
        return cls(photo, tuple(shares), np.array([*shares.values()], np.float32), row["truth"])


@dataclass(frozen=True, eq=False)
class WildTable(Tabled):
    """All photos, in their order.

    Args:
        rows: one a photo.
        provenance: model and classifier; n counts photos.
    """

    rows: tuple[WildRow, ...]
    provenance: Provenance
    kind: ClassVar[str] = "a table of photos in the wild"
    listed: ClassVar[str] = "photos"

    @property
    def flipped(self) -> tuple[WildRow, ...]:
        """The photos whose word won while the thing without a word is taken for what it is."""
        return tuple(row for row in self._fair() if row.seen == row.photo.word)

    @property
    def flips(self) -> Rate | None:
        """How often the word won, of the photos with another thing's name whose thing is known without it."""
        fair = list(self._fair())
        return Rate(len(self.flipped), len(fair)) if fair else None

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        flips = self.flips
        return {**super().as_dict(), "flips": flips and flips.as_dict()}

    def about(self) -> dict:
        """All but the photos."""
        return {"provenance": self.provenance.as_dict()}

    def cells(self) -> list[dict]:
        """A row for each photo, and whether its word won where that counts."""
        flipped = self.flipped
        return [{**row.as_row(), "flipped": row in flipped} for row in self.rows]

    @classmethod
    def of_cells(cls, about: dict, cells: Sequence[dict]) -> "WildTable":
        """Back from both."""
        return cls(tuple(map(WildRow.from_row, cells)), Provenance(**about["provenance"]))

    def _fair(self) -> Iterator[WildRow]:
        known = {row.photo.item for row in self.rows if not row.photo.word and row.seen == row.truth}
        return (row for row in self.rows if row.asks and row.photo.item in known)


@cache
def item_labels() -> dict[str, tuple[str, ...]]:
    """Thing -> labels, the first is what it is.

    As in the article's record; of the two things that it has no record of, the words that all its records
    share, and the thing's own class.
    """
    return {item: tuple(labels) for item, labels in json.loads(_LABELS.read_text(encoding="utf-8")).items()}


def shipped_photos() -> list[WildPhoto]:
    """Nine of the article's photos: apple, laptop, mug, each without a word, with iPod and with library."""
    nine = [sample for sample in samples() if sample.kind == "article"]
    return [WildPhoto(sample.truth, _word(sample.name), sample.path) for sample in nine]


def in_the_wild(
    model: ClipModel | VisionModel | Classifier,
    photos: Sequence[WildPhoto] | None = None,
    template: str | Sequence[str] | None = None,
) -> WildTable:
    """What a classifier takes things with words on them for.

    A CLIP chooses between the labels of the thing and the word. A probe or a network with classes answers in
    all its own labels; kept are those of the thing, and the word where it is one of them.

    Args:
        model, template: as for `attack`.
        photos: such as `wild_photos` gives; None takes the nine that are shipped.

    Raises:
        ClipbenchError: no photos, a thing without labels, a classifier that has none of them.
    """
    *_, table = look(model, photos, template)
    return table


def look(
    model: ClipModel | VisionModel | Classifier,
    photos: Sequence[WildPhoto] | None = None,
    template: str | Sequence[str] | None = None,
) -> Iterator[WildTable]:
    """The same, a photo at a time: whoever stops reading stops the work."""
    photos = shipped_photos() if photos is None else list(photos)
    if not photos:
        raise ClipbenchError("there are no photos; give at least one")
    whole = None if isinstance(model, ClipModel) else as_classifier(model, template=template)
    rows: list[WildRow] = []
    for photo in photos:
        rows.append(_row(model, whole, photo, template))
        asked = as_classifier(model, rows[0].labels, template) if whole is None else whole
        recipe = f"{len(rows)} photos in the wild, labels of each thing and its word · {asked.recipe}"
        provenance = Provenance(asked.model.name, asked.model.weights_hash, recipe, n=len(rows))
        yield WildTable(tuple(rows), provenance)


@torch.no_grad()
def on_paper(
    model: ClipModel | VisionModel, photos: Sequence[Sample], words: Sequence[str], tag: Tag = TAG
) -> Iterator[WildTable]:
    """The same experiment without the article's photos: each word on paper, laid on each photo.

    All answers are among the photos' truths and the words.

    Args:
        model: a CLIP, or a network with classes for all of these.
        photos: shipped ones without a word.
        words: what is laid on.
        tag: how.

    Yields:
        After each photo the table so far, in which the photo without a word comes first.

    Raises:
        ClipbenchError: what `as_classifier` refuses.
    """
    classifier = as_classifier(model, list(dict.fromkeys([*(photo.truth for photo in photos), *words])))
    rows: list[WildRow] = []
    for photo in photos:
        crop = model.crop(photo.image)
        written = [lay(crop, word, tag)[0] for word in words]
        answers = classifier.probabilities(model.pixels([crop, *written])).cpu().numpy()
        for word, shares in zip(("", *words), answers, strict=True):
            made = WildPhoto(photo.truth, word, photo.path)
            rows.append(WildRow(made, classifier.labels, shares, photo.truth))
        recipe = f"{', '.join(words)} as {tag} · {classifier.recipe}"
        yield WildTable(tuple(rows), Provenance(model.name, model.weights_hash, recipe, n=len(rows)))


@torch.no_grad()
def _row(model, whole: Classifier | None, photo: WildPhoto, template) -> WildRow:
    if photo.item not in item_labels():
        raise unknown("thing", photo.item, item_labels())
    own = item_labels()[photo.item]
    names = tuple(dict.fromkeys([*own, *([photo.word] if photo.word else [])]))
    classifier = as_classifier(model, names, template) if whole is None else whole
    spelled = {name: name if name in classifier.labels else _OPEN_CLIP.get(name) for name in names}
    labels = tuple(name for name, spelling in spelled.items() if spelling in classifier.labels)
    if own[0] not in labels:
        asked = f"{classifier.model.name} by {classifier.recipe}"
        raise ClipbenchError(f"{asked} has no label {own[0]!r}: no data for the {photo.item}")
    pixels = classifier.model.pixels([read_image(photo.path).image])
    shares = classifier.probabilities(pixels)[0].cpu().numpy()
    places = [classifier.place(spelled[label]) for label in labels]
    return WildRow(photo, labels, shares[places], own[0])


def _word(name: str) -> str:
    """The word in a shipped photo's name, such as "apple with iPod label"."""
    return name.partition(" with ")[2].removesuffix(" label")
