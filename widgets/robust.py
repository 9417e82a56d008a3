"""How robust is it? One thing about the text is varied on the shipped photos."""

from collections.abc import Callable, Iterable

import ipywidgets as w

from clipbench import attacks, figures
from clipbench.attacks import AXES, Case, CurveProgress
from clipbench.classify import as_classifier
from widgets import parts
from widgets.chart import Place
from widgets.links import links
from widgets.photos import unlabelled
from widgets.scene import Drawing
from widgets.search import offer
from widgets.workbench import Workbench
from widgets.worker import Worker

_VARIED = [axis.name for axis in AXES.values() if axis.values]  # the others need values of the user's
_FIRST = "opacity"  # which both kinds of label have
_ABOUT = "The text above, as it lies on the photo, on the {n} shipped photos; one thing about it is varied."


class Robust(w.VBox):
    """What to vary, Start and Stop, and the curve.

    Args:
        bench: the shared state.
    """

    def __init__(self, bench: Workbench):
        self._bench, self._drawing, self._photos = bench, None, [photo.path for photo in unlabelled()]
        self._axis = parts.classed(
            w.Dropdown(options=_VARIED, value=_FIRST, description="vary"), "cb-control"
        )
        self._target = parts.classed(w.Dropdown(description="target"), "cb-control")
        self._worker = Worker("Vary it", self._work, self._take, _progress)
        self._chart, self._notes, self._caption = Place(), parts.Note(), parts.Caption()
        self._files = w.HTML()
        about = parts.prose(_ABOUT.format(n=len(self._photos)), kind="cb-note")
        controls = [about, self._axis, self._target, self._worker]
        super().__init__([*controls, self._chart, self._notes, self._files, self._caption])

    def follow(self, drawing: Drawing) -> None:
        """Take over label and labels of a drawing; from any thread."""
        offer(self._target, drawing)
        self._drawing = drawing

    def _work(self) -> Callable[[], Iterable[CurveProgress]]:
        scene, axis = self._drawing.scene, self._axis.value
        case = Case(self._target.value, scene.text, scene.recipe)

        def work() -> Iterable[CurveProgress]:
            classifier = as_classifier(self._bench.loaded(), scene.asked)
            return attacks.robustness(classifier, self._photos, case, axis)

        return work

    def _take(self, progress: CurveProgress) -> None:
        curve = progress.curve
        self._chart.show(figures.robustness(curve))
        self._notes.say("; ".join(curve.notes))
        self._files.value = links(curve, "curve") if progress.done == progress.total else ""
        about = parts.about(curve.provenance.model)
        self._caption.show(curve.provenance.caption(), about=about)


def _progress(progress: CurveProgress) -> str:
    return f"{progress.done} of {progress.total} photos"
