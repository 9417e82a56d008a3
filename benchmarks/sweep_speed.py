"""A sweep of JPEGs against the bare forward pass, and against a plain loop over a DataLoader.

The bare pass runs over the same batches, decoded in advance; "passes" are the same in the small passes that a
sweep makes of them on a CPU: what there would be to gain if decoding took no time. The loop keeps the same
numbers in memory: the maximum over the map, its place and the mean, as float16. They take turns in one
process, with the same number of torch's threads, after each has warmed up on a few images. Short rounds and
many of them, since a borrowed machine is not as fast from one minute to the next; the ratio is the median of
the rounds.

    python benchmarks/sweep_speed.py --against bare passes --images 512 --rounds 9
    python benchmarks/sweep_speed.py --against loop      # eight minutes
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
from machine import machine
from sweep_photos import make_photos
from torch.utils.data import DataLoader, Dataset

import clipbench as cb
from clipbench.models import ImageModel, Read

BATCH, HELD, WARM = 32, 512, 64  # images of a forward pass, kept decoded, to warm up with
LEAST, MOST_BYTES = {"bare": 0.9, "loop": 1.0, "passes": 0.0}, 6500  # of the last there is no least


class Pictures(Dataset):
    """JPEGs as a model sees them."""

    def __init__(self, model: ImageModel, files: list[Path]):
        self._model, self._files = model, files

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, number: int) -> torch.Tensor:
        return self._model.pixels([cb.read_image(self._files[number]).image])[0]


def summed_up(maps: torch.Tensor) -> tuple[torch.Tensor, ...]:
    top, place = maps.flatten(2).max(dim=2)
    return top.half(), place, maps.flatten(2).mean(dim=2).half()


@torch.no_grad()
def bare(read: Callable, reads: list[Read], pixels: torch.Tensor, n: int) -> None:
    for at in range(0, n, BATCH):
        start = at % (len(pixels) - BATCH + 1)
        read(pixels[start : start + min(BATCH, n - at)], reads)


@torch.no_grad()
def loop(model: ImageModel, reads: list[Read], files: list[Path]) -> list:
    loader = DataLoader(Pictures(model, files), batch_size=BATCH, num_workers=2)
    return [[summed_up(maps) for maps in model.read(pixels, reads).values()] for pixels in loader]


def swept(model: ImageModel, layer: str, files: list[Path], store: Path) -> None:
    shutil.rmtree(store, ignore_errors=True)
    list(cb.sweep(model, files, [layer], store=store))


def timed(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return perf_counter() - started


def measure(name: str, images: int, side: int, rounds: int, against: list[str]) -> dict:
    model = cb.load(name, device="cpu")
    layer = model.last_layer
    reads = [Read(layer), Read("embedding")]
    with tempfile.TemporaryDirectory() as home:
        folder, store = make_photos(Path(home) / "photos", images, side), Path(home) / "store"
        files = sorted(folder.iterdir())
        pixels = torch.cat([model.pixels([cb.read_image(file).image]) for file in files[:HELD]])
        kinds = {
            "bare": lambda n: bare(model.read, reads, pixels, n),
            "passes": lambda n: bare(model.answers, reads, pixels, n),
            "sweep": lambda n: swept(model, layer, files[:n], store),
            "loop": lambda n: loop(model, reads, files[:n]),
        }
        wanted = ["sweep", *against]
        for kind in wanted:
            kinds[kind](min(WARM, images))
        rates = {kind: [] for kind in wanted}
        for number in range(rounds):
            for kind in sorted(wanted, reverse=bool(number % 2)):  # none is always the later
                rates[kind].append(images / timed(partial(kinds[kind], images)))
        size = sum(file.stat().st_size for file in store.rglob(f"*{layer}/**/*") if file.is_file())
    ratios = {
        other: median(mine / theirs for mine, theirs in zip(rates["sweep"], rates[other], strict=True))
        for other in against
    }
    return {
        "machine": machine("clipbench", "torch", "zarr", "pillow"),
        "model": name,
        "layer": layer,
        "images": images,
        "pixels of the JPEGs": side,
        "images a second": rates,
        **{f"sweep / {other}": ratio for other, ratio in ratios.items()},
        "bytes an image and layer": size / images,
        "passed": all(ratio >= LEAST[other] for other, ratio in ratios.items())
        and size / images <= MOST_BYTES * model.layer(layer).channels / 1280,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="mini")
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--side", type=int, default=256, help="pixels of the JPEGs")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--against", nargs="+", choices=LEAST, default=[*LEAST])
    options = parser.parse_args()
    result = measure(options.model, options.images, options.side, options.rounds, options.against)
    print(json.dumps(result, indent=2))
    sys.exit(not result["passed"])


if __name__ == "__main__":
    main()
