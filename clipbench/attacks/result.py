"""What came of an attack: the outcome for each image, counted as the article counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from clipbench.intervals import Rate
from clipbench.results import Provenance, check_path, npz, read_told, save_bytes
from clipbench.tabled import Tabled

OUTCOMES = ("changed to", "already equal", "changed away", "neither")
UNKNOWN = -1  # in `truth`
_WHOLE, _REAL = ("before", "after", "truth"), ("before_share", "after_share", "target_before", "target_after")
ARRAYS = (*_WHOLE, *_REAL, "cover")
_ABOUT = ("target", "text", "labels", "unread", "notes")  # and the provenance; all but the images


@dataclass(frozen=True, eq=False)
class AttackResult(Tabled):
    """One text on n images, and what a classifier with k labels made of them.

    Args:
        target: the label that the text is to bring about.
        text: what was written.
        labels: k labels.
        names: of the n images.
        before, after: (n,) int, number of the most likely label without and with the text.
        before_share, after_share: (n,) float32, its probability.
        target_before, target_after: (n,) float32, the target's.
        cover: (n,) float32, share of the pixels that the text changed by any amount.
        truth: (n,) int, number of the right label, or -1 where it is not known.
        unread: name and reason of each image that could not be read; they are not among the n.
        notes: sentences on what may not be as expected.
        provenance: model, text, recipe and classifier; n counts images.
    """

    target: str
    text: str
    labels: tuple[str, ...]
    names: tuple[str, ...]
    before: np.ndarray
    after: np.ndarray
    before_share: np.ndarray
    after_share: np.ndarray
    target_before: np.ndarray
    target_after: np.ndarray
    cover: np.ndarray
    truth: np.ndarray
    unread: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    provenance: Provenance
    kind: ClassVar[str] = "the result of an attack"
    listed: ClassVar[str] = "images"
    endings: ClassVar[tuple[str, ...]] = (".npz", *Tabled.endings)

    @property
    def n(self) -> int:
        """How many images were attacked."""
        return len(self.names)

    @cached_property
    def outcomes(self) -> tuple[str, ...]:
        """For each image one of `OUTCOMES`: with the target on top after, both times, before, or never."""
        place = self.labels.index(self.target)
        kinds = 2 * (self.before == place) + (self.after == place)
        named = ("neither", "changed to", "changed away", "already equal")
        return tuple(named[kind] for kind in kinds)

    @property
    def rates(self) -> dict[str, Rate]:
        """Of all images, how many had each outcome; the four shares sum to 1."""
        return {outcome: Rate(self.outcomes.count(outcome), self.n) for outcome in OUTCOMES}

    @property
    def success(self) -> Rate:
        """The article's `fraction_changed_to`: the target is the top label and was not before."""
        return self.rates["changed to"]

    @property
    def of_others(self) -> Rate | None:
        """Of the images that were not taken for the target, how many it won; None without any."""
        rates = self.rates
        free = rates["changed to"].hits + rates["neither"].hits
        return Rate(rates["changed to"].hits, free) if free else None

    @property
    def mean_cover(self) -> float:
        """Mean share of the pixels changed: the article's `avg_img_l0_norm_diff`."""
        return float(self.cover.mean(dtype=np.float64))

    @property
    def clean(self) -> Rate | None:
        """Of the images whose truth is known, how many were right without the text; None without any."""
        known = self.truth != UNKNOWN
        if not known.any():
            return None
        return Rate(int((self.before == self.truth)[known].sum()), int(known.sum()))

    @property
    def of_right(self) -> Rate | None:
        """Of the images that were right without the text, how many the target won; None without any.

        Images whose truth is the target itself are left out.
        """
        place = self.labels.index(self.target)
        right = (self.before == self.truth) & (self.truth != place)
        return Rate(int((self.after == place)[right].sum()), int(right.sum())) if right.any() else None

    def as_dict(self, rows: bool = True) -> dict:
        """The same as plain JSON types; without `rows` the counts alone."""
        clean, of_right = self.clean, self.of_right
        told = {
            "target": self.target,
            "text": self.text,
            "n": self.n,
            "rates": {outcome: rate.as_dict() for outcome, rate in self.rates.items()},
            "cover": self.mean_cover,
            "clean": clean and clean.as_dict(),
            "of_right": of_right and of_right.as_dict(),
            "unread": self.unread,
            "notes": self.notes,
            "provenance": self.provenance.as_dict(),
        }
        return {**told, "labels": self.labels, self.listed: self.cells()} if rows else told

    def about(self) -> dict:
        """All but the images."""
        about = {name: getattr(self, name) for name in _ABOUT}
        return {**about, "provenance": self.provenance.as_dict()}

    def cells(self) -> list[dict]:
        """A row for each image, labels by their names, a truth that is not known as None."""
        columns = {name: getattr(self, name).tolist() for name in ARRAYS}
        for name in _WHOLE:
            columns[name] = [None if place == UNKNOWN else self.labels[place] for place in columns[name]]
        columns = {"name": self.names, **columns, "outcome": self.outcomes}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    @classmethod
    def of_cells(cls, about: dict, cells: Sequence[dict]) -> "AttackResult":
        """Back from both."""
        number = {label: place for place, label in enumerate(about["labels"])} | {None: UNKNOWN, "": UNKNOWN}
        arrays = {name: np.array([number[row[name]] for row in cells]) for name in _WHOLE}
        for name in (*_REAL, "cover"):
            arrays[name] = np.array([float(row[name]) for row in cells], np.float32)
        return cls._of({**about, "names": [row["name"] for row in cells]}, arrays)

    def save(self, path: str | Path) -> Path:
        """As every table is saved; .npz holds the arrays as they are."""
        if check_path(path, self.endings).suffix.lower() != ".npz":
            return super().save(path)
        arrays = {name: getattr(self, name) for name in ARRAYS}
        return save_bytes(npz({**self.about(), "names": self.names}, **arrays), path)

    @classmethod
    def _read(cls, path: Path) -> "AttackResult":
        if path.suffix.lower() != ".npz":
            return super()._read(path)
        told, saved = read_told(path)
        return cls._of(told, {name: saved[name] for name in ARRAYS})

    @classmethod
    def _of(cls, told: dict, arrays: dict[str, np.ndarray]) -> "AttackResult":
        tuples = {name: tuple(told[name]) for name in ("labels", "names", "notes")}
        unread = tuple((name, reason) for name, reason in told["unread"])
        own = {"target": told["target"], "text": told["text"], "unread": unread}
        return cls(**own, **tuples, **arrays, provenance=Provenance(**told["provenance"]))
