"""The table of country_units.py and emotion_units.py: counts with intervals, beside chance."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from machine import machine

from clipbench.intervals import Rate, usual
from clipbench.studies.country_units import CountryUnits
from clipbench.studies.feeling_units import FeelingUnits

RESULTS = Path(__file__).parent / "results"
Measure = Callable[[str], tuple[list[dict], list[dict]]]


def row(
    found: CountryUnits | FeelingUnits, rule: str, rate: Rate, permuted: np.ndarray, least: int | None = None
) -> dict:
    """A count, what chance gives, and what it should reach."""
    low, high = usual(permuted)
    above = (1 + int((permuted >= rate.hits).sum())) / (1 + len(permuted))
    chance = {"mean": float(permuted.mean()), "low": low, "high": high, "p": above}
    told = found.provenance.as_dict()
    return {"rule": rule, "found": rate.as_dict(), "chance": chance, "least": least, "provenance": told}


def markdown(rows: list[dict], what: str) -> str:
    """A line for each row."""
    lines = [
        f"| model | rule | {what} | 95 % interval | chance, 95 % of shufflings | p | at least |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for one in rows:
        found, chance = one["found"], one["chance"]
        low, high = found["interval"]
        told = f"{one['provenance']['model']} | {one['rule']} | {found['hits']} of {found['n']}"
        by_chance = f"{chance['mean']:.1f}, {chance['low']} to {chance['high']} | {chance['p']:.3f}"
        wanted = "" if one["least"] is None else one["least"]
        lines.append(f"| {told} | {low:.0%} to {high:.0%} | {by_chance} | {wanted} |")
    return "\n".join(lines)


def run(about: str, name: str, what: str, measure: Measure, models: list[str]) -> None:
    """Read the command line, measure each model, print and write.

    Args:
        about: the script's own docstring.
        name: of the files in `RESULTS`.
        what: what is counted.
        measure: name of a model -> rows of the table, and one row for each thing asked for.
        models: that are measured where none is named.
    """
    parser = argparse.ArgumentParser(description=about.partition("\n")[0])
    parser.add_argument("models", nargs="*", default=models, metavar="MODEL")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of Markdown")
    parser.add_argument("--write", action="store_true", help=f"write both into benchmarks/{RESULTS.name}")
    options = parser.parse_args()
    measured = {model: measure(model) for model in options.models}
    rows = [one for own, _ in measured.values() for one in own]
    each = {model: single for model, (_, single) in measured.items()}
    found = {"rows": rows, "each": each, "machine": machine("torch", "open-clip-torch")}
    document, table = json.dumps(found, indent=1), markdown(rows, what)
    print(document if options.json else table)
    if options.write:
        (RESULTS / f"{name}.json").write_text(document + "\n", encoding="utf-8")
        (RESULTS / f"{name}.md").write_text(f"{about}\n{table}\n", encoding="utf-8")
