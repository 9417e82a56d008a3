"""Runs that take turns, what came of them, and where it is written."""

import argparse
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

RESULTS = Path(__file__).parent / "results"


def take_turns(runs: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds that each run took in each round, after one round that is not counted.

    Every other round goes backwards, so that none is always the later one, and a machine that slows down
    slows them all.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name in list(runs)[:: 1 if number % 2 else -1]:
            started = time.perf_counter()
            runs[name]()
            if number:
                seconds[name].append(time.perf_counter() - started)
    return seconds


@dataclass(frozen=True)
class Ratio:
    """How many times as fast as something else, from runs that took turns.

    Args:
        what: both, in words.
        pairs: one ratio a round.
        least: what is asked for; None where nothing is.
    """

    what: str
    pairs: tuple[float, ...]
    least: float | None

    @property
    def middle(self) -> float:
        """The median."""
        return median(self.pairs)

    @property
    def passed(self) -> bool:
        """Whether it is enough."""
        return self.least is None or self.middle >= self.least

    def row(self) -> str:
        """A row of the table below `HEADER`."""
        low, high = min(self.pairs), max(self.pairs)
        wanted = "reported" if self.least is None else f"{self.least:g}"
        found = f"{self.middle:.2f} | {low:.2f} to {high:.2f}"
        return f"| {self.what} | {found} | {wanted} | {'yes' if self.passed else '**no**'} |"

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        return {
            "what": self.what,
            "pairs": self.pairs,
            "median": self.middle,
            "least": self.least,
            "passed": self.passed,
        }


HEADER = ("| times as fast | median | all rounds | at least | reached |", "|---|---:|---|---:|---|")


def ratio(
    what: str, seconds: Mapping[str, list[float]], ours: str, theirs: str, least: float | None = None
) -> Ratio:
    """How many times as fast one run is as another, round by round."""
    pairs = zip(seconds[theirs], seconds[ours], strict=True)
    return Ratio(what, tuple(their / own for their, own in pairs), least)


def about(machine: Mapping) -> str:
    """One line on the machine, for below a title."""
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    return f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}, {versions}"


def parser(doc: str) -> argparse.ArgumentParser:
    """A parser with what all benchmarks have: --json and --write."""
    options = argparse.ArgumentParser(description=doc.partition("\n")[0])
    options.add_argument("--json", action="store_true", help="print one JSON document instead of Markdown")
    options.add_argument("--write", action="store_true", help=f"write both into benchmarks/{RESULTS.name}")
    return options


def publish(name: str, result: dict, report: str, options: argparse.Namespace) -> None:
    """Print a result, and write it where that is wished."""
    document = json.dumps(result, indent=1)
    print(document if options.json else report)
    if options.write:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.json").write_text(document + "\n", encoding="utf-8")
        (RESULTS / f"{name}.md").write_text(report + "\n", encoding="utf-8")
