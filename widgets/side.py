"""Models side by side: units that answer alike, and the things that units of all of them answer to."""

import html
import shlex
from collections.abc import Callable, Iterator, Sequence

import ipywidgets as w

import clipbench as cb
from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel
from clipbench.results import Provenance
from clipbench.streams import Progress
from clipbench.studies import Multimodal
from clipbench.studies.side_by_side import MOST, Matched, Universal, match_units, measure_all, universality
from widgets import parts
from widgets.same import SamePicture, captions
from widgets.scene import split
from widgets.study import EXAMPLE, EXAMPLES
from widgets.verdict import CONTROL
from widgets.workbench import Workbench
from widgets.worker import Worker

_ROWS = 10  # of each table
_QUESTION = (
    "All models see the same photos, drawings and written words. Which units of the first one have a partner "
    "in the others that answers to the same pictures? And for which things does each have a unit that knows "
    "the photo, the drawing and the word? Write one to three models, with commas between."
)


class SideBySide(w.VBox):
    """The units most alike, and a count of multimodal units for each thing.

    Args:
        bench: the shared state.
    """

    def __init__(self, bench: Workbench):
        self._bench = bench
        self._others = parts.Field("beside", CONTROL, _names)
        self._worker = Worker("Measure all", self._work, self._take, _progress)
        self._told, self._units, self._things, self._captions = w.VBox(), w.HTML(), w.HTML(), w.VBox()
        super().__init__(
            [
                parts.prose("Do other models find the same units?", "h2"),
                parts.prose(_QUESTION),
                self._others,
                self._worker,
                self._told,
                parts.beside(self._units, self._things),
                self._captions,
                SamePicture(self._models),
            ]
        )
        self._show([Multimodal.load(EXAMPLE / file) for file in EXAMPLES.values()])

    def _work(self) -> Callable[[], Iterator[Progress[tuple[Multimodal, ...]]]] | None:
        load = self._models()
        return None if load is None else lambda: measure_all(load())

    def _models(self) -> Callable[[], list[ImageModel]] | None:
        """What loads the model of the page and the named ones; None where the names mean nothing."""
        names = self._others.meaning
        return None if names is None else lambda: _loaded(self._bench.loaded(), names)

    def _take(self, progress: Progress[tuple[Multimodal, ...]]) -> None:
        if progress.result is not None:
            self._show(progress.result)

    def _show(self, results: Sequence[Multimodal]) -> None:
        matched = match_units(results)
        self._told.children = [parts.prose(line, kind="cb-note") for line in matched.summary]
        self._units.value = _unit_table(matched)
        self._things.value = _thing_table(matched.sources, universality(results)[:_ROWS])
        first, *others = matched.models
        command = shlex.join(["clipbench", "side-by-side", *others, "--model", first])
        self._captions.children = captions(matched.sources, matched.captions[-1], command)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(split(text))
    if not 1 <= len(names) < MOST or not all(names):
        raise ClipbenchError(f"write one to {MOST - 1} models with commas between, such as {CONTROL}")
    return names


def _loaded(model: ImageModel, names: Sequence[str]) -> list[ImageModel]:
    return [model, *(cb.load(name, device=str(model.device)) for name in names)]


def _unit_table(matched: Matched) -> str:
    first, *others = (source.source for source in matched.sources)
    heads = [text for name in others for text in (f"of {name}", "correlation")]
    rows = [
        (unit, *(cell for partner, likeness in own for cell in (partner, f"{likeness:.2f}")))
        for unit, own in matched.best(_ROWS)
    ]
    return _table((f"unit of {first}", *heads), rows)


def _thing_table(sources: Sequence[Provenance], things: Sequence[Universal]) -> str:
    heads = ("multimodal units for", *(f"in {source.source}" for source in sources))
    return _table(heads, [(one.concept, *one.counts) for one in things])


def _table(head: Sequence[str], rows: Sequence[Sequence]) -> str:
    top = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    lines = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f'<div class="cb-scroll"><table class="cb-table"><tr>{top}</tr>{lines}</table></div>'


def _progress(progress: Progress[tuple[Multimodal, ...]]) -> str:
    return f"{progress.done} of {progress.total} pictures"
