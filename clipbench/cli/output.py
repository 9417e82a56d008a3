"""How results are written: tables for people, one JSON document for programs, progress on a terminal."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence

_WARNINGS = 20  # of one kind that are told one by one
_LETTERS = 60  # of a name that are told


def write_json(document: dict) -> None:
    """Print one JSON document, in ASCII, so that it survives every terminal and pipe."""
    print(json.dumps(document, indent=2, allow_nan=False))


def write_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print columns under their names, numbers to the right.

    Args:
        header: n names.
        rows: n cells each: text, whole numbers, other numbers (four digits are shown), or None for nothing.
    """
    rows = list(rows)
    lines = [list(header), *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    numbers = [any(isinstance(value, int | float) for value in column) for column in zip(*rows, strict=True)]
    for line in lines:
        cells = zip(line, widths, numbers, strict=True)
        print(
            "  ".join(
                cell.rjust(width) if right else cell.ljust(width) for cell, width, right in cells
            ).rstrip()
        )


def drop() -> None:
    """Let go of what stdout still holds and cannot write, or the program would stumble over it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def warn(sentence: str) -> None:
    """Print a sentence on stderr."""
    print(f"clipbench: {printable(sentence)}", file=sys.stderr)


def warn_of(reasons: Sequence[tuple[str, str]]) -> None:
    """Print on stderr why named things could not be used: of the first few, and how many more there are."""
    for name, reason in reasons[:_WARNINGS]:
        short = name if len(name) <= _LETTERS else f"{name[:_LETTERS]}…"
        warn(reason if reason.startswith(repr(name)) else f"{short!r}: {reason}")
    if len(reasons) > _WARNINGS:
        warn(f"and {len(reasons) - _WARNINGS:,} more")


def printable(text: str) -> str:
    """The text, escaped if there is something in it that would steer the terminal."""
    return text if text.isprintable() else ascii(text)


def progress(steps: Iterable, total: int | None, unit: str) -> Iterable:
    """The steps themselves, with a bar on stderr as they are read if a terminal is there."""
    from tqdm import tqdm

    return tqdm(steps, total=total, unit=unit, disable=None, leave=False)


def counted(steps: Iterable, unit: str) -> Iterator:
    """The steps themselves, which know their `done` and `total`, with a bar like that of `progress`."""
    from tqdm import tqdm

    with tqdm(unit=unit, disable=None, leave=False) as bar:
        for step in steps:
            bar.total = step.total
            bar.update(step.done - bar.n)
            yield step


def share(value: float) -> str:
    """A share of one as a percentage, always seven letters wide."""
    return f"{100 * value:5.1f} %"


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else printable(str(value))
