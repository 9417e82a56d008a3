"""How much memory a long optimisation and many short ones leave behind.

The resident memory of the process after some visualisations that are not counted; then, three times over,
what it grows by over 2,000 steps of one visualisation and over 50 visualisations. A reader that keeps nothing
should leave nothing. What the C library has been given back and keeps for the next request is no growth, so
before each reading it is asked to let go of it (glibc's malloc_trim); what the system counts without that is
told beside it.
"""

import ctypes
import gc
import sys

import psutil
import torch
from machine import machine
from tqdm import tqdm
from turns import about, parser, publish

import clipbench as cb

LIMIT = 20.0  # MB
MB = 2**20
PIXELS = 96
WARM = 5  # visualisations that are not counted
ROUNDS = 3


def resident() -> tuple[float, float]:
    """Resident memory in MB: what the process holds, and with what its C library keeps for later."""
    process = psutil.Process()
    kept = process.memory_info().rss / MB
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
    return process.memory_info().rss / MB, kept


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
    resident()  # lets go of what loading took
    readings = [resident()]
    for _ in tqdm(range(ROUNDS), unit="round"):
        paint(model, 1, steps)
        readings.append(resident())
        for unit in range(times):
            paint(model, unit, 10)
        readings.append(resident())
    grown = [
        (now[0] - before[0], now[1] - before[1]) for before, now in zip(readings, readings[1:], strict=False)
    ]
    growth = {f"{steps:,} steps": grown[::2], f"{times} visualisations of 10 steps": grown[1::2]}
    return {
        "machine": machine("clipbench", "torch"),
        "threads": torch.get_num_threads(),
        "mini": model.weights_hash,
        "pixels": PIXELS,
        "before, MB": readings[0],
        "growth, MB": growth,
        "passed": all(held <= LIMIT for rounds in growth.values() for held, _ in rounds),
    }


def report(result: dict[str, object]) -> str:
    """The result as Markdown."""
    lines = ["# Memory that is left behind", "", *__doc__.strip().splitlines()[2:], ""]
    lines += [f"- {about(result['machine'])}, {result['threads']} threads"]
    lines += [f"- mini {result['mini']}, {result['pixels']} px, {result['before, MB'][0]:.0f} MB before", ""]
    lines += ["| over | n | grown by at most, MB | every time | untrimmed | at most | reached |"]
    lines += ["|---|---:|---:|---|---|---:|---|"]
    for what, rounds in result["growth, MB"].items():
        most = max(held for held, _ in rounds)
        told = (", ".join(f"{grown:+.1f}" for grown in ways) for ways in zip(*rounds, strict=True))
        row = (what, len(rounds), f"{most:.1f}", *told, f"{LIMIT:g}", "yes" if most <= LIMIT else "**no**")
        lines += [f"| {' | '.join(map(str, row))} |"]
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
