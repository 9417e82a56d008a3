"""One published number, and how it is checked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from clipbench.models import ClipModel

Value = str | float | int | tuple[str, ...]
Answers = Iterator[tuple[str, Value]]  # key of a claim, and what was found


@dataclass(frozen=True)
class Claim:
    """A published number, or a published answer.

    Args:
        key: its address, such as "stroop/green/red"; no two are equal.
        what: what it says, in a phrase.
        published: the value.
        method: how it is recomputed.
        tolerance: largest difference from a number that still agrees; of words, how many may be missing.
        needs: what it takes, such as "RN50x4"; empty where the records are enough.
        erratum: what is wrong with the published value, if something is.
        corrected: what is right instead.
    """

    key: str
    what: str
    published: Value
    method: str
    tolerance: float = 0.0
    needs: str = ""
    erratum: str = ""
    corrected: Value | None = None

    @property
    def topic(self) -> str:
        """The part of its key before the first slash."""
        return self.key.partition("/")[0]

    def agrees(self, found: Value) -> bool:
        """Whether what was found is the published value, within the tolerance."""
        return self._equal(self.published, found)

    def errs(self, found: Value) -> bool:
        """Whether it is what the erratum says instead."""
        return self.corrected is not None and self._equal(self.corrected, found)

    def _equal(self, wanted: Value, found: Value) -> bool:
        if isinstance(wanted, str):
            return found == wanted
        if isinstance(wanted, tuple):
            return len(set(wanted) - set(found)) <= self.tolerance
        return abs(found - wanted) <= self.tolerance


def _nothing(*_: ClipModel) -> Answers:
    yield from ()


@dataclass(frozen=True)
class Chapter:
    """The claims of one part of the article.

    Args:
        claims: all of them.
        recount: yields the answers to those that need nothing.
        measure: yields, for a model with RN50x4's units, the answers to those whose `needs` is "RN50x4".
    """

    claims: tuple[Claim, ...]
    recount: Callable[[], Answers] = field(default=_nothing)
    measure: Callable[[ClipModel], Answers] = field(default=_nothing)
