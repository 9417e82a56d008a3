"""Where the panel of all units takes its units from: the shipped example, or a store."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from PIL import Image

import clipbench as cb
from clipbench.models import ImageModel
from clipbench.report.overview import Overview, mapped, overview
from clipbench.report.portraits import COARSE, Painting, Portraits
from clipbench.studies import Matches, search_units
from clipbench.sweeps import Store
from widgets.kept import portraits_of
from widgets.stores import Preparing, photo_files, prepared

EXAMPLE = Path(__file__).parent / "examples" / "units"
TILE, COLUMNS = 48, 40  # pixels of a unit's picture in the example, and pictures in a row of it


class Example:
    """The shipped overview of mini and the shipped photos, with a small picture of every unit."""

    def __init__(self):
        self.told = Overview.load(EXAMPLE / "overview.npz")
        self._files = photo_files()

    def picture(self, channel: int) -> Image.Image:
        """A picture of a unit."""
        row, column = divmod(channel, COLUMNS)
        return self._wall.crop((column * TILE, row * TILE, (column + 1) * TILE, (row + 1) * TILE))

    def photos(self, channel: int) -> list[tuple[str, Image.Image]]:
        """Names and pictures of the photos that excite a unit most."""
        files = [self._files[number] for number in self.told.favourites(channel)]
        return [(file.stem, cb.read_image(file).image) for file in files]

    @cached_property
    def _wall(self) -> Image.Image:
        with Image.open(EXAMPLE / "wall.jpg") as image:
            return image.convert("RGB")


@dataclass(frozen=True, eq=False)
class Swept:
    """A layer as it was swept.

    Args:
        told: the overview.
        model, store: what it is of.
        words: a sweep of words, or None.
    """

    told: Overview
    model: ImageModel
    store: Store
    words: Store | None

    def picture(self, channel: int) -> Image.Image:
        """The painted picture of a unit, or else its favourite photo, cut where it excites it."""
        painted = self._portraits.image(cb.Unit(self.told.layer, channel))
        return self._crop(channel, self.told.favourites(channel)[0]) if painted is None else painted

    def photos(self, channel: int) -> list[tuple[str, Image.Image]]:
        """See `Example`."""
        names = self.store.names
        return [
            (Path(names[photo]).name, self._crop(channel, photo)) for photo in self.told.favourites(channel)
        ]

    def paint(self, channels: list[int]) -> Iterator[Painting]:
        """Paint pictures of units, those that are missing; whoever stops reading stops it."""
        return self._portraits.paint([cb.Unit(self.told.layer, channel) for channel in channels], COARSE)

    def search(self, text: str) -> Iterator[Matches]:
        """All units, those that answer best to a text first, as the one result of a stream.

        Raises:
            ClipbenchError: no text, or a model that cannot read one.
        """
        layer, units = self.told.layer, self.told.units
        yield search_units(self.model, text, self.store, layer, self.words, top=units)

    def _crop(self, channel: int, photo: int) -> Image.Image:
        return self.store.crop(cb.Unit(self.told.layer, channel), photo)

    @cached_property
    def _portraits(self) -> Portraits:
        return portraits_of(self.model)


@dataclass(frozen=True, eq=False)
class Reading:
    """How far `read` has come: the source first without a map, then with one."""

    source: Swept


def read(path: str, model: ImageModel, layer: str) -> Iterator[Preparing | Reading]:
    """Read a layer from a store; the shipped photos are swept first if they are meant.

    Raises:
        ClipbenchError: no such store or layer.
    """
    store, words = yield from prepared(path, model, layer)
    source = Swept(overview(layer, store, words), model, store, words)
    yield Reading(source)
    yield Reading(replace(source, told=mapped(source.told, store, words)))
