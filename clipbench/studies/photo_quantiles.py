"""How strongly photos excite every unit of a model: a small table, measured once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from clipbench.errors import ClipbenchError
from clipbench.intervals import Rate
from clipbench.models import ImageModel, Read
from clipbench.results import UNREADABLE, Provenance, npz, read_told, save_bytes

SHIPPED = Path(__file__).with_name("photo_values")  # written by scripts/make_photo_quantiles.py
LEVELS = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1)  # shares of the photos
KINDS = ("channel", "neuron")  # mean over positions, and the position in the middle
_CHUNK = 16  # photos that are read at a time


@dataclass(frozen=True)
class AmongPhotos:
    """Where a value lies among those of photos.

    Args:
        below: how many photos excite less; out of a table, to the nearest photo.
        best: the most that one of them reaches.
        source: what the photos are.
    """

    below: Rate
    best: float
    source: str


@dataclass(frozen=True, eq=False)
class PhotoQuantiles:
    """What shares of some photos stay below, for every unit.

    Args:
        values: layer -> (2, channels, levels): `KINDS`, units, and for each of `LEVELS` the activation before
            the ReLU below which that share of the photos stays; 0 is the least, 1 the most of all.
        source: what the photos are.
        provenance: of the model; n counts photos.
    """

    values: Mapping[str, np.ndarray]
    source: str
    provenance: Provenance

    def place(self, kind: str, layer: str, channel: int, value: float) -> AmongPhotos:
        """Where a value of a unit lies, between two levels by the straight line.

        Args:
            kind: one of `KINDS`.
            layer, channel: the unit.
            value: its activation before the ReLU.
        """
        row = self.values[layer][KINDS.index(kind), channel].astype(np.float64)
        n = self.provenance.n
        share = 1.0 if value > row[-1] else np.interp(value, row, LEVELS)
        most = n if value > row[-1] else n - 1  # at least the best photo is not below
        return AmongPhotos(Rate(min(round(share * n), most), n), float(row[-1]), self.source)

    def save(self, path: str | Path) -> Path:
        """Write all of it as one .npz, numbers as float16; a ClipbenchError if it cannot be written."""
        told = {"layers": list(self.values), "source": self.source, "provenance": self.provenance.as_dict()}
        arrays = {f"values{at}": each.astype(np.float16) for at, each in enumerate(self.values.values())}
        return save_bytes(npz(told, **arrays), path)

    @classmethod
    def load(cls, path: str | Path) -> "PhotoQuantiles":
        """Read what `save` has written; a ClipbenchError if it is not that."""
        try:
            told, saved = read_told(path)
            values = {layer: saved[f"values{at}"] for at, layer in enumerate(told["layers"])}
            return cls(values, told["source"], Provenance(**told["provenance"]))
        except UNREADABLE as error:
            raise ClipbenchError(f"{str(path)!r} is no table of photos that clipbench has written") from error


def shipped_quantiles(model: ImageModel) -> PhotoQuantiles | None:
    """The table that comes with clipbench, if it has one of these very weights."""
    path = SHIPPED / f"{model.name.replace('/', '-')}.npz"
    if not path.is_file():
        return None
    table = PhotoQuantiles.load(path)
    return table if table.provenance.weights_hash == model.weights_hash else None


def measure_quantiles(
    model: ImageModel, photos: Sequence[Image.Image], source: str
) -> Iterator[int | PhotoQuantiles]:
    """Show a model photos, some at a time, and keep the quantiles of all units of all layers.

    Args:
        model: any model.
        photos: PIL images, or anything that gives them one after the other; shown as the model takes photos.
        source: what they are, for the provenance.

    Yields:
        After each chunk the number of photos so far; at the end the table.
    """
    reads = [Read(layer) for layer in model.layers]
    rows: dict[Read, list[np.ndarray]] = {read: [] for read in reads}
    for start in range(0, len(photos), _CHUNK):
        chunk = [photos[at] for at in range(start, min(start + _CHUNK, len(photos)))]
        maps = model.answers(model.pixels(chunk), reads)
        for read in reads:
            rows[read].append(_both(maps[read]))
        yield start + len(chunk)
    values = {
        read.layer: np.quantile(np.concatenate(own), LEVELS, axis=0).transpose(1, 2, 0).astype(np.float32)
        for read, own in rows.items()
    }
    levels = ", ".join(f"{level:g}" for level in LEVELS)
    recipe = f"before ReLU, mean over positions and middle position, quantiles {levels}"
    yield PhotoQuantiles(values, source, Provenance(model.name, model.weights_hash, recipe, n=len(photos)))


def _both(maps: torch.Tensor) -> np.ndarray:
    """(n, channels, h, w) -> (n, 2, channels): the mean over positions, and the middle position."""
    height, width = maps.shape[-2:]
    both = torch.stack([maps.mean(dim=(2, 3)), maps[..., height // 2, width // 2]], dim=1)
    return both.float().cpu().numpy()
