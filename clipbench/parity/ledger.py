"""The ledger: every published number, what was found instead of it, and what could not be run."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path

from clipbench.errors import ClipbenchError
from clipbench.models import ClipModel, ImageModel
from clipbench.parity.claim import Chapter, Claim, Value
from clipbench.results import UNREADABLE, Provenance, save_json
from clipbench.streams import Progress
from clipbench.studies.records import LAYER, MODEL

VERSION = 1  # of the saved form; claims that change get another one
CHAPTERS = ("words", "regions", "emotions", "plots", "attacks")
STATES = ("agrees", "differs", "erratum", "not run")
_UNITS = 2560  # of RN50x4's last layer
_NO_MODEL = Provenance("no weights", "", "the published records, recounted")


@dataclass(frozen=True)
class Row:
    """A claim and what became of it.

    Args:
        claim: the claim.
        found: what was found; None where it was not run.
    """

    claim: Claim
    found: Value | None = None

    @property
    def state(self) -> str:
        """One of `STATES`; "erratum" where it differs as the claim's erratum says that it must."""
        if self.found is None:
            return "not run"
        if self.claim.agrees(self.found):
            return "agrees"
        return "erratum" if self.claim.errs(self.found) else "differs"

    @property
    def reason(self) -> str:
        """Why it was not run, or what is wrong with the published value; may be empty."""
        return f"needs {self.claim.needs}" if self.state == "not run" else self.claim.erratum

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        claim = self.claim
        return {
            "key": claim.key,
            "what": claim.what,
            "published": claim.published,
            "found": self.found,
            "state": self.state,
            "tolerance": claim.tolerance,
            "method": claim.method,
            "needs": claim.needs,
            "erratum": claim.erratum,
        }


@dataclass(frozen=True, eq=False)
class Ledger:
    """All claims, in the order of the chapters.

    Args:
        rows: one a claim.
        provenance: the model that was asked; n counts what was run.
    """

    rows: tuple[Row, ...]
    provenance: Provenance

    @cached_property
    def counts(self) -> dict[str, int]:
        """State -> number of rows."""
        counted = Counter(row.state for row in self.rows)
        return {state: counted[state] for state in STATES}

    @cached_property
    def topics(self) -> dict[str, dict[str, int]]:
        """Topic -> state -> number of rows."""
        counted: dict[str, Counter] = {}
        for row in self.rows:
            counted.setdefault(row.claim.topic, Counter())[row.state] += 1
        return {topic: {state: own[state] for state in STATES} for topic, own in counted.items()}

    @property
    def summary(self) -> str:
        """The counts in a sentence."""
        told = self.counts
        run = len(self.rows) - told["not run"]
        return (
            f"{len(self.rows)} published entries; {run} were run with {self.provenance.model}: "
            f"{told['agrees']} agree, {told['erratum']} are errata of the article, {told['differs']} differ; "
            f"{told['not run']} were not run"
        )

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        rows = [row.as_dict() for row in self.rows]
        told = {"version": VERSION, "summary": self.summary, "counts": self.counts, "topics": self.topics}
        return {**told, "rows": rows, "provenance": self.provenance.as_dict()}

    def save(self, path: str | Path) -> Path:
        """Write what was found into a small JSON file; what was not run is left out."""
        found = {row.claim.key: row.found for row in self.rows if row.found is not None}
        document = {"ledger": VERSION, "found": found, "provenance": self.provenance.as_dict()}
        return save_json(document, path)

    @classmethod
    def load(cls, path: str | Path) -> "Ledger":
        """Read what `save` has written.

        Raises:
            ClipbenchError: it is no ledger, or one of another version.
        """
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise ClipbenchError(f"{str(path)!r} cannot be read; name a file that `--save` wrote") from error
        return cls.read(content, str(path))

    @classmethod
    def read(cls, content: bytes, name: str) -> "Ledger":
        """Read the content of such a file, which errors call by a name.

        Raises:
            ClipbenchError: it is no ledger, or one of another version.
        """
        try:
            told = json.loads(content)
            version, found = told["ledger"], dict(told["found"])
            provenance = Provenance(**told["provenance"])
        except UNREADABLE as error:
            raise ClipbenchError(f"{name!r} is not a ledger; name a file that `--save` wrote") from error
        known = {claim.key: claim.published for _, claim in claims()}
        if version != VERSION or not set(found) <= set(known):
            raise ClipbenchError(
                f"{name!r} is a ledger of version {version}, with other entries than this program's of "
                f"version {VERSION}; make it anew"
            )
        for key, value in found.items():
            if not _is_like(value, known[key]):
                raise ClipbenchError(f"{name!r} tells {value!r} of {key!r}, where it cannot; make it anew")
        return cls(_rows({key: _value(value) for key, value in found.items()}), provenance)

    def compare(self, other: "Ledger") -> tuple[tuple[Row, Row], ...]:
        """The pairs of rows of two ledgers whose states or values differ."""
        pairs = zip(self.rows, other.rows, strict=True)
        return tuple((own, theirs) for own, theirs in pairs if _told(own) != _told(theirs))


@cache
def chapters() -> tuple[Chapter, ...]:
    """The chapters of the ledger, a module each."""
    return tuple(import_module(f"clipbench.parity.{name}").chapter() for name in CHAPTERS)


def claims() -> Iterator[tuple[Chapter, Claim]]:
    """All claims, each with its chapter."""
    return ((chapter, claim) for chapter in chapters() for claim in chapter.claims)


def parity(model: ImageModel | None = None) -> Iterator[Progress[Ledger]]:
    """Hold the article's numbers against its records and, where it has its units, against a model.

    Args:
        model: with RN50x4 of OpenAI's weights, what needs only those is measured; with any other model,
            as with None, those entries are told as not run.

    Yields:
        The ledger with what is known, again and again; the last one with all of it.
    """
    asked = model if has_units(model) else None
    provenance, found = _NO_MODEL, {}
    if model is not None:
        recipe = "the published records, recounted" + ("; its units measured" if asked is not None else "")
        provenance = Provenance(model.name, model.weights_hash, recipe)
    parts = chapters()
    needed = {"", MODEL} if asked is not None else {""}
    total = sum(claim.needs in needed for chapter in parts for claim in chapter.claims)
    for chapter in parts:
        for key, value in (*chapter.recount(), *(chapter.measure(asked) if asked is not None else ())):
            found[key] = value
        yield Progress(len(found), total, Ledger(_rows(found), provenance))


def has_units(model: ImageModel | None) -> bool:
    """Whether a model is an RN50x4, whose layer4 has the article's 2,560 units."""
    named = model is not None and model.name.startswith(MODEL) and isinstance(model, ClipModel)
    return named and LAYER in model.layers and model.layer(LAYER).channels == _UNITS


def _rows(found: dict[str, Value]) -> tuple[Row, ...]:
    return tuple(Row(claim, found.get(claim.key)) for _, claim in claims())


def _is_like(saved: object, published: Value) -> bool:
    """Whether a saved value is of the published one's kind: a text, several, or a number."""
    if isinstance(published, tuple):
        return isinstance(saved, list) and all(isinstance(one, str) for one in saved)
    kind = str if isinstance(published, str) else (int, float)
    return isinstance(saved, kind) and not isinstance(saved, bool)


def _value(saved: Value | list) -> Value:
    return tuple(saved) if isinstance(saved, list) else saved


def _told(row: Row) -> tuple[str, Value | None]:
    """State and value; numbers to nine digits, so that the last bit of a sum makes no difference."""
    return row.state, round(row.found, 9) if isinstance(row.found, float) else row.found
