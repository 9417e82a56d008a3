"""From a word to the units that speak for it."""

from collections.abc import Callable
from functools import partial

import ipywidgets as w

import clipbench as cb
from clipbench.optvis.speakers import speakers
from widgets import parts
from widgets.jobs import Latest
from widgets.photos import unlabelled
from widgets.workbench import Workbench

_PHOTOS = 12  # at which slopes are taken
_UNITS = 5  # that are offered


class Find(w.VBox):
    """A line for a word; Enter offers the units of the layer that raise its logit most, to be pressed.

    Args:
        bench: whose model is searched.
        layer: gives the name of the layer to search.
        take: called with the address of the unit that was pressed.
    """

    def __init__(self, bench: Workbench, layer: Callable[[], str], take: Callable[[str], None]):
        self._bench, self._layer, self._take = bench, layer, take
        self._line = parts.classed(w.Text(description="find", placeholder="spider, then Enter"), "cb-control")
        self._units, self._note, self._message = parts.row(), parts.Note(), parts.Message()
        self._finder = Latest(self._show, self._refuse, delay=0.0)
        super().__init__([self._line, self._units, self._note, self._message])
        parts.entered(self._line, self._ask)
        bench.observe(lambda _: self._show([]), "model")

    def _ask(self) -> None:
        word, layer = self._line.value.strip(), self._layer()
        self._message.say("")
        self._note.say("searching …" if word else "")
        self._finder.ask(partial(self._search, word, layer) if word else list)

    def _search(self, word: str, layer: str) -> list[tuple[str, float]]:
        photos = unlabelled()
        shown = [photo.image for photo in photos[:: len(photos) // _PHOTOS]]
        return speakers(self._bench.loaded(), cb.objectives.label(word), layer, shown).top(_UNITS)

    def _show(self, found: list[tuple[str, float]]) -> None:
        self._note.say(
            "units that raise its logit most, by so much for one standard deviation" if found else ""
        )
        self._units.children = tuple(self._button(*unit) for unit in found)

    def _refuse(self, sentence: str) -> None:
        self._show([])
        self._message.say(sentence)

    def _button(self, address: str, slope: float) -> w.Button:
        button = w.Button(description=f"{address.rpartition(':')[2]}  {slope:+.2g}", tooltip=address)
        button.on_click(lambda _: self._take(address))
        return button
