"""`Store`: what was swept, read a unit at a time."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from clipbench.errors import ClipbenchError, unknown
from clipbench.models import ImageModel
from clipbench.sweeps.bins import edges
from clipbench.sweeps.findings import Bucket, Examples, Histogram, Moments
from clipbench.sweeps.pictures import Stimuli
from clipbench.sweeps.place import opened, sound
from clipbench.sweeps.reopening import reopened
from clipbench.sweeps.shelf import Shelf
from clipbench.sweeps.swept import Swept
from clipbench.units import Unit

# Where the spectrum is cut: tails finely, the middle coarsely.
QUANTILES = (0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1)
_CROP_STRIDES, _LEAST_CROP = 4, 64  # side of a crop in strides of the layer, and at least this many pixels


class Store(Swept):
    """One finished or running sweep in a store. Make one with `Store.open`.

    Numbers of images are their rows, 0 … n - 1. Values are those before the ReLU, kept as float16; nan stands
    for an image that could not be read or has not been reached.

    Args:
        shelf: its arrays.
    """

    @classmethod
    def open(cls, path: str | Path, model: ImageModel | None = None, kind: str = "images") -> "Store":
        """The sweep of a kind in a store that was begun last; of words, one of those with the most words.

        Args:
            path: what `sweep` was given.
            model: whose sweep is wanted, by its weights and preprocessing; None takes any.
            kind: "images" or "words".

        Raises:
            ClipbenchError: no store, a store without such a sweep, or of other weights.
        """
        there = sweeps(path)
        fits = [one for one in there if one.kind == kind and (model is None or one.is_of(model))]
        if not fits:
            wanted = f"{kind} of {model.name} {model.weights_hash[:8]}" if model is not None else kind
            have = ", ".join(sorted({one.title for one in there})) or "nothing"
            raise ClipbenchError(
                f"{str(path)!r} has no sweep of {wanted}; it has {have}; make it with `sweep`"
            )
        return max(fits, key=lambda one: (len(one.words), one._shelf.attributes["begun"]))

    @classmethod
    def at(cls, path: str | Path, key: str) -> "Store":
        """The sweep of a key, such as `Progress.key`.

        Raises:
            ClipbenchError: there is no store, or no such sweep in it.
        """
        keys = [one.key for one in sweeps(path)]
        if key not in keys:
            raise unknown("sweep", key, keys)
        return cls(Shelf(path, key))

    def column(self, unit: str | Unit, by: str = "max") -> np.ndarray:
        """What one unit said to every image.

        Args:
            unit: address such as "conv_head:550".
            by: "max" over the map, or "mean".

        Returns:
            (n,) float32.

        Raises:
            ClipbenchError: the layer was not swept, it has no such unit, another reading.
        """
        unit = self.unit(unit)
        values = self._readings(unit.layer, by)[:, unit.channel].astype(np.float32)
        values[~self._reached(unit.layer)] = np.nan
        return values

    def matrix(self, layer: str, by: str = "max") -> np.ndarray:
        """What all units of a layer said: (n, units) float16, as `column`; 2 bytes an image and unit."""
        values = self._readings(layer, by)[:]
        values[~self._reached(layer)] = np.nan
        return values

    def embeddings(self) -> np.ndarray:
        """(n, d) float32, the images' embeddings, each row of unit length."""
        rows = self.matrix("embedding").astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def top(self, unit: str | Unit, k: int = 20, by: str = "max", least: bool = False) -> Examples:
        """The images that excite a unit most, the strongest first; with `least`, least, the weakest first.

        Equal values keep the order of the images.
        """
        values = self.column(unit, by)
        order = np.argsort(values if least else -values, kind="stable")  # nan comes last
        return self._examples(unit, values, order[: min(k, int(np.isfinite(values).sum()))])

    def spectrum(
        self,
        unit: str | Unit,
        each: int = 5,
        quantiles: Sequence[float] = QUANTILES,
        by: str = "max",
        seed: int = 0,
    ) -> tuple[Bucket, ...]:
        """A unit's whole range from least to most, some images of each part; empty parts are left out.

        Args:
            each: images drawn from a bucket at most.
            quantiles: rising, from 0 to 1.
            seed: of the drawing.
        """
        values = self.column(unit, by)
        order = np.argsort(values, kind="stable")[: int(np.isfinite(values).sum())]
        rng = np.random.default_rng(seed)
        cuts = np.rint(np.array(quantiles) * len(order)).astype(int)
        buckets = []
        for at in range(len(quantiles) - 1):
            inside = order[cuts[at] : cuts[at + 1]]
            if len(inside) == 0:
                continue
            drawn = rng.permutation(len(inside))[:each]
            chosen = inside[np.sort(drawn)[::-1]]
            limits = float(values[inside[0]]), float(values[inside[-1]])
            shares = (float(quantiles[at]), float(quantiles[at + 1]))
            buckets.append(Bucket(shares, limits, self._examples(unit, values, chosen)))
        return tuple(buckets)

    def histogram(self, unit: str | Unit, bins: int = 60, by: str = "max") -> Histogram:
        """How often a unit says what, in bins of one width between its least and its most."""
        unit = self.unit(unit)
        self.check_read(unit.layer)
        values = self.column(unit, by)
        values = values[np.isfinite(values)].astype(np.float64)
        counts, sides = np.histogram(values, bins)
        provenance = self.provenance(unit.layer, str(unit))
        return Histogram(sides.astype(np.float32), counts, values.mean(), values.std(), provenance)

    def moments(self, layer: str, by: str = "max") -> Moments:
        """Mean and standard deviation of all units of a layer, from running sums."""
        self.check_read(layer)
        counts = self._shelf.counts(layer)
        done, n = counts >= 0, int(counts[counts >= 0].sum())
        first = {"max": 0, "mean": 2}[self._reading(by)]
        sums = self._shelf.read(f"layers/{layer}/moments")[:, first : first + 2][done].sum(axis=0)
        mean = sums[0] / n
        return Moments(n, mean, np.sqrt(np.maximum(sums[1] / n - mean**2, 0)))

    def quantiles(self, layer: str, shares: Sequence[float]) -> np.ndarray:
        """Quantiles of the maxima of all units, from running histograms: exact to a quarter of their value.

        Returns:
            (units, shares) float32, the upper edge of the bin in which the quantile lies.
        """
        self.layer(layer)
        counts = sum(self._shelf.read(f"layers/{layer}/histogram")[at] for at in self._blocks(layer))
        below = np.cumsum(counts, axis=1) / np.sum(counts, axis=1, keepdims=True)
        places = np.array([[np.searchsorted(row, share) for share in shares] for row in below])
        return edges()[np.minimum(places + 1, counts.shape[1])]

    def positions(self, unit: str | Unit, numbers: Sequence[int]) -> np.ndarray:
        """(k, 2) int: row and column in the layer's map where a unit is strongest, for some images."""
        unit = self.unit(unit)
        grid = self.grid(unit.layer)
        if self.layer(unit.layer).stride is None:
            return np.zeros((len(numbers), 2), int)
        flat = self._shelf.read(f"layers/{unit.layer}/position").of(np.asarray(numbers, int), unit.channel)
        return np.stack(np.unravel_index(flat.astype(int), grid), axis=1)

    def image(self, number: int) -> Image.Image:
        """An item as it was shown, before the model's own resizing, from where it came from.

        Raises:
            ClipbenchError: it is not there any more, or has changed since.
        """
        return self.stimuli.picture(number)

    def seen(self, number: int) -> Image.Image:
        """An image cut as the model sees it and scaled to `image_size`; see `image` for errors."""
        image, told = self.image(number), self._shelf.attributes
        side = min(image.size) * told["view"]
        left, top = (image.width - side) / 2, (image.height - side) / 2
        size = (told["image_size"], told["image_size"])
        box = (left, top, left + side, top + side)
        return image.resize(size, Image.Resampling.BICUBIC, box)

    def crop(self, unit: str | Unit, number: int) -> Image.Image:
        """The part of what the model saw of an image that is around where a unit is strongest.

        Its side is four strides of the layer and at least 64 of the model's pixels: a window on what the
        position stands for, and no more, since the receptive field of a late layer is the whole picture.
        """
        unit = self.unit(unit)
        seen, stride = self.seen(number), self.layer(unit.layer).stride
        if stride is None:
            return seen
        side = min(max(_CROP_STRIDES * stride, _LEAST_CROP), min(seen.size))
        middles = (self.positions(unit, [number])[0] + 0.5) * stride
        top, left = (
            int(np.clip(round(middle - side / 2), 0, whole - side))
            for middle, whole in zip(middles, (seen.height, seen.width), strict=True)
        )
        return seen.crop((left, top, left + side, top + side))

    @cached_property
    def stimuli(self) -> Stimuli:
        """What was swept, read again from where it came from."""
        digests = tuple(row.tobytes() for row in self._shelf.read("digests")[:])
        return reopened(self._shelf.attributes["origin"], self.names, digests)

    def _examples(self, unit: str | Unit, values: np.ndarray, numbers: np.ndarray) -> Examples:
        unit = self.unit(unit)
        names = tuple(self.names[number] for number in numbers)
        return Examples(numbers, values[numbers], names, self.provenance(unit.layer, str(unit)))

    def _readings(self, layer: str, by: str):
        """The array of a reading; a head has but one."""
        name = self._reading(by)
        return self._shelf.read(f"layers/{layer}/{'max' if self.layer(layer).stride is None else name}")

    @staticmethod
    def _reading(by: str) -> str:
        if by not in ("max", "mean"):
            raise unknown("reading", by, ["max", "mean"])
        return by

    def _blocks(self, layer: str) -> np.ndarray:
        return np.flatnonzero(self._shelf.done(layer))

    def _reached(self, layer: str) -> np.ndarray:
        """(n,) bool: whether an image lies in a block that is written."""
        return np.repeat(self._shelf.done(layer), self._shelf.block)[: self.n]


def sweeps(path: str | Path) -> list[Store]:
    """All sweeps in a store, of whatever model and kind.

    Raises:
        ClipbenchError: there is no store.
    """
    root = opened(path)
    with sound(path):
        keys = sorted(key for key, group in root.groups() if "notes" in group)
    return [Store(Shelf(path, key)) for key in keys]
