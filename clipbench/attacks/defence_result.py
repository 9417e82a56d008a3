"""What a defence came to: success of attacks against accuracy, beside the controls, and its judgement."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from clipbench.attacks.cells import counted, rate_of
from clipbench.intervals import Rate
from clipbench.results import Provenance
from clipbench.tabled import Tabled

KINDS = ("reading", "random", "matched")
POINTS = 0.03  # of accuracy that a defence may cost
_HALVES = ("told on", "chosen on")  # of photos and texts: `rows`, `found`


@dataclass(frozen=True)
class Held:
    """What holding k units came to.

    Args:
        kind: "reading", the units found; "random"; "matched", as active on clean photos as those found; or
            "none" for k = 0.
        k: how many units were held.
        success: of the attacks, all photos and texts together; of "random" all draws together. Its interval
            takes pairs of photo and text as independent, which those of one photo are not quite.
        clean: photos without text that were right; of "random" all draws together.
    """

    kind: str
    k: int
    success: Rate
    clean: Rate

    def as_row(self, half: str) -> dict:
        """The same as cells of a table, and on which half of photos and texts it was measured."""
        rates = counted("success", self.success) | counted("clean", self.clean)
        return {"half": half, "kind": self.kind, "k": self.k, **rates}

    @classmethod
    def from_row(cls, row: dict) -> "Held":
        """Back from `as_row`, also where the cells have become text."""
        return cls(row["kind"], int(row["k"]), *(rate_of(rate, row) for rate in ("success", "clean")))


@dataclass(frozen=True, eq=False)
class Defence(Tabled):
    """Success of attacks against accuracy, for growing numbers of held units.

    Args:
        layer: where units are held.
        units: all units of the layer, those that carry the attack first; of a projection, directions. None
            while they are looked for.
        rows: the settings, on photos and texts that nothing was chosen by; the first holds nothing. Empty
            before any photo is done.
        found: the same for the units found, on the photos that they were found on, with the texts that their
            number is chosen by.
        done, total: photos, of both halves.
        provenance: model, recipe, seed; n counts the photos so far that nothing was chosen by.
    """

    layer: str
    units: tuple[int, ...]
    rows: tuple[Held, ...]
    found: tuple[Held, ...]
    done: int
    total: int
    provenance: Provenance
    kind: ClassVar[str] = "a defence"

    @property
    def chosen(self) -> int | None:
        """The smallest k that halves the attack and costs at most `POINTS`, by `found`."""
        kept = (row.k for row in self.found[1:] if _good(row, self.found[0]))
        return next(kept, None)

    @property
    def best(self) -> Held | None:
        """What holding that many came to, on photos and texts that nothing was chosen by."""
        of_k = (row for row in self.rows if row.kind == "reading" and row.k == self.chosen)
        return next(of_k, None)

    @property
    def works(self) -> bool:
        """Whether that is as good there, and both controls of its size leave clearly more of the attack.

        Clearly: their intervals of success begin above the end of the set's own.
        """
        best = self.best
        if best is None or not _good(best, self.rows[0]):
            return False
        controls = [row for row in self.rows if row.k == best.k and row.kind in ("random", "matched")]
        clear = all(row.success.interval[0] > best.success.interval[1] for row in controls)
        return len(controls) == 2 and clear

    @property
    def summary(self) -> str:
        """The outcome in a sentence."""
        if not self.rows:
            return "nothing has been measured yet"
        plain, best = self.rows[0], self.best
        base = f"{plain.success.share:.0%} of attacks succeed and {plain.clean.share:.0%} of photos are right"
        if best is None:
            points = f"{100 * POINTS:.0f} points of the other"
            return f"the defence does not work: {base}, and no set that was tried halves the one at {points}"
        told = f"with {best.k} held {best.success.share:.0%} and {best.clean.share:.0%}"
        if self.works:
            return f"the defence works: {base}; {told}"
        if _good(best, plain):
            return f"the defence does not clearly beat its controls: {base}; {told}"
        return f"the defence does not work: {base}; {told}, on photos and texts that nothing was chosen by"

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        judged = {"chosen": self.chosen, "works": self.works, "summary": self.summary}
        return {**super().as_dict(), **judged}

    def about(self) -> dict:
        """All but what was measured."""
        own = {"layer": self.layer, "units": self.units, "done": self.done, "total": self.total}
        return {**own, "provenance": self.provenance.as_dict()}

    def cells(self) -> list[dict]:
        """A row for each setting, of both halves."""
        halves = zip(_HALVES, (self.rows, self.found), strict=True)
        return [row.as_row(half) for half, rows in halves for row in rows]

    @classmethod
    def of_cells(cls, about: dict, cells: Sequence[dict]) -> "Defence":
        """Back from both."""
        of_half = {half: [row for row in cells if row["half"] == half] for half in _HALVES}
        rows, found = (tuple(map(Held.from_row, of_half[half])) for half in _HALVES)
        measured = (tuple(about["units"]), rows, found, about["done"], about["total"])
        return cls(about["layer"], *measured, Provenance(**about["provenance"]))


def _good(row: Held, plain: Held) -> bool:
    halved = plain.success.hits > 0 and row.success.share <= plain.success.share / 2
    return halved and row.clean.share >= plain.clean.share - POINTS
