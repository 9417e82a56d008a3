"""A sweep that is killed at random moments, and resumed each time, against one that was left alone.

Each life is a process of its own that gets SIGKILL some time after its first sign of life. What is asserted:
the store ends with the same bits, no image is done twice over, and no life loses more than one block of what
the one before it had told.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, sleep

from machine import machine
from sweep_photos import differences, make_photos

from clipbench.sweeps import Store

CHILD = """
import sys, torch
torch.set_num_threads(1)
import clipbench as cb
_, model, photos, store, block = sys.argv
for step in cb.sweep(cb.load(model, device="cpu"), photos, store=store, block=int(block)):
    print(step.stage, step.done, step.resumed, flush=True)
"""


def life(model: str, photos: Path, store: Path, block: int, seconds: float | None) -> tuple[int, int, bool]:
    """One process, killed after some seconds of sweeping: images resumed, images told, whether it ended."""
    command = [sys.executable, "-c", CHILD, model, str(photos), str(store), str(block)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    while not (line := process.stdout.readline()).startswith("sweeping"):
        if not line:
            raise RuntimeError("the sweep ended before it began")
    resumed = int(line.split()[2])
    if seconds is not None:
        sleep(seconds)
        process.send_signal(signal.SIGKILL)
    told = [line, *process.stdout.read().splitlines()]
    whole = [one.split() for one in told if len(one.split()) == 3]
    return resumed, int(whole[-1][1]), process.wait() == 0


def measure(model: str, kills: int, images: int, block: int, longest: float) -> dict:
    rng, lives, lost, before = random.Random(0), 0, [], 0
    with tempfile.TemporaryDirectory() as home:
        photos = make_photos(Path(home) / "photos", images, side=96)
        started = perf_counter()
        life(model, photos, Path(home) / "alone", block, None)
        alone = perf_counter() - started
        killed = 0
        while True:
            seconds = rng.uniform(0, longest) if killed < kills else None
            resumed, told, ended = life(model, photos, Path(home) / "killed", block, seconds)
            lives += 1
            lost.append(before - resumed)
            before = told
            if ended:
                break
            killed += 1
        stores = [Store.open(Path(home) / name) for name in ("alone", "killed")]
        differ = differences(*stores)
    passed = killed >= kills and not any(differ.values()) and max(lost) <= block
    return {
        "machine": machine("clipbench", "torch", "zarr"),
        "model": model,
        "images": images,
        "block": block,
        "kills": killed,
        "lives": lives,
        "seconds alone": alone,
        "most images lost by a kill": max(lost),
        "numbers that differ": differ,
        "passed": passed,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="mini/random")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--images", type=int, default=1600)
    parser.add_argument("--block", type=int, default=16)
    parser.add_argument("--longest", type=float, default=0.8, help="seconds that a life sweeps at most")
    options = parser.parse_args()
    result = measure(options.model, options.kills, options.images, options.block, options.longest)
    print(json.dumps(result, indent=2))
    sys.exit(not result["passed"])


if __name__ == "__main__":
    main()
