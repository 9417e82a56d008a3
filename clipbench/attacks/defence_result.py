"""What a defence came to: success of attacks against accuracy, beside the controls, and its judgement."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from clipbench import tables
from clipbench.attacks.cells import counted, rate_of
from clipbench.attacks.result import check_ending
from clipbench.errors import ClipbenchError
from clipbench.intervals import Rate
from clipbench.results import UNREADABLE, Provenance, read_json, save_bytes, save_json

KINDS = ("reading", "random", "matched")
POINTS = 0.03  # of accuracy that a defence may cost
_HALVES = ("told on", "found on")  # of photos and texts: `rows`, `found`


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

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        rates = {"success": self.success.as_dict(), "clean": self.clean.as_dict()}
        return {"kind": self.kind, "k": self.k, **rates}

    @classmethod
    def from_dict(cls, told: dict) -> "Held":
        """Back from `as_dict`."""
        return cls(told["kind"], told["k"], *(Rate.from_dict(told[rate]) for rate in ("success", "clean")))

    def as_row(self, half: str) -> dict:
        """The same as cells of a table, and on which half of photos and texts it was measured."""
        rates = counted("success", self.success) | counted("clean", self.clean)
        return {"half": half, "kind": self.kind, "k": self.k, **rates}

    @classmethod
    def from_row(cls, row: dict) -> "Held":
        """Back from `as_row`."""
        return cls(row["kind"], int(row["k"]), *(rate_of(rate, row) for rate in ("success", "clean")))


@dataclass(frozen=True, eq=False)
class Defence:
    """Success of attacks against accuracy, for growing numbers of held units.

    Args:
        layer: where units are held.
        units: all units of the layer, those that carry the attack first; of a projection, directions. None
            while they are looked for.
        rows: the settings, on photos and texts that nothing was chosen by; the first holds nothing. Empty
            before any photo is done.
        found: the same for the units found, on the photos and texts that they were found on; by it their
            number is chosen.
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
    endings: ClassVar[tuple[str, ...]] = (".json", *tables.ENDINGS)  # of its files

    @property
    def chosen(self) -> int | None:
        """The smallest k that halves the attack and costs at most `POINTS`, where the units were found."""
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
        best = self.best
        return {
            **self._about(),
            "rows": [row.as_dict() for row in self.rows],
            "found": [row.as_dict() for row in self.found],
            "best": best and best.as_dict(),
            "works": self.works,
            "summary": self.summary,
        }

    def save(self, path: str | Path) -> Path:
        """Write all of it as .json, or as a table with a row for each setting, .csv or .parquet.

        Raises:
            ClipbenchError: another ending, nothing measured yet, or a file that cannot be written.
        """
        ending = check_ending(path, self.endings)
        if ending == ".json":
            return save_json(self.as_dict(), path)
        if not self.rows:
            raise ClipbenchError("nothing has been measured yet that a table could hold")
        rows = [row.as_row(half) for half, rows in self._halves().items() for row in rows]
        return save_bytes(tables.table_bytes(self._about(), rows, ending), path)

    @classmethod
    def load(cls, path: str | Path) -> "Defence":
        """Read what `save` has written; a ClipbenchError if it is not that."""
        path = Path(path)
        try:
            if path.suffix in tables.ENDINGS:
                told, cells = tables.read_table(path)
                of_half = {half: [row for row in cells if row["half"] == half] for half in _HALVES}
                rows, found = (tuple(map(Held.from_row, of_half[half])) for half in _HALVES)
            else:
                told = read_json(path)
                rows, found = (tuple(map(Held.from_dict, told[name])) for name in ("rows", "found"))
            progress, provenance = (told["done"], told["total"]), Provenance(**told["provenance"])
            return cls(told["layer"], tuple(told["units"]), rows, found, *progress, provenance)
        except UNREADABLE as error:
            raise ClipbenchError(f"{str(path)!r} is not a defence that clipbench has written") from error

    def _halves(self) -> dict[str, tuple[Held, ...]]:
        return dict(zip(_HALVES, (self.rows, self.found), strict=True))

    def _about(self) -> dict:
        own = {"layer": self.layer, "units": self.units, "done": self.done, "total": self.total}
        return {**own, "provenance": self.provenance.as_dict()}


def _good(row: Held, plain: Held) -> bool:
    halved = plain.success.hits > 0 and row.success.share <= plain.success.share / 2
    return halved and row.clean.share >= plain.clean.share - POINTS
