"""All units of a layer in a few numbers each, which the atlas and the panel of all units sort and filter."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from clipbench.errors import ClipbenchError
from clipbench.report.landscape import landscape
from clipbench.report.named import Named
from clipbench.results import UNREADABLE, Provenance, npz, read_told, save_bytes
from clipbench.sweeps import Store

PHOTOS, WORDS = 5, 8  # of each unit
_ANSWERS = 2000  # photos, and words, by which the map is drawn
_ARRAYS = ("strongest", "spread", "photos", "words", "labels", "sure")

SORTS = {
    "channel": "number",
    "strongest": "strongest photo",
    "spread": "strongest photo in sd",
    "sure": "sureness of the name",
}


@dataclass(frozen=True, eq=False)
class Overview:
    """What was swept of a layer, in short.

    Args:
        layer: its name.
        strongest: (units,) float32, what each says to its favourite photo, before its ReLU.
        spread: (units,) float32, by how many standard deviations over all photos that is above the mean.
        photos: (units, k) int, numbers of the photos that excite it most, the most exciting first; -1 where
            there are fewer.
        words: (units, m) text, the written words that do; m = 0 where no words were swept.
        labels: (units,) text, what each is called, "" for nothing.
        sure: (units,) float32, how well the name fits photos that the naming has not seen, 0.5 by chance; 0
            where there is no name.
        places: (units, 2) float32 in [0, 1] on a map, or None before `mapped`.
        method: how the map was drawn.
        provenance: of the photos, and of the words if there are any.
    """

    layer: str
    strongest: np.ndarray
    spread: np.ndarray
    photos: np.ndarray
    words: np.ndarray
    labels: np.ndarray
    sure: np.ndarray
    provenance: tuple[Provenance, ...]
    places: np.ndarray | None = None
    method: str = ""

    @property
    def units(self) -> int:
        """Number of units."""
        return len(self.strongest)

    def ordered(self, by: str) -> np.ndarray:
        """(units,) channels, rising by number, or falling by another key of `SORTS`."""
        return np.arange(self.units) if by == "channel" else np.argsort(-getattr(self, by), kind="stable")

    def found(self, text: str) -> np.ndarray:
        """(units,) bool: whether each word of a text is in a unit's address, name or words, in any case."""
        asked = text.casefold().split()
        told = [self.told(channel).casefold() for channel in range(self.units)]
        return np.array([all(word in each for word in asked) for each in told])

    def favourites(self, channel: int) -> list[int]:
        """Numbers of the photos that excite a unit most."""
        return [number for number in self.photos[channel].tolist() if number >= 0]

    def told(self, channel: int) -> str:
        """Address, name and words of a unit."""
        return " ".join([f"{self.layer}:{channel}", self.labels[channel], *self.words[channel]])

    def save(self, path: str | Path) -> Path:
        """Write all of it into one .npz file; a ClipbenchError if it cannot be written."""
        origins = [each.as_dict() for each in self.provenance]
        told = {"layer": self.layer, "method": self.method, "provenance": origins}
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        if self.places is not None:
            arrays["places"] = self.places
        return save_bytes(npz(told, **arrays), path)

    @classmethod
    def load(cls, path: str | Path) -> "Overview":
        """Read what `save` has written; a ClipbenchError if it is not that."""
        try:
            told, saved = read_told(path)
            origins = tuple(Provenance(**each) for each in told.pop("provenance"))
            return cls(**saved, **told, provenance=origins)
        except UNREADABLE as error:
            raise ClipbenchError(f"{str(path)!r} is no overview that clipbench has written") from error


def overview(
    layer: str, store: Store, words: Store | None = None, labels: Mapping[str, Named] | None = None
) -> Overview:
    """Sum up what was swept of a layer; reads 2 bytes for each photo and unit.

    Args:
        layer: a swept layer.
        store: of photos.
        words: of written words, whose first look counts, or None.
        labels: address of a unit -> what it is called; see `read_labels`.

    Raises:
        ClipbenchError: the layer was not swept, or no photo of it has been read yet.
    """
    moments, answers = store.moments(layer), store.matrix(layer)
    strongest = np.nanmax(answers, axis=0).astype(np.float32)
    above, sd = strongest - moments.mean, moments.sd
    spread = np.divide(above, sd, out=np.zeros(len(sd)), where=sd > 0).astype(np.float32)
    origins, excite = [store.provenance(layer)], np.empty((len(strongest), 0), dtype="<U1")
    if _has(words, layer):
        origins.append(words.provenance(layer))
        most = min(WORDS, len(words.words))
        excite = np.array(words.names)[_tops(_in_first_look(words, layer), most)]
    photos = _tops(answers, PHOTOS)
    called = [(labels or {}).get(f"{layer}:{channel}") for channel in range(len(strongest))]
    names = np.array([one.label or "" if one else "" for one in called])
    sure = np.array([one.auc if one and one.label else 0 for one in called], np.float32)
    return Overview(layer, strongest, spread, photos, excite, names, sure, tuple(origins))


def mapped(told: Overview, store: Store, words: Store | None = None) -> Overview:
    """The same with a place for each unit; see `landscape`. It takes seconds."""
    answers = [_some(store.matrix(told.layer))]
    if _has(words, told.layer):
        answers.append(_some(_in_first_look(words, told.layer)))
    found = landscape(np.concatenate(answers))
    return told if found is None else replace(told, places=found[0], method=found[1])


def _has(words: Store | None, layer: str) -> bool:
    return words is not None and layer in words.layers and words.is_complete(layer)


def _in_first_look(words: Store, layer: str) -> np.ndarray:
    """(words, units) float16."""
    return words.matrix(layer)[: len(words.words)]


def _tops(answers: np.ndarray, most: int) -> np.ndarray:
    """(n, units) -> (units, most): numbers of the largest answers of each, -1 where there are no more."""
    tops = np.full((answers.shape[1], most), -1)
    for unit, column in enumerate(answers.T.astype(np.float32)):
        order = np.argsort(-column, kind="stable")[:most]
        order = order[~np.isnan(column[order])]
        tops[unit, : len(order)] = order
    return tops


def _some(answers: np.ndarray) -> np.ndarray:
    """(n, units) -> float32, answers to some of the items that could be read, from all over the list."""
    read = np.flatnonzero(~np.isnan(answers[:, 0]))
    rows = read[np.unique(np.linspace(0, len(read) - 1, min(len(read), _ANSWERS)).round().astype(int))]
    return answers[rows].astype(np.float32)
