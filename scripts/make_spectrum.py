"""Measure the average spectrum of photos, which `parametrizations.maco` holds fixed.

    python scripts/make_spectrum.py PHOTOS… [--size 256]

PHOTOS are pictures, folders of them, or .parquet files with the bytes of one in each row's column `image`.
Only the mean magnitude of their waves is kept, no photo; about 800 photos give it within a few per cent.
"""

import argparse
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

import clipbench as cb
from clipbench.optvis.parametrizations.spectrum import SPECTRUM, mean_spectrum

PICTURES = {".jpg", ".jpeg", ".png", ".webp"}


def photos(paths: list[Path]) -> Iterator[Image.Image]:
    """All pictures that some paths name, one after the other."""
    for path in paths:
        if path.suffix == ".parquet":
            from pyarrow.parquet import read_table

            for row in read_table(path, columns=["image"])["image"]:
                yield Image.open(io.BytesIO(row.as_py()))
        elif path.is_dir():
            for file in sorted(path.rglob("*")):
                if file.suffix.lower() in PICTURES:
                    yield cb.read_image(file).image
        else:
            yield cb.read_image(path).image


def main() -> None:
    """Measure, and write the shipped file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTOS")
    parser.add_argument("--size", type=int, default=256, help="height and width to measure at (default: 256)")
    options = parser.parse_args()
    magnitude = mean_spectrum(tqdm(photos(options.photos), unit="photo"), options.size)
    np.savez_compressed(SPECTRUM, magnitude=magnitude.numpy().astype(np.float16))
    print(f"{SPECTRUM.name}: {tuple(magnitude.shape)}, {SPECTRUM.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
