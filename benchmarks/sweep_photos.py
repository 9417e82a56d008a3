"""JPEGs to sweep, made of the shipped photos, and what it takes for two sweeps to be one."""

from pathlib import Path

import numpy as np
from PIL import Image

import clipbench as cb
from clipbench.sweeps import Store


def make_photos(folder: Path, n: int, side: int = 320, seed: int = 0) -> Path:
    """Make n different JPEGs of about `side` pixels: the shipped photos, cropped at random and mirrored."""
    folder.mkdir(parents=True, exist_ok=True)
    sources, rng = [one.image for one in cb.samples()], np.random.default_rng(seed)
    for number in range(n):
        image = sources[number % len(sources)]
        cut = round(min(image.size) * rng.uniform(0.6, 1))
        left, top = (int(rng.integers(0, whole - cut + 1)) for whole in image.size)
        part = image.crop((left, top, left + cut, top + cut)).resize((side, side), Image.Resampling.BICUBIC)
        if rng.random() < 0.5:
            part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        part.save(folder / f"{number:06}.jpg", quality=90)
    return folder


def differences(one: Store, other: Store) -> dict[str, int]:
    """Layer and reading -> how many numbers differ in any bit; names and digests are compared, too."""
    assert one.key == other.key and one.names == other.names and set(one.layers) == set(other.layers)
    found = {}
    for layer, told in one.layers.items():
        for reading in ("max", "mean", "position", "moments", "histogram", "done"):
            if told.stride is None and reading in ("mean", "position"):
                continue
            a, b = (store._shelf.read(f"layers/{layer}/{reading}")[:] for store in (one, other))
            found[f"{layer} {reading}"] = int((a.view(np.uint8) != b.view(np.uint8)).sum())
    return found
