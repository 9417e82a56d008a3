"""A plotly figure on the page that is changed in place, without a flicker."""

import threading
from functools import cache
from pathlib import Path

import anywidget
import ipywidgets as w
import plotly
import plotly.graph_objects as go
import traitlets

_ANY = 600  # pixels
_LISTS = ("annotations", "images", "shapes")  # of a layout


class Plotly(anywidget.AnyWidget):
    """Plotly's script, which the charts of a page share."""

    _esm = "export default {};"  # it is never seen

    version = traitlets.Unicode(plotly.__version__).tag(sync=True)
    code = traitlets.Unicode().tag(sync=True)

    @traitlets.default("code")
    def _bundle(self) -> str:  # read when there is a first chart, not with every import
        return str(go.FigureWidget._esm)

    @classmethod
    @cache
    def shared(cls) -> "Plotly":
        """The one of this kernel."""
        return cls()


class Chart(go.FigureWidget):
    """Shows one figure after another of the same kind.

    Args:
        figure: the first one.
    """

    _esm = Path(__file__).with_name("chart.js")

    _plotly = traitlets.Instance(Plotly).tag(sync=True, **w.widget_serialization)

    @traitlets.default("_plotly")
    def _of_this_kernel(self) -> Plotly:
        return Plotly.shared()

    def __init__(self, figure: go.Figure):
        self._whole = False
        super().__init__(figure)
        self._config = {"responsive": True, "displayModeBar": False}  # before it is told of: it is read once
        self._whole = True
        self.open()
        self._lock, self._drawn, self._next = threading.Lock(), False, None
        self.observe(self._first_drawn, "_js2py_traceDeltas")  # what the browser sends when it has drawn
        self.add_class("cb-chart")

    def open(self) -> None:
        """Tell the browser of this chart once its figure is in it.

        Plotly's own would tell of an empty one first, and who loads the page at that moment keeps it.
        """
        if self._whole:
            super().open()

    def show(self, figure: go.Figure) -> None:
        """Show a figure with as many traces; from any thread."""
        with self._lock:
            if self._drawn:
                self._change(figure)
            else:  # a browser that still loads plotly would lose the change
                self._next = figure

    def _first_drawn(self, _change) -> None:
        with self._lock:
            if self._drawn:
                return
            self._drawn = True
            self.layout.autosize = True  # it was drawn before it had a place on the page, and so a width
            if self._next is not None:
                self._change(self._next)

    def _change(self, figure: go.Figure) -> None:
        taller = figure.layout.height != self.layout.height
        with self.batch_update():
            for mine, new in zip(self.data, figure.data, strict=True):
                mine.update(new)
            layout = figure.layout.to_plotly_json()
            for name in _LISTS:  # as a whole: an update would leave those there that are too many
                self.layout[name] = layout.pop(name, ())
            self.update_layout(layout)
        if taller:  # a height that is set holds the width, too, until that is set and taken away
            self.update_layout(width=_ANY, autosize=False)
            self.update_layout(width=None, autosize=True)


class Place(w.VBox):
    """Where a chart stands as soon as there is a first figure."""

    def show(self, figure: go.Figure) -> None:
        """Show a figure; one with another number of traces takes a new chart. From any thread."""
        if self.children and len(self.children[0].data) == len(figure.data):
            self.children[0].show(figure)
        else:
            self.children = (Chart(figure),)
