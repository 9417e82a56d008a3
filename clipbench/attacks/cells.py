"""Rates as cells of a table, and back."""

from clipbench.intervals import Rate


def counted(name: str, rate: Rate | None) -> dict:
    """A rate as five cells: hits, n, share, and its 95 % interval; all None where there is none."""
    low, high = (None, None) if rate is None else rate.interval
    cells = (None, None, None) if rate is None else (rate.hits, rate.n, rate.share)
    names = ("hits", "n", "share", "low", "high")
    return {f"{name}_{each}": cell for each, cell in zip(names, (*cells, low, high), strict=True)}


def rate_of(name: str, row: dict) -> Rate | None:
    """Back from `counted`, also where the cells have become text."""
    hits, n = row[f"{name}_hits"], row[f"{name}_n"]
    return None if n in (None, "") else Rate(int(hits), int(n))
