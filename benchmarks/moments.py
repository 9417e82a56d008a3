"""How long a stop may have to wait: the longest time between two results of the work behind each button.

    python benchmarks/moments.py [--seconds S] [TAB …] > benchmarks/results/moments.md

Work ends after the result that it is at when somebody presses Stop. The panels are made as the dashboard
makes them, without a browser; each work is read for at most S seconds, as its button would start it with what
stands in the panel. The first result counts, too. What was measured before and is kept in the cache comes at
once: set XDG_CACHE_HOME to an empty folder to see all of it.
"""

import argparse
from collections.abc import Iterator
from time import perf_counter, sleep

import ipywidgets as w

import clipbench as cb
from widgets.studies import STUDIES
from widgets.tabs import TABS, Tabs
from widgets.worker import Worker

LIMIT = 1.0  # seconds


def workers(widget: w.Widget) -> Iterator[Worker]:
    """All buttons with work behind them below a widget."""
    if isinstance(widget, Worker):
        yield widget
    for child in getattr(widget, "children", ()):
        yield from workers(child)


def waits(worker: Worker, seconds: float) -> list[float]:
    """Seconds until the first result, and between any two; empty where a control is not set."""
    work, found = worker._work(), []
    if work is None:
        return found
    started = last = perf_counter()
    for _ in work():
        now = perf_counter()
        found.append(now - last)
        last = now
        if now - started > seconds:
            break
    return found


def main() -> None:
    """Print a row for each button of each panel."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("tabs", nargs="*", metavar="TAB", help=f"of {', '.join(TABS)} (default: all)")
    parser.add_argument("--seconds", type=float, default=30.0, metavar="S", help="of each work (default: 30)")
    options = parser.parse_args()
    print("| panel | button | results | longest wait, s | at most 1 s |\n|---|---|---:|---:|---|")
    for tab in options.tabs or TABS:
        for study in STUDIES if tab == "studies" else [""]:
            tabs = Tabs({"tab": tab, "study": study})
            while tabs._bench.model is None:
                sleep(0.1)
            sleep(5)  # what a panel reads when it opens
            for worker in workers(tabs):
                print(row(f"{tab} {study}".strip(), worker, options.seconds), flush=True)


def row(panel: str, worker: Worker, seconds: float) -> str:
    """A row of the table."""
    try:
        found = waits(worker, seconds)
    except cb.ClipbenchError as error:
        return f"| {panel} | {worker._name} | {error} | | |"
    if not found:
        return f"| {panel} | {worker._name} | something has to be chosen first | | |"
    verdict = "yes" if max(found) <= LIMIT else "no"
    return f"| {panel} | {worker._name} | {len(found)} | {max(found):.2f} | {verdict} |"


if __name__ == "__main__":
    main()
