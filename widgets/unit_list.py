"""Which layer, and which two of its units stand in the table."""

from collections.abc import Sequence

import ipywidgets as w
import traitlets

from widgets import parts
from widgets.study import Answer


class UnitList(w.VBox):
    """A layer, a list of its multimodal units to choose from, and two fields for any units.

    Args:
        layer: the layer at first.
        answer: what was measured.
    """

    layer = traitlets.Unicode(help="name of the chosen layer")

    def __init__(self, layer: str, answer: Answer):
        self._answer = answer
        self._layers = parts.classed(w.Dropdown(options=[layer], description="layer"), "cb-control")
        self._list = parts.classed(w.Select(rows=9, description="multimodal"), "cb-control")
        self.unit = parts.Field("unit", "0", self._read)
        self.beside = parts.Field("beside it", "1", self._read)
        super().__init__([self._layers, self._list, self.unit, self.beside], layer=layer)
        self._layers.observe(self._layer_picked, "value")
        self._list.observe(self._unit_picked, "value")
        self.unit.observe(lambda _: self._mark(), "meaning")
        self.offer(answer)

    @property
    def chosen(self) -> tuple[int, int] | None:
        """The two units, or None while a field says none."""
        both = self.unit.meaning, self.beside.meaning
        return None if None in both else both

    def choose(self, unit: int, beside: int) -> None:
        """Write two units into the fields."""
        self.unit.line.value, self.beside.line.value = str(unit), str(beside)

    def offer(self, answer: Answer) -> None:
        """List the multimodal units of what was measured, and read the fields by it."""
        self._answer = answer
        self._list.unobserve(self._unit_picked, "value")  # new options bring a value that nobody chose
        self._list.options = answer.offers
        self._list.observe(self._unit_picked, "value")
        self._list.layout.display = None if answer.offers else "none"
        for field in (self.unit, self.beside):
            field.check()
        self._mark()

    def offer_layers(self, names: Sequence[str], otherwise: str) -> None:
        """Fill the menu of layers, keeping the chosen one if it is among them."""
        self._layers.unobserve(self._layer_picked, "value")
        self._layers.options = tuple(names)
        self._layers.value = self.layer if self.layer in names else otherwise
        self._layers.observe(self._layer_picked, "value")
        self.layer = self._layers.value

    def _layer_picked(self, change) -> None:
        self.layer = change.new

    def _unit_picked(self, change) -> None:
        if change.new is not None:
            self.unit.line.value = str(change.new)

    def _read(self, text: str) -> int:
        return self._answer.read(text)

    def _mark(self) -> None:
        listed = [unit for _, unit in self._list.options]
        self._list.value = self.unit.meaning if self.unit.meaning in listed else None
