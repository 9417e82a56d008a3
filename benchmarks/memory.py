"""How much memory a long optimisation and many short ones leave behind.

The resident memory of the process after five visualisations that are not counted, then after 2,000 steps of
one visualisation, then after 50 visualisations. A reader that keeps nothing should leave nothing.
"""

import gc
import sys

import psutil
import torch
from machine import machine
from turns import about, parser, publish

import clipbench as cb

LIMIT = 20.0  # MB
MB = 2**20
PIXELS = 96
WARM = 5  # visualisations that are not counted: the allocator keeps what it has once been given


def resident() -> float:
    gc.collect()
    return psutil.Process().memory_info().rss / MB


def paint(model, unit: int, steps: int) -> None:
    canvas = cb.parametrizations.fft(PIXELS)
    for _ in cb.visualize(
        model, cb.objectives.channel("conv_head", unit), parametrization=canvas, steps=steps
    ):
        pass


def measure(steps: int, times: int) -> dict[str, object]:
    model = cb.load("mini", device="cpu")
    for unit in range(WARM):
        paint(model, unit, max(10, steps // 100))
    before = resident()
    paint(model, 1, steps)
    long = resident()
    for unit in range(times):
        paint(model, unit, 10)
    many = resident()
    growth = {f"{steps:,} steps": long - before, f"{times} visualisations of 10 steps": many - long}
    return {
        "machine": machine("clipbench", "torch"),
        "threads": torch.get_num_threads(),
        "pixels": PIXELS,
        "before, MB": before,
        "growth, MB": growth,
        "passed": all(grown <= LIMIT for grown in growth.values()),
    }


def report(result: dict[str, object]) -> str:
    """The result as Markdown."""
    lines = ["# Memory that is left behind", "", *__doc__.strip().splitlines()[2:], ""]
    lines += [f"- {about(result['machine'])}, {result['threads']} threads", ""]
    lines += [
        f"| mini, {result['pixels']} px, {result['before, MB']:.0f} MB before | grown by, MB | at most |"
    ]
    lines += ["|---|---:|---:|"]
    lines += [f"| {what} | {grown:.1f} | {LIMIT:g} |" for what, grown in result["growth, MB"].items()]
    return "\n".join(lines)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--steps", type=int, default=2000)
    options.add_argument("--times", type=int, default=50)
    told = options.parse_args()
    result = measure(told.steps, told.times)
    publish("memory", result, report(result), told)
    sys.exit(not result["passed"])


if __name__ == "__main__":
    main()
