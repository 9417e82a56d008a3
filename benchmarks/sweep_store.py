"""How long it takes to find a unit's top 20 in a store of many images, and how much memory.

The store holds random numbers, which compress worse than any network's. The questions are asked by a process
that has just been started; the files are in the system's cache, as after a sweep.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from machine import machine

from clipbench.sweeps.shelf import BLOCK, Rows, Shelf

UNITS, LIMIT_SECONDS, LIMIT_BYTES = 1280, 0.1, 100e6
READER = """
import re, sys, time
from pathlib import Path
from clipbench.sweeps import Store
def told(field):  # of Linux, in kB
    return int(re.search(rf"{field}:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew, without the import's
before, store = told("VmRSS"), Store.open(sys.argv[1])
times = []
for unit in map(int, sys.argv[2:]):
    started = time.perf_counter()
    store.top(f"conv_head:{unit}", 20)
    times.append(time.perf_counter() - started)
print(told("VmHWM") - before, *times)
"""


def fill(place: Path, n: int) -> Shelf:
    attributes = {
        "model": "mini", "weights_hash": "0" * 12, "preprocessing": "none", "image_size": 224, "view": 1.0,
        "stimuli": "0" * 12, "origin": {"kind": "images", "root": "photos", "column": "image"},
        "n": n, "block": BLOCK, "begun": "2026-01-01T00:00:00+00:00", "versions": {},
    }  # fmt: skip
    names = [f"photos of things/class {at % 1000:04}/{at:08}.jpg" for at in range(n)]
    shelf = Shelf.create(place, "key", attributes, names, [bytes(16)] * n)
    shelf.add_layer("conv_head", UNITS, 32, (7, 7))
    rng = np.random.default_rng(0)
    for block in range(shelf.blocks):
        start, stop = shelf.span(block)
        shape = (stop - start, UNITS)
        values = rng.normal(size=(2, *shape)).astype(np.float16)
        shelf.write("conv_head", block, Rows(*values, rng.integers(0, 49, shape, dtype=np.uint8)))
    shelf.consolidate()
    return shelf


def measure(n: int, questions: int) -> dict:
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as home:
        place = Path(home) / "store"
        started = perf_counter()
        fill(place, n)
        writing = perf_counter() - started
        size = sum(file.stat().st_size for file in place.rglob("layers/**/*") if file.is_file())
        units = [str(unit) for unit in rng.integers(0, UNITS, questions)]
        run = subprocess.run(
            [sys.executable, "-c", READER, str(place), *units], capture_output=True, text=True, check=True
        )
    memory, *times = map(float, run.stdout.split())
    return {
        "machine": machine("clipbench", "zarr", "numpy"),
        "images": n,
        "units": UNITS,
        "seconds to write": writing,
        "bytes an image and layer": size / n,
        "seconds for a top 20": {"first": times[0], "median": median(times), "most": max(times)},
        "bytes above the import": memory,
        "passed": median(times) <= LIMIT_SECONDS and memory <= LIMIT_BYTES,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--questions", type=int, default=20)
    options = parser.parse_args()
    result = measure(options.images, options.questions)
    print(json.dumps(result, indent=2))
    sys.exit(not result["passed"])


if __name__ == "__main__":
    main()
