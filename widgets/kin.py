"""The article's families of neurons: 118 units in 16 families, and the way to each."""

import html

import ipywidgets as w

from clipbench.parity.ledger import has_units
from clipbench.studies.records import CREDIT, LAYER, MODEL, families, top_words
from widgets import parts
from widgets.workbench import Workbench

_QUESTION = (
    "The article sorted 118 of its units into families. Where the model of the page is RN50x4, pressing a "
    "unit chooses it for all panels; otherwise this is the published table."
)


class Families(w.VBox):
    """A family's units, with the words that they answer to most.

    Args:
        bench: the shared state.
    """

    def __init__(self, bench: Workbench):
        self._bench = bench
        self._family = parts.classed(w.Dropdown(options=[*families()], description="family"), "cb-control")
        self._table, self._units, self._caption = w.HTML(), w.Box(), parts.Caption()
        heading = parts.prose("Which families are there?", "h2")
        self._caption.show(f"published record · {CREDIT}")
        super().__init__(
            [heading, parts.prose(_QUESTION), self._family, self._table, self._units, self._caption]
        )
        self._family.value = "Person Neurons"
        self._family.observe(lambda _: self._draw(), "value")
        bench.observe(lambda _: self._draw(), "model")
        self._draw()

    def _draw(self) -> None:
        units = families()[self._family.value]
        lines = "".join(
            f"<tr><td>{html.escape(model)}</td><td>{unit}</td><td>{html.escape(name)}</td>"
            f"<td>{html.escape(', '.join(top_words()[unit])) if model == MODEL else ''}</td></tr>"
            for model, unit, name in units
        )
        head = "<tr><th>model</th><th>unit</th><th>name</th><th>words that it answers to most</th></tr>"
        self._table.value = f'<table class="cb-table">{head}{lines}</table>'
        own = [unit for model, unit, _ in units if model == MODEL] if has_units(self._bench.model) else []
        self._units.children = tuple(self._button(unit) for unit in own)

    def _button(self, unit: int) -> w.Button:
        button = w.Button(description=f"{LAYER}:{unit}")
        button.on_click(lambda _: setattr(self._bench, "unit", f"{LAYER}:{unit}"))
        return button
