"""A defence with its controls: units held on photos and texts that they were not chosen by."""

from collections.abc import Callable, Iterable, Sequence

import ipywidgets as w

from clipbench import attacks, figures
from clipbench.attacks import Case, Defence
from clipbench.classify import as_classifier
from widgets import parts
from widgets.chart import Place
from widgets.links import links
from widgets.photos import unlabelled
from widgets.scene import Drawing
from widgets.workbench import Workbench
from widgets.worker import Worker

_KS = (3, 10, 30, 100)  # units held
_WAYS = {
    "zero": "zero",
    "their mean": "mean",
    "at most what photos reach": "clamp",
    "none: project reading away": "projection",
}
_FOUND_ON = 3  # texts that units are found on; with more, units are better and the wait is minutes
_ABOUT = (
    "The units that carry the attack are found on one half of the {n} shipped photos, with the names of {k} "
    "other things on them. How many are to be held is chosen with half of the labels above as texts; what "
    "comes of it is told of the other half, of photos and of labels. A defence is worth its name if its "
    "curve falls while the clean photos stay right, and if holding as many other units, drawn at random or "
    "just as active, does not do the same."
)


class Curve(w.VBox):
    """Start, Stop, and the curve of success against accuracy.

    Args:
        bench: the shared state.
    """

    def __init__(self, bench: Workbench):
        self._bench, self._drawing, self._photos = bench, None, unlabelled()
        self._way = parts.classed(w.ToggleButtons(options=_WAYS, description="hold at"), "cb-control")
        self._worker = Worker("Measure", self._work, self._take, _progress)
        self._chart, self._verdict, self._caption = Place(), parts.Note(), parts.Caption()
        self._files = w.HTML()
        about = parts.prose(_ABOUT.format(n=len(self._photos), k=_FOUND_ON), kind="cb-note")
        body = [self._verdict, self._chart, self._files, self._caption]
        super().__init__([about, self._way, self._worker, *body])

    def follow(self, drawing: Drawing) -> None:
        """Take over label and labels of a drawing; from any thread."""
        self._drawing = drawing

    def _work(self) -> Callable[[], Iterable[Defence]]:
        scene, photos, way = self._drawing.scene, self._photos, self._way.value
        truths = [photo.truth for photo in photos]

        def work() -> Iterable[Defence]:
            labels = dict.fromkeys([*scene.asked, *truths])
            classifier = as_classifier(self._bench.loaded(), list(labels))
            cases = [Case(label, label) for label in scene.asked]
            others = [Case(name, name) for name in _others(truths, scene.asked)]
            images = [photo.image for photo in photos]
            options = {"found_on": others, "ks": _KS, "at": way, "recipe": scene.recipe}
            return attacks.defend(classifier, images, truths, cases, **options)

        return work

    def _take(self, result: Defence) -> None:
        if not result.rows:
            return
        self._chart.show(figures.defence(result))
        over = result.done == result.total
        self._verdict.say(f"{result.summary}." if over else "")
        self._files.value = links(result, "defence") if over else ""
        about = parts.about(result.provenance.model)
        self._caption.show(result.provenance.caption(), about=about)


def _others(truths: Sequence[str], asked: Sequence[str]) -> list[str]:
    """Names of things on the photos that are not asked for, spread over them."""
    names = [name for name in dict.fromkeys(truths) if name not in asked]
    return names[:: max(1, len(names) // _FOUND_ON)][:_FOUND_ON]


def _progress(result: Defence) -> str:
    if not result.units:
        return "looking for the units"
    return f"{result.done} of {result.total} photos"
