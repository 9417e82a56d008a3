"""The arrays of one sweep in zarr: written a block of images at a time, read a unit at a time.

    STORE/                        attributes: format
      KEY/                        attributes: what was swept with what
        names, digests, notes     per image: its name, its content, why it could not be read
        layers/LAYER/
          max, mean, position     (n, units) spatial maximum and mean before the ReLU, where the maximum is
          moments                 (blocks, 4, units) sums of max, max², mean, mean²
          histogram               (blocks, units, BINS) of max
          done                    (blocks,) images read, written last; -1 where a block is not done

KEY is made of the weights, the preprocessing and the content of the stimuli, so another answer has another
place. A file of `max` holds one block of images and all units, in pieces of `UNITS` units: it is written at
once or not at all, and a unit is read without its neighbours.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import zarr
from zarr.codecs import BloscCodec

from clipbench.sweeps.bins import BINS, histograms
from clipbench.sweeps.place import is_remote, local, opened, sound, storage

BLOCK = 1024  # images that are written at once, and lost at most
UNITS = 64  # units in one piece of a file
NOTE = 200  # letters that are kept of why an image could not be read
_NAMES = 4096  # names in one file
_PACKED = BloscCodec(cname="zstd", clevel=3, shuffle="shuffle")
READINGS = ("max", "mean", "position")


class Rows(NamedTuple):
    """What the units of a layer said to m images, nan (and position 0) where an image could not be read.

    A head, which has no map, has no mean and no position.
    """

    max: np.ndarray
    mean: np.ndarray | None
    position: np.ndarray | None


class Kept:
    """An array of a store, of which only what is asked for is read; a ClipbenchError if it is damaged."""

    def __init__(self, group: zarr.Group, name: str, path: str | Path):
        self._path = path
        with sound(path):
            self._array: zarr.Array = group[name]

    def __getitem__(self, at) -> np.ndarray:
        with sound(self._path):
            return self._array[at]

    def __setitem__(self, at, values: np.ndarray) -> None:
        self._array[at] = values

    def of(self, rows: np.ndarray, unit: int) -> np.ndarray:
        """What some rows hold of a unit."""
        with sound(self._path):
            return self._array.oindex[rows, [unit]][:, 0]


class Shelf:
    """The arrays of one sweep.

    Args:
        path: of the store.
        key: of the sweep.
        write: whether arrays are to be added; a reader trusts the one file that describes them all.
    """

    def __init__(self, path: str | Path, key: str, write: bool = False):
        self.path, self.key, self._write = path, key, write
        consolidated = False if write else None
        with sound(path):
            self.group: zarr.Group = zarr.open_group(
                storage(path), path=key, mode="r+", use_consolidated=consolidated
            )
            self.attributes = dict(self.group.attrs)
            self.n: int = self.attributes["n"]
            self.block: int = self.attributes["block"]
        self._arrays: dict[str, Kept] = {}
        self._whole: dict[str, np.ndarray] = {}  # counts of layers that are done: these stay as they are

    def __reduce__(self):
        return Shelf, (self.path, self.key, self._write)

    @classmethod
    def create(
        cls, path: str | Path, key: str, attributes: dict, names: Sequence[str], digests: Sequence[bytes]
    ) -> "Shelf":
        """Make the place for a sweep, or open it if it is there; a kill in between leaves nothing wrong."""
        root = opened(path, write=True)
        with sound(path):
            there = key in root
        if not there:
            root.create_group(key, attributes=attributes)
        shelf = cls(path, key, write=True)
        if shelf.attributes["origin"] != attributes["origin"]:  # the folder has been moved
            shelf.group.attrs.update(origin=attributes["origin"])
        shelf._create_texts("names", names)
        shelf._create_bytes("digests", np.frombuffer(b"".join(digests), np.uint8).reshape(len(digests), -1))
        if "notes" not in shelf.group:
            shelf._create("notes", (shelf.n, 4 * NOTE), (shelf.block, 4 * NOTE), "u1", 0)
        return shelf

    def sweep_up(self) -> None:
        """Take away what a killed process left of files that it had not finished."""
        if not is_remote(self.path):
            for left in (local(self.path) / self.key).rglob("*.partial"):
                left.unlink()

    @property
    def blocks(self) -> int:
        """How many blocks all images make."""
        return -(-self.n // self.block)

    def span(self, block: int) -> tuple[int, int]:
        """The first image of a block, and the first of the next."""
        return block * self.block, min((block + 1) * self.block, self.n)

    @property
    def layers(self) -> dict[str, dict]:
        """Name -> {"units", "stride", "grid"} of the layers that are here, whole or in part."""
        with sound(self.path):
            found = sorted(self.group["layers"].groups()) if "layers" in self.group else []
        return {name: dict(group.attrs) for name, group in found if "done" in group}

    def add_layer(self, layer: str, units: int, stride: int | None, grid: tuple[int, int]) -> None:
        """Make the arrays of a layer, if they are not there."""
        home = f"layers/{layer}"
        if home not in self.group:
            told = {"units": units, "stride": stride, "grid": list(grid)}
            self.group.create_group(home, attributes=told)
        positions = "u1" if grid[0] * grid[1] <= 256 else "u2" if grid[0] * grid[1] <= 65536 else "u4"
        readings = {"max": ("f2", np.nan)}
        if stride is not None:
            readings |= {"mean": ("f2", np.nan), "position": (positions, 0)}
        for name, (dtype, fill) in readings.items():
            self._create(
                f"{home}/{name}",
                (self.n, units),
                (self.block, min(UNITS, units)),
                dtype,
                fill,
                (self.block, -(-units // UNITS) * UNITS if units > UNITS else units),
            )
        self._create(f"{home}/moments", (self.blocks, 4, units), (1, 4, units), "f8", np.nan)
        self._create(f"{home}/histogram", (self.blocks, units, BINS), (1, units, BINS), "u4", 0)
        self._create(f"{home}/done", (self.blocks,), (1,), "i4", -1)

    def consolidate(self) -> None:
        """Write the description of all arrays into one file, which is all that a reader opens."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zarr 3 says that its specification has no consolidation yet
            zarr.consolidate_metadata(storage(self.path), path=self.key)

    def write(self, layer: str, block: int, rows: Rows) -> None:
        """Write what a layer said to the images of a block; what makes it count is written last.

        Raises:
            ClipbenchError: there is no room.
        """
        start, stop = self.span(block)
        for name, values in zip(READINGS, rows, strict=True):
            if values is not None:
                self._array(f"layers/{layer}/{name}")[start:stop] = values
        mean = rows.max if rows.mean is None else rows.mean
        good = ~np.isnan(rows.max[:, 0])
        powers = [side[good].astype(np.float64) ** power for side in (rows.max, mean) for power in (1, 2)]
        self._array(f"layers/{layer}/moments")[block] = np.stack([power.sum(axis=0) for power in powers])
        self._array(f"layers/{layer}/histogram")[block] = histograms(rows.max)
        self._array(f"layers/{layer}/done")[block] = int(good.sum())

    def write_notes(self, block: int, notes: Sequence[str]) -> None:
        """Write why images of a block could not be read; "" for those that could."""
        start, stop = self.span(block)
        self._array("notes")[start:stop] = encoded([note[:NOTE] for note in notes], 4 * NOTE)

    def notes(self) -> dict[int, str]:
        """Image -> why it could not be read."""
        told = self._array("notes")[:]
        wrong = np.flatnonzero(told[:, 0])
        return dict(zip(wrong.tolist(), decoded(told[wrong]), strict=True))

    def done(self, layer: str) -> np.ndarray:
        """(blocks,) bool: which blocks of a layer are written."""
        return self.counts(layer) >= 0

    def counts(self, layer: str) -> np.ndarray:
        """(blocks,) int: how many images of a block could be read, -1 where it is not done."""
        if layer in self._whole:
            return self._whole[layer]
        if f"layers/{layer}/done" not in self.group:
            return np.full(self.blocks, -1)
        counts = self._array(f"layers/{layer}/done")[:]
        if (counts >= 0).all():
            self._whole[layer] = counts
        return counts

    def read(self, name: str) -> Kept:
        """An array by its name, such as "layers/conv_head/max"."""
        return self._array(name)

    def texts(self, name: str) -> tuple[str, ...]:
        """An array of texts by its name."""
        return tuple(decoded(self._array(name)[:]))

    def _array(self, name: str) -> Kept:
        if name not in self._arrays:
            self._arrays[name] = Kept(self.group, name, self.path)
        return self._arrays[name]

    def _create(self, name, shape, chunks, dtype, fill, shards=None) -> None:
        if name not in self.group:
            self.group.create_array(
                name,
                shape=shape,
                chunks=chunks,
                shards=shards,
                dtype=dtype,
                fill_value=fill,
                compressors=_PACKED,
            )

    def _create_texts(self, name: str, texts: Sequence[str]) -> None:
        self._create_bytes(name, encoded(texts))

    def _create_bytes(self, name: str, rows: np.ndarray) -> None:
        self._create(name, rows.shape, (min(_NAMES, len(rows)), rows.shape[1]), "u1", 0)
        self._array(name)[:] = rows


def encoded(texts: Sequence[str], width: int | None = None) -> np.ndarray:
    """N texts as (n, width) uint8 in UTF-8, filled up with zeros; by default as wide as the longest."""
    raw = [text.encode("utf-8", "surrogateescape") for text in texts]
    longest = width or max(1, max(map(len, raw)))
    return np.array(raw, dtype=f"S{longest}").view(np.uint8).reshape(len(raw), longest)


def decoded(rows: np.ndarray) -> list[str]:
    """The reverse of `encoded`."""
    width = rows.shape[1]
    raw = np.ascontiguousarray(rows).view(f"S{width}").ravel()
    return [text.decode("utf-8", "surrogateescape") for text in raw.tolist()]
