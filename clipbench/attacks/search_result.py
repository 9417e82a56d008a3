"""What a search for texts came to: the texts that were found, and how they fare on photos it has not seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import ClassVar

from clipbench.attacks.cells import counted, rate_of
from clipbench.intervals import Rate
from clipbench.results import Provenance
from clipbench.tabled import Tabled

_UNLIKELY = 0.05  # over all texts that are compared with the target's own name
_COMMA = ", "  # between the methods in a cell


@dataclass(frozen=True)
class Found:
    """A text and how it fares.

    Args:
        text: the text.
        success: on photos that no search has seen.
        searched: on the photos that the search chose it by.
        gained, lost: photos that no search has seen on which it wins and the target's own name does not, and
            the reverse.
        methods: the searches that found it; ("own name",) for the target itself.
    """

    text: str
    success: Rate
    searched: Rate
    gained: int
    lost: int
    methods: tuple[str, ...]

    @property
    def luck(self) -> float:
        """How likely it would gain so many of the photos on which the two differ if both were equally good.

        Source: McNemar's test, exact and one-sided.
        """
        differ = self.gained + self.lost
        return sum(comb(differ, hits) for hits in range(self.gained, differ + 1)) / 2**differ

    def as_row(self) -> dict:
        """The same as cells of a table."""
        rates = counted("success", self.success) | counted("searched", self.searched)
        against = {"gained": self.gained, "lost": self.lost, "luck": self.luck}
        return {"text": self.text, **rates, **against, "methods": _COMMA.join(self.methods)}

    @classmethod
    def from_row(cls, row: dict) -> "Found":
        """Back from `as_row`, also where the cells have become text."""
        rates = (rate_of(name, row) for name in ("success", "searched"))
        methods = tuple(row["methods"].split(_COMMA))
        return cls(row["text"], *rates, int(row["gained"]), int(row["lost"]), methods)


@dataclass(frozen=True)
class SearchResult(Tabled):
    """The best texts of all searches.

    Args:
        target: the label that was to win.
        found: the texts, those with most success on photos that no search has seen first.
        passes: method -> pictures it had encoded until it had its texts.
        skipped: how many texts of the vocabulary cannot be written.
        unread: name and reason of each photo that could not be read.
        provenance: model, recipe, classifier, seed; n counts the photos that nothing was chosen by.
    """

    target: str
    found: tuple[Found, ...]
    passes: dict[str, int]
    skipped: int
    unread: tuple[tuple[str, str], ...]
    provenance: Provenance
    kind: ClassVar[str] = "a search"
    listed: ClassVar[str] = "found"

    @property
    def own(self) -> Found:
        """How the target's own name fares."""
        return next(one for one in self.found if one.text == self.target)

    @property
    def better(self) -> tuple[Found, ...]:
        """The texts that won more often than the target's own name, on photos that nothing was chosen by."""
        return tuple(one for one in self.found if one.success.hits > self.own.success.hits)

    @property
    def surely_better(self) -> tuple[Found, ...]:
        """Those of them that luck explains in less than 1 of 20 searches, all texts found considered."""
        others = len(self.found) - 1
        return tuple(one for one in self.better if one.luck * others < _UNLIKELY)

    @property
    def best_of(self) -> dict[str, Found]:
        """Method -> the best of the texts that it found."""
        return {method: next(one for one in self.found if method in one.methods) for method in self.passes}

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        return {
            **super().as_dict(),
            "better_than_own_name": [one.text for one in self.better],
            "surely_better": [one.text for one in self.surely_better],
            "best_of": {method: one.text for method, one in self.best_of.items()},
        }

    def about(self) -> dict:
        """All but the texts."""
        own = {"target": self.target, "passes": self.passes, "skipped": self.skipped, "unread": self.unread}
        return {**own, "provenance": self.provenance.as_dict()}

    def cells(self) -> list[dict]:
        """A row for each text."""
        return [one.as_row() for one in self.found]

    @classmethod
    def of_cells(cls, about: dict, cells: Sequence[dict]) -> "SearchResult":
        """Back from both."""
        unread = tuple((name, reason) for name, reason in about["unread"])
        own = (about["target"], tuple(map(Found.from_row, cells)), about["passes"], about["skipped"])
        return cls(*own, unread, Provenance(**about["provenance"]))
