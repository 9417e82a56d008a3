"""The panel "All units": a layer's units on a wall and a map, found, sorted, painted; and one's own sweep."""

import html
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping

import ipywidgets as w
import numpy as np
import traitlets

from clipbench import figures
from clipbench.report.overview import SORTS
from clipbench.report.portraits import Painting
from clipbench.studies import Matches
from widgets import parts, pictures
from widgets.chart import Chart
from widgets.jobs import Latest, guarded
from widgets.own_sweep import OwnSweep
from widgets.stores import SHIPPED, Preparing, read_store
from widgets.unit_source import Example, Reading, Swept, read
from widgets.workbench import Workbench
from widgets.worker import Worker

_PAGE = 40  # units on the wall at once
_SIDE = 64  # CSS pixels of one
_PHOTO = 112  # pixels of a photo


class Panel(parts.Page):
    """See all units of a layer, and choose one for the other panels.

    Args:
        bench: the shared state.
        query: the parsed address of the page, such as {"unit": "conv_head:550", "find": "spider"}.
    """

    ready = traitlets.Bool(False, help="whether the wall has been drawn")

    def __init__(self, bench: Workbench, query: Mapping[str, str] | None = None):
        query = query or {}
        self._bench, self._source, self._page, self._chosen = bench, Example(), 0, None
        self._store = parts.Field("store", query.get("store", SHIPPED), read_store)
        self._layer = _control(w.Dropdown(options=[self._source.told.layer], description="layer"))
        self._reader = Worker("Read", self._read, self._take, _reading)
        self._find = _control(w.Text(query.get("find", ""), description="find", placeholder="word or number"))
        self._sort = _control(
            w.Dropdown(options=[(told, key) for key, told in SORTS.items()], description="sort")
        )
        self._text = _control(w.Text(description="search", placeholder="what a photo shows, as in: dog"))
        self._ranked: list[int] | None = None  # channels, by a search
        self._searcher = Worker("Search", self._search, self._rank, _searched)
        self._painter = Worker("Paint them", self._paint, self._painted, _painting)
        self._count, self._wall = parts.Note(), parts.Strip(self._press, width=_SIDE)
        self._back, self._on = (w.Button(description=name) for name in ("earlier", "more"))
        self._map, self._card, self._caption = Chart(self._drawn()), w.HTML(), parts.Caption()
        self._drawer, self._message = Latest(self._draw, self._complain), parts.Message()
        own = parts.Fold(OwnSweep(bench, self._follow_sweep))
        own.say("Sweep a folder of your own")
        controls = [self._find, self._sort, self._count, self._message]
        controls += [self._store, self._layer, self._reader, self._text, self._searcher, own]
        pager = parts.row(self._back, self._on, self._painter)
        results = [self._card, self._wall, pager, self._map, self._caption]
        super().__init__(parts.columns(controls, results))
        self._find.observe(lambda _: self._turn_to(0), "value")
        self._sort.observe(lambda _: self._rank(None), "value")
        parts.entered(self._text, self._searcher.start)
        self._back.on_click(guarded(lambda _: self._turn_to(self._page - 1), self._complain))
        self._on.on_click(guarded(lambda _: self._turn_to(self._page + 1), self._complain))
        self._map.data[0].on_click(guarded(self._press_point, self._complain))
        parts.entered(self._store.line, self._reader.start)
        bench.observe(lambda _: self._offer_layers(), "model")
        self._offer_layers()
        bench.observe(lambda change: self._follow(change.new), "unit")
        self._show(self._asked(query.get("unit", "")))
        self._turn_to(0)
        if self._store.line.value != SHIPPED:
            self._reader.start()

    def _offer_layers(self) -> None:
        """The layers of the model of the page."""
        if self._bench.model is not None:
            names, chosen = [*self._bench.model.layers], self._layer.value
            self._layer.options = names
            self._layer.value = chosen if chosen in names else self._bench.model.last_layer

    def _asked(self, address: str) -> int:
        """The unit that an address asks for, or the one whose favourite photo stands out most."""
        told = self._source.told
        layer, _, channel = address.partition("@")[0].rpartition(":")
        if layer == told.layer and channel.isdecimal() and int(channel) < told.units:
            return int(channel)
        return int(told.ordered("spread")[0])

    def _read(self) -> Callable[[], Iterator[Preparing | Reading]] | None:
        path, layer = self._store.meaning, self._layer.value
        return None if path is None else lambda: read(path, self._bench.loaded(), layer)

    def _take(self, step: Preparing | Reading) -> None:
        if isinstance(step, Reading):
            same = step.source.told.layer == self._source.told.layer
            self._source, self._ranked = step.source, self._ranked if same else None
            self._show(self._chosen if same else self._asked(""))
            self._turn_to(self._page if same else 0)

    def _follow_sweep(self, path: str) -> None:
        self._store.line.value = path
        self._reader.start()

    def _search(self) -> Callable[[], Iterator[Matches]] | None:
        source, text = self._source, self._text.value
        if not isinstance(source, Swept):
            self._message.say("Press Read first: a search asks the model and the photos of its store.")
            return None
        return lambda: source.search(text)

    def _rank(self, matches: Matches | None) -> None:
        """Put the units into the order of a search, or of the menu."""
        if matches is not None:
            self._ranked = [int(match.unit.rpartition(":")[2]) for match in matches.matches]
        else:
            self._ranked = None
        self._turn_to(0)

    def _paint(self) -> Callable[[], Iterator[Painting]] | None:
        source, order = self._source, self._order
        if not isinstance(source, Swept):
            self._message.say("These pictures are shipped; press Read for units that can be painted.")
            return None
        return lambda: source.paint(order.tolist())

    def _painted(self, _step: Painting) -> None:
        self._turn_to(self._page)

    @property
    def _order(self) -> np.ndarray:
        """The units that were found, in the order that was chosen."""
        told = self._source.told
        order = told.ordered(self._sort.value) if self._ranked is None else np.array(self._ranked)
        return order[told.found(self._find.value)[order]]

    def _turn_to(self, page: int) -> None:
        order = self._order
        last = max(-(-len(order) // _PAGE) - 1, 0)
        self._page = min(max(page, 0), last)
        self._back.disabled, self._on.disabled = self._page == 0, self._page == last
        here = order[self._page * _PAGE : (self._page + 1) * _PAGE].tolist()
        self._message.say("" if here else "No unit is found by this; write another word or a number.")
        self._shown = here
        source = self._source
        self._drawer.ask(lambda: (source, here, len(order), [source.picture(channel) for channel in here]))

    def _draw(self, drawn) -> None:
        source, here, found, images = drawn
        small = [pictures.thumbnail(image, 2 * _SIDE) for image in images]
        self._wall.show(list(zip(map(str, here), small, strict=True)))
        self._wall.mark(here.index(self._chosen) if self._chosen in here else None)
        first, units = self._page * _PAGE, f"{found} of {source.told.units} units"
        self._count.say(f"{units}, {first + 1} to {first + len(here)}" if here else units)
        self._map.show(self._drawn())
        captions = " · ".join(each.caption() for each in source.told.provenance)
        about = parts.about(source.told.provenance[0].model)
        self._caption.show(f"{captions} · map: {source.told.method}", about=about)
        self.ready = True

    def _drawn(self):
        """The map, with what was found."""
        told = self._source.told
        places = np.zeros((told.units, 2)) if told.places is None else told.places
        names = [told.told(channel) for channel in range(told.units)]
        return figures.unit_map(places, names, told.found(self._find.value), self._chosen)

    def _press(self, place: int) -> None:
        guarded(self._choose, self._complain)(self._shown[place])
        self._turn_to(self._page)

    def _press_point(self, _trace, points, _state) -> None:
        if points.point_inds:
            self._choose(points.point_inds[0])
            self._turn_to(self._page)

    def _choose(self, channel: int) -> None:
        """Show a unit above the wall, and tell the other panels."""
        self._show(channel)
        self._bench.unit = f"{self._source.told.layer}:{channel}"

    def _follow(self, address: str) -> None:
        """Another panel has chosen a unit: show it where it is one of this layer."""
        channel = self._asked(address)
        if address.startswith(f"{self._source.told.layer}:{channel}") and channel != self._chosen:
            self._show(channel)

    def _show(self, channel: int) -> None:
        self._chosen, told = channel, self._source.told
        photos, words = self._source.photos(channel), told.words[channel].tolist()
        self._card.value = _card(f"{told.layer}:{channel}", photos, words)

    def _complain(self, sentence: str) -> None:
        self._message.say(sentence)


def _control(widget: w.Widget) -> w.Widget:
    return parts.classed(widget, "cb-control")


def _card(unit: str, photos: list, words: list[str]) -> str:
    """A unit with the photos and words that excite it most, as HTML."""
    shown = "".join(
        f'<figure><img src="data:image/jpeg;base64,{b64encode(pictures.thumbnail(image, _PHOTO)).decode()}" '
        f'alt="{html.escape(name)}"/></figure>'
        for name, image in photos
    )
    told = f"<p>{html.escape(', '.join(words))}</p>" if words else ""
    note = "“One unit, everything” and “See a unit” follow this choice."
    return (
        f'<h3>{html.escape(unit)}</h3><div class="cb-wall">{shown}</div>{told}<p class="cb-note">{note}</p>'
    )


def _reading(step: Preparing | Reading) -> str:
    if isinstance(step, Preparing):
        return f"{step.done} of {step.total} photos swept"
    told = step.source.told
    return f"{told.units} units of {told.layer}" + ("" if told.places is not None else ", the map follows")


def _searched(matches: Matches) -> str:
    best = matches.matches[0]
    return f"“{matches.text}”: {best.unit} comes first, {best.votes} of 3 scores agree"


def _painting(step: Painting) -> str:
    return f"{step.done:.0f} of {step.total} pictures"
