"""All units of a layer on one browsable page, made step by step: whatever there is can be looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from clipbench.models import ImageModel
from clipbench.report.desk import Desk
from clipbench.report.dossier import build
from clipbench.report.files import made
from clipbench.report.landscape import landscape
from clipbench.report.page import number, render, text
from clipbench.report.part import jpeg, key_of
from clipbench.report.portraits import BATCH, COARSE, FINE, Portraits
from clipbench.results import UNREADABLE, read_json, save_bytes, save_json
from clipbench.sweeps import Moments, Store
from clipbench.units import Unit

_STRIP, _SIDE = 5, 112  # photos of a unit, and pixels of each
_WORDS = 8  # of a unit
_ANSWERS = 2000  # photos, and words, by which the map is drawn
_SORTS = (("channel", "number"), ("strength", "strongest photo"), ("spread", "strongest photo in sd"))


@dataclass(frozen=True)
class Surveying:
    """How far `atlas` has come.

    Args:
        stage: what is being made: "photos", "map", "pictures" or the page of a unit.
        done, total: of that stage.
        page: the page, as soon as there is one.
    """

    stage: str
    done: float
    total: int
    page: Path | None = None


def atlas(
    model: ImageModel,
    layer: str,
    store: Store,
    folder: Path,
    *,
    words: Store | None = None,
    refine: Sequence[Unit] = (),
) -> Iterator[Surveying]:
    """Make the page of a layer; whoever stops reading stops the work, and the same call goes on.

    Photos first, so that there is something to see at once; then a map; then coarse pictures of all units, a
    batch at a time. Units to refine get a fine picture and a page of their own, linked from the atlas.

    Args:
        model: whose layer.
        layer: a name out of `model.layers` or `model.heads`.
        store: of photos that were swept with this model and layer.
        folder: where the page goes: index.html, pictures/, photos/ and units/.
        words: a store of written words, or None.
        refine: units of the layer to look at more closely.

    Yields:
        Several times a second how far it has come; at the end with the page.

    Raises:
        ClipbenchError: no such layer, not in the store, or a folder that cannot be written to.
    """
    survey = _Survey(model, layer, store, words, folder)
    yield from survey.hang_photos()
    yield Surveying("map", 0, 1, survey.write())
    survey.lay_out()
    yield Surveying("map", 1, 1, survey.write())
    yield from survey.paint()
    for unit in refine:
        desk = survey.desk(unit)
        for _ in desk.portraits.paint([unit], FINE):
            yield Surveying(f"page of {unit}", 0, 1, survey.page)
        for building in build(desk, folder / "units" / "parts" / f"{unit.layer}-{unit.channel}"):
            yield Surveying(f"page of {unit}", building.done, building.total, survey.page)
        building.result.save(folder / "units" / building.result.file)
    yield Surveying("pictures", len(survey.units), len(survey.units), survey.write())


class _Survey:
    """A layer and the folder of its page."""

    def __init__(self, model: ImageModel, layer: str, store: Store, words: Store | None, folder: Path):
        self.units = [Unit(layer, channel) for channel in range(model.layer(layer).channels)]
        self.page = made(folder) / "index.html"
        self._model, self._layer, self._store, self._folder = model, layer, store, folder
        self._words = words if words is not None and layer in words.layers else None
        self._portraits = Portraits(model, folder / "pictures")
        self._key = key_of(*self.desk(self.units[0]).key)
        self._map: dict | None = None

    def desk(self, unit: Unit) -> Desk:
        """All that a page of a unit is made from."""
        return Desk(self._model, unit, self._store, self._folder, words=self._words)

    def hang_photos(self) -> Iterator[Surveying]:
        """For each unit a strip of the photos that excite it most, cut where they do."""
        made(self._strip(self.units[0]).parent)
        for unit in self.units:
            if not self._strip(unit).exists():
                photos = _first(self._answers[:, unit.channel], _STRIP)
                cut = [self._store.crop(unit, photo) for photo in photos]
                save_bytes(jpeg(_side_by_side(cut), _STRIP * _SIDE), self._strip(unit))
            yield Surveying("photos", unit.channel + 1, len(self.units))

    def lay_out(self) -> None:
        """Find a place for each unit by its answers to photos and words."""
        path = self._folder / f"map-{self._key}.json"
        try:
            self._map = read_json(path)
        except UNREADABLE:
            told = [self._answers] if self._words is None else [self._answers, self._written]
            found = landscape(np.concatenate([_some(answers) for answers in told]))
            if found is not None:
                places, method = found
                self._map = {"places": places.tolist(), "told": method}
                save_json(self._map, path)

    def paint(self) -> Iterator[Surveying]:
        """Coarse pictures of all units; the page is written anew after each batch."""
        for start in range(0, len(self.units), BATCH):
            for step in self._portraits.paint(self.units[start : start + BATCH], COARSE):
                yield Surveying("pictures", start + step.done, len(self.units), self.page)
            self.write()

    def write(self) -> Path:
        """Write the page with what there is."""
        mini = self._model.name == "mini"
        page = render(
            "atlas.html",
            own_style=text("atlas.css"),
            script=text("atlas.js"),
            layer=self._layer,
            model=self._model.name,
            about="a small but real CLIP that comes with clipbench" if mini else "",
            units=[self._row(unit) for unit in self.units],
            details={str(unit.channel): self._details(unit) for unit in self.units},
            sorts=_SORTS,
            mapped=self._map and self._map["told"],
            origins=self._origins,
        )
        return save_bytes(page.encode(), self.page)

    def _row(self, unit: Unit) -> dict:
        """What the wall says of a unit."""
        painted = self._portraits.path(unit)
        picture = painted if painted.exists() else self._strip(unit)
        strongest = self._strongest[unit.channel]
        mean, sd = self._moments.mean[unit.channel], self._moments.sd[unit.channel]
        spread = (strongest - mean) / sd if sd > 0 else 0.0
        return {
            "channel": unit.channel,
            "address": str(unit),
            "label": "",
            "picture": picture.relative_to(self._folder).as_posix(),
            "find": " ".join([str(unit), *self._words_of(unit)]).lower(),
            "keys": {"strength": f"{strongest:.4g}", "spread": f"{spread:.4g}"},
            "place": self._map and self._map["places"][unit.channel],
        }

    def _details(self, unit: Unit) -> dict:
        """What a closer look at a unit says."""
        page = self._folder / "units" / f"{unit.layer}-{unit.channel}.html"
        return {
            "title": str(unit),
            "told": f"The photo on the left excites it most, to {number(self._strongest[unit.channel])}.",
            "photos": self._strip(unit).relative_to(self._folder).as_posix(),
            "words": ", ".join(self._words_of(unit)),
            "link": page.relative_to(self._folder).as_posix() if page.exists() else "",
            "command": f"clipbench atlas {self._layer} --model {self._model.name} --store DIR --out DIR "
            f"--refine {unit}",
        }

    def _words_of(self, unit: Unit) -> list[str]:
        """The written words that excite a unit most."""
        if self._words is None:
            return []
        return [self._words.names[place] for place in _first(self._written[:, unit.channel], _WORDS)]

    @cached_property
    def _answers(self) -> np.ndarray:
        """(n, units) float16, what all units say to the photos."""
        return self._store.matrix(self._layer)

    @cached_property
    def _written(self) -> np.ndarray:
        """(words, units) float16, what all units say to the words in their first look."""
        return self._words.matrix(self._layer)[: len(self._words.stimuli.words)]

    @cached_property
    def _strongest(self) -> np.ndarray:
        """(units,) what each says to its favourite photo."""
        return np.nanmax(self._answers, axis=0).astype(np.float32)

    @cached_property
    def _moments(self) -> Moments:
        """Of all units."""
        return self._store.moments(self._layer)

    @property
    def _origins(self) -> list[str]:
        """Where all of it comes from, a line for each part."""
        lines = [self._store.provenance(self._layer).caption()]
        if self._words is not None:
            lines.append(self._words.provenance(self._layer).caption())
        if self._portraits.path(self.units[0]).exists():
            lines.append(self._portraits.provenance(self.units[0]).caption())
        return lines

    def _strip(self, unit: Unit) -> Path:
        return self._folder / "photos" / self._key / f"{unit.layer}-{unit.channel}.jpg"


def _first(answers: np.ndarray, most: int) -> list[int]:
    """Numbers of the largest answers, the largest first; nan is none."""
    order = np.argsort(-answers.astype(np.float32), kind="stable")[:most]
    return [int(number) for number in order if not np.isnan(answers[number])]


def _some(answers: np.ndarray) -> np.ndarray:
    """Answers to some of the items that could be read, from all over the list."""
    read = np.flatnonzero(~np.isnan(answers[:, 0]))
    rows = read[np.unique(np.linspace(0, len(read) - 1, min(len(read), _ANSWERS)).round().astype(int))]
    return answers[rows].astype(np.float32)


def _side_by_side(images: Sequence[Image.Image]) -> Image.Image:
    """Square pictures in a row."""
    row = Image.new("RGB", (_STRIP * _SIDE, _SIDE))
    for place, image in enumerate(images):
        row.paste(image.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS), (place * _SIDE, 0))
    return row
