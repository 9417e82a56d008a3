"""The phrase that a unit likes most: a search on the text side, beside what chance finds."""

from collections.abc import Callable, Iterator
from pathlib import Path

import ipywidgets as w

import clipbench as cb
from clipbench import figures
from clipbench.models import ClipModel
from clipbench.studies import Looking, MaximalText, look_for_text
from widgets import parts
from widgets.chart import Place
from widgets.workbench import Workbench
from widgets.worker import Worker

UNIT = "conv_head:559"  # of the example
EXAMPLE = Path(__file__).parent / "examples" / "maximal_text.json"
_QUESTION = (
    "What would one have to write for the model to think of this unit? Words are put together as long as the "
    "text fits better to what the unit adds to the model's own account of a photo; unusual words are dear. "
    "The same search for directions that mean nothing says what such a number is worth."
)


class MaximalTexts(w.VBox):
    """A unit's best phrases as bars, random directions' below, and what other controls say.

    Args:
        bench: the shared state.
    """

    def __init__(self, bench: Workbench):
        self._bench, example = bench, MaximalText.load(EXAMPLE)
        self._unit = parts.Field("unit", example.unit, self._read)
        self._worker = Worker("Look for its text", self._work, self._take, _progress)
        self._note = parts.Note()
        self._chart, self._told, self._caption = Place(), w.VBox(), parts.Caption()
        super().__init__(
            [
                parts.prose("Which words does it want?", "h2"),
                parts.prose(_QUESTION),
                self._unit,
                self._worker,
                self._note,
                self._chart,
                self._told,
                self._caption,
            ]
        )
        bench.observe(lambda _: self._turn(), "model")
        self._turn()
        self._show(example)

    def _read(self, text: str) -> cb.Unit | None:
        model = self._bench.model
        return None if model is None else cb.Unit.parse(text, model)

    def _work(self) -> Callable[[], Iterator[Looking]] | None:
        bench, unit = self._bench, self._unit.line.value
        if bench.model is not None and self._unit.meaning is None:
            return None
        return lambda: look_for_text(bench.loaded(), unit)

    def _take(self, progress: Looking) -> None:
        if progress.result is not None:
            self._show(progress.result)

    def _show(self, found: MaximalText) -> None:
        self._chart.show(figures.maximal_text(found))
        self._told.children = [parts.prose(line, kind="cb-note") for line in found.summary]
        source = found.provenance
        command = f"clipbench maximal-text {found.unit} --model {source.model}"
        self._caption.show(source.caption(), command, parts.about(source.model))

    def _turn(self) -> None:
        model = self._bench.model
        reads = model is None or isinstance(model, ClipModel)
        self._worker.layout.display = None if reads else "none"
        self._note.say("" if reads else f"{model.name} has no text tower, so no text leads to its units.")
        self._unit.check()


def _progress(progress: Looking) -> str:
    return f"{progress.done:,} of {progress.total:,} phrases, best: {progress.best}"
