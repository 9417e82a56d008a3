"""The head line of the dashboard and its tabs."""

from collections.abc import Mapping
from urllib.parse import urlencode

import ipywidgets as w

from widgets import article, dossier, feature, ledger, multimodal, parts, studies, typographic, units, what
from widgets.chooser import ModelMenu
from widgets.frame import Frame
from widgets.workbench import Workbench

TABS = {
    "unit": ("See a unit", feature.Panel),
    "fool": ("Fool it", typographic.Panel),
    "article": ("The article's attacks", article.Panel),
    "what": ("What is CLIP?", what.Panel),
    "multimodal": ("Multimodal units", multimodal.Panel),
    "one": ("One unit, everything", dossier.Panel),
    "all": ("All units", units.Panel),
    "studies": ("Studies", studies.Panel),
    "parity": ("Parity", ledger.Panel),
}
_THEME = """
<button type="button" class="cb-theme" onclick="
  const query = new URLSearchParams(location.search);
  query.set('theme', document.body.dataset.jpThemeLight === 'true' ? 'dark' : 'light');
  location.search = query;
">light / dark</button>
"""


class Tabs(w.VBox):
    """One tab a panel; a panel is made when its tab is first opened, and then keeps what it shows.

    Args:
        query: the parsed address of the page: its tab, model and device, and what its panels understand.
    """

    def __init__(self, query: Mapping[str, str]):
        self._query = query
        self._bench = Workbench(query.get("model", "mini"), query.get("device"))
        self._panels: dict[str, parts.Page] = {}
        self._address = parts.classed(Frame(), "cb-sheet")  # shows nothing, but the page's address follows it
        self._tabs = w.ToggleButtons(options=[(title, tab) for tab, (title, _) in TABS.items()])
        asked = query.get("tab", "unit")
        self._tabs.value = asked if asked in TABS else "unit"
        self._body = w.VBox()
        head = parts.row(parts.prose("clipbench", "h1"), ModelMenu(self._bench), w.HTML(_THEME))
        super().__init__(
            [parts.classed(head, "cb-head"), parts.classed(self._tabs, "cb-tabs"), self._body, self._address]
        )
        self._tabs.observe(lambda change: self._open(change.new), "value")
        self._bench.observe(lambda _: self._tell_address(), "model")
        self._open(self._tabs.value)

    def _open(self, tab: str) -> None:
        if tab not in self._panels:
            self._panels[tab] = TABS[tab][1](self._bench, self._query)
            self._body.children = tuple(self._panels.values())
        for name, panel in self._panels.items():
            panel.layout.display = None if name == tab else "none"
        self._tell_address()

    def _tell_address(self) -> None:
        told = {"tab": self._tabs.value}
        if self._bench.model is not None:
            told["model"] = self._bench.model.name
            self.add_class("cb-ready")
        self._address.address = urlencode(told, safe="/")
