"""A line for the address of a unit, which follows the unit that all panels look at."""

import clipbench as cb
from clipbench.units import check_whole
from widgets import parts
from widgets.workbench import Workbench


class UnitField(parts.Field):
    """What it means is a `Unit` of the model of the page; None before there is one.

    Args:
        bench: the shared state.
        address: what stands in it at first; where nothing does, the model's first unit will.
    """

    def __init__(self, bench: Workbench, address: str = ""):
        self._bench = bench
        super().__init__("unit", bench.unit or address, self._address)
        bench.observe(lambda _: self._turn(), "model")
        bench.observe(lambda change: self._follow(change.new), "unit")
        self._turn()

    @property
    def wrong(self) -> bool:
        """Whether there is a model, and what is written is none of its units."""
        return self._bench.model is not None and self.meaning is None

    def _address(self, text: str) -> cb.Unit | None:
        model = self._bench.model
        return None if model is None else check_whole(cb.Unit.parse(text, model))

    def _turn(self) -> None:
        if not self.line.value and self._bench.model is not None:
            self.line.value = f"{self._bench.model.last_layer}:0"
        self.check()

    def _follow(self, address: str) -> None:
        if address:
            self.line.value = address
