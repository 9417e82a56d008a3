"""Models side by side: units that answer alike, and the things that units of both answer to."""

import html
from collections.abc import Callable, Iterator, Sequence

import ipywidgets as w

import clipbench as cb
from clipbench.models import ImageModel
from clipbench.streams import Progress
from clipbench.studies import Multimodal, measure
from clipbench.studies.known_pictures import Shown
from clipbench.studies.side_by_side import match_units, universality
from widgets import parts
from widgets.study import EXAMPLE, EXAMPLES
from widgets.verdict import CONTROL
from widgets.workbench import Workbench
from widgets.worker import Worker

_ROWS = 10  # of each table
_QUESTION = (
    "Both models see the same photos, drawings and written words. Which units of the one have a partner in "
    "the other that answers to the same pictures? And for which things do both have a unit that knows the "
    "photo, the drawing and the word?"
)


class SideBySide(w.VBox):
    """The pairs of units most alike, and a count of multimodal units for each thing.

    Args:
        bench: the shared state.
    """

    def __init__(self, bench: Workbench):
        self._bench = bench
        self._other = parts.classed(w.Text(CONTROL, description="beside"), "cb-control")
        self._worker = Worker("Measure both", self._work, self._take, _progress)
        self._told, self._pairs, self._things = parts.Note(), w.HTML(), w.HTML()
        self._caption = parts.Caption()
        super().__init__(
            [
                parts.prose("Do two models find the same units?", "h2"),
                parts.prose(_QUESTION),
                self._other,
                self._worker,
                self._told,
                parts.beside(self._pairs, self._things),
                self._caption,
            ]
        )
        self._show([Multimodal.load(EXAMPLE / file) for file in EXAMPLES.values()])

    def _work(self) -> Callable[[], Iterator[Progress[Sequence[Multimodal]]]]:
        name = self._other.value.strip()
        return lambda: _measured(self._bench.loaded(), name)

    def _take(self, progress: Progress[Sequence[Multimodal]]) -> None:
        if progress.result is not None:
            self._show(progress.result)

    def _show(self, results: Sequence[Multimodal]) -> None:
        first, second = (result.provenance.model for result in results)
        matched = match_units(*map(_as_shown, results))
        best = (-matched.likeness).argsort(kind="stable")[:_ROWS].tolist()
        pairs = [(unit, int(matched.partners[unit]), f"{matched.likeness[unit]:.2f}") for unit in best]
        things = [(row.concept, *row.counts) for row in universality(results)[:_ROWS]]
        self._told.say(f"{matched.summary}.")
        self._pairs.value = _table((f"unit of {first}", f"of {second}", "correlation"), pairs)
        self._things.value = _table(("multimodal units for", f"in {first}", f"in {second}"), things)
        command = f"clipbench side-by-side {second} --model {first}"
        about = parts.about(first) or parts.about(second)
        self._caption.show(matched.provenance.caption(), command, about)


def _measured(model: ImageModel, name: str) -> Iterator[Progress[Sequence[Multimodal]]]:
    """Both models, one after the other, with the shipped things."""
    things, found = cb.concepts(), []
    for place, own in enumerate((model, cb.load(name, device=str(model.device)))):
        for step in measure(own, things, own.last_layer):
            yield Progress(place * step.total + step.done, 2 * step.total)
        found.append(step.result)
    yield Progress(2 * step.total, 2 * step.total, found)


def _as_shown(result: Multimodal) -> Shown:
    n = len(result.activations)
    return Shown(result.layer, n, n, result.activations, result.provenance)


def _table(head: Sequence[str], rows: Sequence[Sequence]) -> str:
    top = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    lines = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f'<div class="cb-scroll"><table class="cb-table"><tr>{top}</tr>{lines}</table></div>'


def _progress(progress: Progress[Sequence[Multimodal]]) -> str:
    return f"{progress.done} of {progress.total} pictures"
