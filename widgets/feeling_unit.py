"""A unit of feelings in three rows: faces, bodies and words that it answers to, and the same painted."""

from collections.abc import Callable, Iterator

import ipywidgets as w

from clipbench import figures
from clipbench.optvis.facet_rows import EMOTIONS
from clipbench.streams import Progress
from clipbench.studies.feeling_rows import FeelingRows, feeling_rows
from widgets import parts
from widgets.chart import Place
from widgets.unit_facets import UnitFacets
from widgets.unit_field import UnitField
from widgets.workbench import Workbench
from widgets.worker import Worker

_ABOUT = (
    "The article showed each of its emotion units three times: as a face, as a body and as text. Here are "
    "the faces, hands, persons and words that a unit answers to most, and below the same painted."
)


class FeelingUnit(w.VBox):
    """A unit of the last layer and its rows.

    Args:
        bench: the shared state.
    """

    def __init__(self, bench: Workbench):
        self._bench, self._found = bench, None
        self._unit = UnitField(bench)
        self._worker = Worker("Show it faces, bodies and words", self._work, self._take, _progress)
        self._standing, self._rows, self._caption = parts.Note(), Place(), parts.Caption()
        super().__init__(
            [
                parts.prose("One unit: face, body, text", "h3"),
                parts.prose(_ABOUT, kind="cb-note"),
                self._unit,
                self._worker,
                self._rows,
                self._standing,
                self._caption,
                UnitFacets(bench, self._unit, EMOTIONS),
            ]
        )
        self._unit.observe(lambda _: self._draw(), "meaning")
        bench.observe(lambda _: self._forget(), "model")

    def choose(self, address: str) -> None:
        """Look at another unit; from any thread."""
        self._unit.line.value = address

    def _work(self) -> Callable[[], Iterator[Progress[FeelingRows]]] | None:
        unit = self._unit.meaning
        if self._unit.wrong:  # the line says why
            return None
        return lambda: feeling_rows(self._bench.loaded(), None if unit is None else unit.layer)

    def _take(self, progress: Progress[FeelingRows]) -> None:
        if progress.result is not None:
            self._found = progress.result
            self._draw()

    def _draw(self) -> None:
        """Draw the rows of the unit, if its layer was asked."""
        found, unit = self._found, self._unit.meaning
        if found is None or unit is None or unit.layer != found.layer:
            self._clear()
            return
        self._rows.show(figures.picture_rows(found.rows, unit.channel))
        self._standing.say(found.standing(unit.channel))
        source = found.provenance
        command = f"clipbench emotions --unit {unit} --model {source.model}"
        self._caption.show(source.caption(), command, parts.about(source.model))

    def _forget(self) -> None:
        self._found = None
        self._clear()

    def _clear(self) -> None:
        self._rows.children, self._caption.value = (), ""
        self._standing.say("")


def _progress(progress: Progress[FeelingRows]) -> str:
    return f"{progress.done} of {progress.total} pictures"
