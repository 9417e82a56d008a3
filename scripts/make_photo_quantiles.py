"""Measure how strongly photos excite every unit of mini and of its control; run it when a model changes.

    python scripts/make_photo_quantiles.py [PHOTOS…] [--called "photos of ImageNet"]

PHOTOS are pictures, folders of them, or .parquet files with the bytes of one in each row's column `image`;
without any, the shipped sample photos are taken. Only quantiles are kept, no photo.
"""

import argparse
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from tqdm import tqdm
from train_denoiser import contents

import clipbench as cb
from clipbench.studies.photo_quantiles import SHIPPED, PhotoQuantiles, measure_quantiles

MODELS = ("mini", "timm/tf_efficientnet_lite0")


@dataclass(frozen=True)
class Undecoded(Sequence):
    """Photos that are decoded when their turn comes."""

    files: tuple[bytes, ...]

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, at: int) -> Image.Image:
        return Image.open(io.BytesIO(self.files[at])).convert("RGB")


def main() -> None:
    """Measure, and write the shipped files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="*", type=Path, metavar="PHOTOS")
    parser.add_argument("--called", default="photos", metavar="TEXT", help="what captions call them")
    options = parser.parse_args()
    paths = options.photos or [sample.path for sample in cb.samples()]
    photos = Undecoded(tuple(content for path in paths for content in contents(path)))
    SHIPPED.mkdir(exist_ok=True)
    for name in MODELS:
        model = cb.load(name, device="cpu")
        for found in tqdm(measure_quantiles(model, photos, options.called), desc=name, unit="chunk"):
            if isinstance(found, PhotoQuantiles):
                found.save(SHIPPED / f"{name.replace('/', '-')}.npz")


if __name__ == "__main__":
    main()
