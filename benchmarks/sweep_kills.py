"""A sweep that is killed at random moments, and resumed each time, against one that was left alone.

Each life is a process of its own that gets SIGKILL some time after its first sign of life. What is asserted:
the store ends with the same bits, no image is done twice over, and no life loses more than one block of what
the one before it had told.
"""

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
from collections.abc import MutableSequence
from pathlib import Path
from time import perf_counter, sleep

import torch
from machine import machine
from sweep_photos import differences, make_photos

import clipbench as cb
from clipbench.sweeps import Store

START, TOLD, RESUMED = range(3)  # what a life says of itself, in memory that outlives it
SETUP = ["torch", "open_clip", "zarr", "clipbench.sweeps", "clipbench.models"]  # imported once for all lives


def sweep(said: MutableSequence[int], model: str, photos: Path, store: Path, block: int) -> None:
    """What a life does."""
    torch.set_num_threads(1)
    for step in cb.sweep(cb.load(model, device="cpu"), photos, store=store, block=block):
        if step.stage == "sweeping":
            said[TOLD], said[RESUMED], said[START] = step.done, step.resumed, 1


def life(seconds: float | None, *arguments) -> tuple[int, int, float, bool]:
    """One process, killed after some seconds: images resumed and told, seconds it swept, whether it ended."""
    context = multiprocessing.get_context("forkserver")
    said = context.Array("i", 3, lock=False)
    process = context.Process(target=sweep, args=(said, *arguments))
    process.start()
    while not said[START]:
        if not process.is_alive():
            raise RuntimeError("the sweep ended before it began")
        sleep(0.001)
    started = perf_counter()
    process.join(seconds)
    process.kill()
    process.join()
    return said[RESUMED], said[TOLD], perf_counter() - started, process.exitcode == 0


def measure(model: str, kills: int, images: int, block: int) -> dict:
    multiprocessing.set_forkserver_preload(SETUP)
    rng, lost, before, killed = random.Random(0), [], 0, 0
    with tempfile.TemporaryDirectory() as home:
        photos = make_photos(Path(home) / "photos", images, side=96)
        *_, alone, _ = life(None, model, photos, Path(home) / "alone", block)
        longest = 4 * alone * block / images  # so that lives end in every part of a block
        while True:
            seconds = rng.uniform(0, longest) if killed < kills else None
            resumed, told, _, ended = life(seconds, model, photos, Path(home) / "killed", block)
            lost.append(before - resumed)
            before = told
            if ended:
                break
            killed += 1
            print(f"life {killed}: {resumed} images resumed, {told} told", file=sys.stderr)
        differ = differences(*(Store.open(Path(home) / name) for name in ("alone", "killed")))
    return {
        "machine": machine("clipbench", "torch", "zarr"),
        "model": model,
        "images": images,
        "block": block,
        "kills": killed,
        "seconds of sweeping alone": alone,
        "images lost by a kill, of those told": {"most": max(lost), "all": lost[1:]},
        "numbers that differ": differ,
        "passed": killed >= kills and not any(differ.values()) and max(lost) <= block,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="mini/random")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--images", type=int, default=1920)
    parser.add_argument("--block", type=int, default=16)
    options = parser.parse_args()
    result = measure(options.model, options.kills, options.images, options.block)
    print(json.dumps(result, indent=2))
    sys.exit(not result["passed"])


if __name__ == "__main__":
    main()
