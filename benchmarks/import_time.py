"""How long until clipbench is there: `import clipbench` against `import torch`, then loading mini.

Every sample is a fresh process. The kinds take turns, so that a machine that slows down slows them all.
clipbench imports torch when it first needs it; its time, a row of its own, is not counted in the load again.
"""

import argparse
import json
import subprocess
import sys
from statistics import median

from machine import machine

CLOCK = "from time import perf_counter as now; start = now(); "
PROGRAMS = {
    "import torch": CLOCK + "import torch; print(now() - start)",
    "import clipbench": CLOCK + "import clipbench; print(now() - start)",
    'load("mini") after both': "import torch, clipbench; "
    + CLOCK
    + 'clipbench.load("mini"); print(now() - start)',
    "all of it from nothing": CLOCK + 'import clipbench; clipbench.load("mini"); print(now() - start)',
}
LIMIT_RATIO = 1.2
LIMIT_LOAD = 2.0  # s


def sample(program: str) -> float:
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return float(run.stdout)


def measure(rounds: int) -> dict[str, object]:
    for program in PROGRAMS.values():
        sample(program)  # fills the disk cache and writes .pyc files
    seconds = {name: [] for name in PROGRAMS}
    for _ in range(rounds):
        for name, program in PROGRAMS.items():
            seconds[name].append(sample(program))
    torch, clipbench, load, _ = map(median, seconds.values())
    return {
        "machine": machine("clipbench", "torch", "open_clip_torch", "timm"),
        "seconds": seconds,
        "ratio": clipbench / torch,
        "load": load,
        "passed": clipbench / torch <= LIMIT_RATIO and load <= LIMIT_LOAD,
    }


def table(result: dict[str, object]) -> str:
    about = result["machine"]
    lines = [f"{about['cpu']}, {about['cores']} cores, Python {about['python']}", ""]
    lines += [f"{'seconds':24} median    min    max"]
    for name, values in result["seconds"].items():
        lines.append(f"{name:24} {median(values):6.2f} {min(values):6.2f} {max(values):6.2f}")
    lines += ["", f"import clipbench / import torch = {result['ratio']:.2f} (at most {LIMIT_RATIO})"]
    lines += [f'load("mini") = {result["load"]:.2f} s (at most {LIMIT_LOAD} s)']
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="fresh processes of each kind (at least 5)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    options = parser.parse_args()
    if options.rounds < 5:
        parser.error("a median of fewer than 5 rounds says little")
    result = measure(options.rounds)
    print(json.dumps(result, indent=2) if options.json else table(result))
    sys.exit(not result["passed"])


if __name__ == "__main__":
    main()
