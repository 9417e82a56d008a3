"""A sweep by two worker processes of a Dask cluster, one of which is killed midway, against one without.

Dask's workers run torch with one thread, and so does the sweep without them: with another number of threads,
sums are taken in another order, and some numbers differ in the last digit of float16.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import torch
from distributed import LocalCluster
from machine import machine
from sweep_photos import differences, make_photos

import clipbench as cb
from clipbench.sweeps import Store


def measure(name: str, images: int, block: int) -> dict:
    torch.set_num_threads(1)
    model = cb.load(name, device="cpu")
    with tempfile.TemporaryDirectory() as home:
        photos = make_photos(Path(home) / "photos", images, side=128)
        started = perf_counter()
        list(cb.sweep(model, photos, store=Path(home) / "alone", block=block))
        alone = perf_counter() - started
        killed = None
        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
            started = perf_counter()
            address = cluster.scheduler_address
            for step in cb.sweep(model, photos, store=Path(home) / "cluster", block=block, scheduler=address):
                if killed is None and step.done >= images / 3:
                    killed = next(iter(cluster.workers.values())).pid
                    os.kill(killed, signal.SIGKILL)
            on_cluster = perf_counter() - started
        differ = differences(*(Store.open(Path(home) / place) for place in ("alone", "cluster")))
    return {
        "machine": machine("clipbench", "torch", "zarr", "distributed"),
        "model": name,
        "images": images,
        "seconds alone": alone,
        "seconds on the cluster, models loaded and one worker lost": on_cluster,
        "worker killed": killed is not None,
        "numbers that differ": differ,
        "passed": killed is not None and step.done == images and not any(differ.values()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="mini/random")
    parser.add_argument("--images", type=int, default=600)
    parser.add_argument("--block", type=int, default=32)
    options = parser.parse_args()
    result = measure(options.model, options.images, options.block)
    print(json.dumps(result, indent=2))
    sys.exit(not result["passed"])


if __name__ == "__main__":
    main()
