"""A unit painted in a row of facets, as the article shows persons and emotions."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import ipywidgets as w
import numpy as np
from PIL import Image

from clipbench import figures
from clipbench.optvis.facet_rows import STRENGTH, FacetRow, RowProgress, chosen, facet_row
from clipbench.optvis.frames import as_bytes
from clipbench.optvis.probes import Facet
from clipbench.optvis.themes import absent_facets, facets_in, shipped_facets
from widgets import parts, pictures
from widgets.chart import Place
from widgets.frame import Frame
from widgets.groups import slider
from widgets.unit_field import UnitField
from widgets.workbench import Workbench
from widgets.worker import Worker

_WIDTH = 128  # of a growing picture on the page, in CSS pixels
_ROOM = 150  # of a finished one, with what is measured below it
_MOST = 5.0  # strength, as published


class UnitFacets(w.VBox):
    """A button that paints, the pictures as they grow, and what each facet has changed.

    Args:
        bench: the shared state.
        unit: the line that says which unit.
        names: of the facets that are wanted, in their order; where a model has none of them, all it has.
    """

    def __init__(self, bench: Workbench, unit: UnitField, names: Sequence[str]):
        self._bench, self._unit, self._names, self._command = bench, unit, names, ""
        self._folder = parts.Field("facets", "", _folder)
        self._folder.line.placeholder = "those that are shipped, or a folder with your own"
        self._strength = slider("strength", _MOST, 0.05, ".2f", STRENGTH)
        self._worker = Worker("Paint its facets", self._work, self._take, _progress)
        self._frame, self._place = Frame(), Place()
        self._absent, self._caption = parts.Note(), parts.Caption()
        about = f"The unit alone, then leaning towards {', '.join(names)}, where the model has such a facet."
        told = [self._absent, self._frame, self._place, self._caption]
        controls = [self._folder, self._strength, self._worker]
        super().__init__([parts.prose(about, kind="cb-note"), *controls, *told])
        bench.observe(lambda _: self._forget(), "model")
        self._forget()

    def _work(self) -> Callable[[], Iterator[RowProgress]] | None:
        folder, unit, strength = self._folder.meaning, self._unit.line.value, self._strength.value
        if folder is None or self._unit.wrong:  # the line says why
            return None

        def work() -> Iterator[RowProgress]:
            model = self._bench.loaded()
            known: dict[str, Facet] = facets_in(folder) if folder else shipped_facets(model)
            facets = chosen([*known.values()], self._names)
            asked = ["--facets", str(folder)] if folder else []
            asked += [word for facet in facets for word in ("--facet", facet.name)]
            asked += ["--strength", f"{strength:g}", "--model", model.name]
            self._command = shlex.join(["clipbench", "facets", unit, *asked])
            return facet_row(model, unit, facets, strength=strength)

        return work

    def _take(self, progress: RowProgress) -> None:
        if progress.result is not None:
            self._show(progress.result)
            return
        self._place.children, self._caption.value, self._frame.layout.display = (), "", None
        grown = np.concatenate([as_bytes(image)[0] for image in progress.images], axis=1)
        self._frame.width = _WIDTH * len(progress.images)
        self._frame.show(pictures.jpeg(Image.fromarray(grown)), "pictures that grow")

    def _show(self, row: FacetRow) -> None:
        self._frame.layout.display = "none"
        self._place.children, self._place.layout.max_width = (), f"{_ROOM * (1 + len(row.names))}px"
        self._place.show(figures.facet_row(row))
        source = row.provenance
        self._caption.show(source.caption(), self._command, parts.about(source.model))

    def _forget(self) -> None:
        self._place.children, self._caption.value, self._frame.layout.display = (), "", "none"
        absent = {} if self._bench.model is None else absent_facets(self._bench.model)
        wanted = {name: absent[name] for name in self._names if name in absent}
        self._absent.say(" · ".join(f"no {name}: {reason}" for name, reason in wanted.items()))


def _folder(text: str) -> Path | str:
    """A folder of facets; nothing where the shipped ones are meant."""
    if not text.strip():
        return ""
    folder = Path(text.strip()).expanduser()
    facets_in(folder)
    return folder


def _progress(progress: RowProgress) -> str:
    return f"{progress.done} of {progress.total} steps"
