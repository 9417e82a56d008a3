"""The panel "Studies": one study of the article at a time, live."""

from collections.abc import Mapping

import ipywidgets as w
import traitlets

from widgets import parts
from widgets.activation import Activation
from widgets.feelings import Emotions
from widgets.frame import Frame
from widgets.kin import Families
from widgets.persons import Persons
from widgets.phrases import MaximalTexts
from widgets.side import SideBySide
from widgets.sums import Sums
from widgets.workbench import Workbench
from widgets.world import Regions

STUDIES = {
    "regions": ("Regions", Regions),
    "emotions": ("Emotions", Emotions),
    "activation": ("Activation and label", Activation),
    "persons": ("Persons", Persons),
    "families": ("Families", Families),
    "text": ("Maximal text", MaximalTexts),
    "sums": ("Sums of words", Sums),
    "side": ("Side by side", SideBySide),
}


class Panel(parts.Page):
    """One study at a time; it is made when it is first opened, and then keeps what it shows.

    Args:
        bench: the shared state.
        query: the parsed address of the page; "study" is one of `STUDIES`.
    """

    ready = traitlets.Bool(False, help="whether a study is on the page")

    def __init__(self, bench: Workbench, query: Mapping[str, str] | None = None):
        self._bench, self._made = bench, {}
        self._menu = w.ToggleButtons(options=[(title, name) for name, (title, _) in STUDIES.items()])
        asked = (query or {}).get("study", "regions")
        self._menu.value = asked if asked in STUDIES else "regions"
        self._body = w.VBox()
        self._address = parts.classed(Frame(), "cb-sheet")  # shows nothing, but the page's address follows it
        super().__init__(parts.classed(self._menu, "cb-tabs"), self._body, self._address)
        self._menu.observe(lambda change: self._open(change.new), "value")
        self._open(self._menu.value)

    def _open(self, name: str) -> None:
        if name not in self._made:
            self._made[name] = STUDIES[name][1](self._bench)
            self._body.children = tuple(self._made.values())
        for other, study in self._made.items():
            study.layout.display = None if other == name else "none"
        self._address.address = f"study={name}"
        self.ready = True
