"""A folder of small pictures, and a sweep of it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clipbench.sweeps import Store, sweep


@pytest.fixture
def folder(tmp_path) -> Path:
    """21 coloured patterns in two folders, a file that is no picture, and one that is broken."""
    rng = np.random.default_rng(0)
    home = tmp_path / "photos"
    for number in range(21):
        coarse = Image.fromarray(rng.integers(0, 256, (6, 7, 3), dtype=np.uint8))
        path = home / ("a", "b")[number % 2] / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse.resize((80 + number, 70)).save(path)
    (home / "readme.txt").write_text("no picture")
    (home / "broken.jpg").write_bytes(b"\xff\xd8\xff no")
    return home


@pytest.fixture
def swept(tiny, folder, tmp_path) -> Store:
    """The folder, swept to its end in blocks of four."""
    list(sweep(tiny, folder, ["layer1", "layer4"], store=tmp_path / "store", block=4))
    return Store.open(tmp_path / "store", tiny)
