"""All units of a layer on one browsable page, made step by step: whatever there is can be looked at."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel
from clipbench.optvis.probes import Facet
from clipbench.report.desk import Desk
from clipbench.report.dossier import build
from clipbench.report.named import Named
from clipbench.report.overview import PHOTOS, SORTS, Overview, mapped, overview
from clipbench.report.page import number, render, text
from clipbench.report.part import jpeg, key_of
from clipbench.report.portraits import BATCH, COARSE, FINE, Portraits
from clipbench.results import made_folder, save_bytes
from clipbench.sweeps import Store
from clipbench.units import Unit

_SIDE = 112  # pixels of a photo


@dataclass(frozen=True)
class Surveying:
    """How far `atlas` has come.

    Args:
        stage: what is being made: "photos", "map", "pictures", a facet, or the page of a unit.
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
    labels: Mapping[str, Named] | None = None,
    facets: Sequence[Facet] = (),
    refine: Sequence[Unit] = (),
) -> Iterator[Surveying]:
    """Make the page of a layer; whoever stops reading stops the work, and the same call goes on.

    Photos first, so that there is something to see at once; then a map; then coarse pictures of all units, a
    batch at a time; then the same for each facet. Units to refine get a fine picture and a page of their own,
    linked from the atlas.

    Args:
        model: whose layer.
        layer: a name out of `model.layers` or `model.heads`.
        store: of photos that were swept with this model and layer.
        folder: where the page goes: index.html, pictures/, photos/ and units/.
        words: a store of written words, or None.
        labels: address of a unit -> what it is called; see `read_labels`.
        facets: themes that all units are shown in, too.
        refine: units of the layer to look at more closely.

    Yields:
        Several times a second how far it has come; at the end with the page.

    Raises:
        ClipbenchError: no such layer, not in the store, or a folder that cannot be written to.
    """
    survey = _Survey(Desk(model, Unit(layer, 0), store, folder, words, tuple(facets)), labels or {})
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

    def __init__(self, desk: Desk, labels: Mapping[str, Named]):
        model, layer, folder = desk.model, desk.unit.layer, desk.folder
        self.units = [Unit(layer, channel) for channel in range(model.layer(layer).channels)]
        self.page = made_folder(folder) / "index.html"
        self._desk, self._labels = desk, labels
        self._model, self._layer, self._store, self._words = model, layer, desk.store, desk.words
        self._folder, self._portraits = folder, desk.portraits
        self._themes = {facet.name: Portraits(model, folder / "pictures", facet) for facet in desk.facets}
        self._key = key_of(*desk.key, *(f"{unit} {named}" for unit, named in labels.items()))
        self._told = overview(layer, self._store, self._words, labels)

    def desk(self, unit: Unit) -> Desk:
        """All that a page of a unit is made from."""
        named = self._labels.get(str(unit))
        return replace(self._desk, unit=unit, **({} if named is None else {"label": named.as_dict()}))

    def hang_photos(self) -> Iterator[Surveying]:
        """For each unit a strip of the photos that excite it most, cut where they do."""
        made_folder(self._strip(self.units[0]).parent)
        for unit in self.units:
            if not self._strip(unit).exists():
                cut = [self._store.crop(unit, photo) for photo in self._told.favourites(unit.channel)]
                save_bytes(jpeg(_side_by_side(cut), PHOTOS * _SIDE), self._strip(unit))
            yield Surveying("photos", unit.channel + 1, len(self.units))

    def lay_out(self) -> None:
        """Find a place for each unit by its answers to photos and words."""
        path = self._folder / f"overview-{self._key}.npz"
        try:
            self._told = Overview.load(path)
        except ClipbenchError:
            self._told = mapped(self._told, self._store, self._words)
            self._told.save(path)

    def paint(self) -> Iterator[Surveying]:
        """Coarse pictures of all units, then in each theme; the page is written anew after each batch."""
        for stage, portraits in {"pictures": self._portraits, **self._themes}.items():
            for start in range(0, len(self.units), BATCH):
                for step in portraits.paint(self.units[start : start + BATCH], COARSE):
                    yield Surveying(stage, start + step.done, len(self.units), self.page)
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
            sorts=SORTS.items(),
            method=self._told.method,
            origins=self._origins,
        )
        return save_bytes(page.encode(), self.page)

    def _row(self, unit: Unit) -> dict:
        """What the wall says of a unit."""
        painted, told, channel = self._portraits.path(unit), self._told, unit.channel
        picture = painted if painted.exists() else self._strip(unit)
        return {
            "channel": channel,
            "address": str(unit),
            "picture": picture.relative_to(self._folder).as_posix(),
            "label": str(told.labels[channel]),
            "find": told.told(channel).lower(),
            "sortable": {key: f"{getattr(told, key)[channel]:.4g}" for key in SORTS if key != "channel"},
            "place": None if told.places is None else told.places[channel].tolist(),
        }

    def _details(self, unit: Unit) -> dict:
        """What a closer look at a unit says."""
        page = self._folder / "units" / f"{unit.layer}-{unit.channel}.html"
        name, told = self._model.name, self._told
        return {
            "title": f"{unit} “{told.labels[unit.channel]}”" if told.labels[unit.channel] else str(unit),
            "told": f"The photo on the left excites it most, to {number(told.strongest[unit.channel])}.",
            "photos": self._strip(unit).relative_to(self._folder).as_posix(),
            "facets": [
                {"name": theme, "picture": path.relative_to(self._folder).as_posix()}
                for theme, portraits in self._themes.items()
                if (path := portraits.path(unit)).exists()
            ],
            "words": ", ".join(told.words[unit.channel]),
            "link": page.relative_to(self._folder).as_posix() if page.exists() else "",
            "command": f"clipbench atlas {self._layer} --model {name} --store DIR --out DIR --refine {unit}",
        }

    @property
    def _origins(self) -> list[str]:
        """Where all of it comes from, a line for each part."""
        lines = [each.caption() for each in self._told.provenance]
        if self._portraits.path(self.units[0]).exists():
            lines.append(self._portraits.provenance(self.units[0]).caption())
        return lines

    def _strip(self, unit: Unit) -> Path:
        return self._folder / "photos" / self._key / f"{unit.layer}-{unit.channel}.jpg"


def _side_by_side(images: Sequence[Image.Image]) -> Image.Image:
    """Square pictures in a row."""
    row = Image.new("RGB", (PHOTOS * _SIDE, _SIDE))
    for place, image in enumerate(images):
        row.paste(image.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS), (place * _SIDE, 0))
    return row
