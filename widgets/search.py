"""Which text works best? A search on the shipped photos, with the label as it lies on the picture."""

from collections.abc import Callable, Iterable

import ipywidgets as w

from clipbench import attacks, figures
from clipbench.attacks import METHODS, SearchProgress, SearchResult
from clipbench.classify import as_classifier
from widgets import parts
from widgets.chart import Place
from widgets.links import links
from widgets.photos import unlabelled
from widgets.scene import Drawing
from widgets.workbench import Workbench
from widgets.worker import Worker

_ABOUT = (
    "Every second of the {n} shipped photos is searched on, the others judge what was found. The texts come "
    "from ImageNet's short class names; “edits” changes the label's own name letter by letter."
)


class Search(w.VBox):
    """Target, method, Start and Stop, and the texts that were found.

    Args:
        bench: the shared state.
    """

    def __init__(self, bench: Workbench):
        self._bench, self._drawing, self._photos = bench, None, [photo.path for photo in unlabelled()]
        self._target = parts.classed(w.Dropdown(description="target"), "cb-control")
        self._method = parts.classed(
            w.ToggleButtons(options=[*METHODS], value="units", description="search by"), "cb-control"
        )
        self._worker = Worker("Search", self._work, self._take, _progress)
        self._chart, self._verdict, self._caption = Place(), parts.Note(), parts.Caption()
        self._files = w.HTML()
        about = parts.prose(_ABOUT.format(n=len(self._photos)), kind="cb-note")
        controls = [about, self._target, self._method, self._worker]
        super().__init__([*controls, self._verdict, self._chart, self._files, self._caption])

    def follow(self, drawing: Drawing) -> None:
        """Take over label and labels of a drawing; from any thread."""
        offer(self._target, drawing)
        self._drawing = drawing

    def _work(self) -> Callable[[], Iterable[SearchProgress]]:
        scene, target, method = self._drawing.scene, self._target.value, self._method.value

        def work() -> Iterable[SearchProgress]:
            classifier = as_classifier(self._bench.loaded(), scene.asked)
            return attacks.search(classifier, self._photos, target, methods=[method], recipe=scene.recipe)

        return work

    def _take(self, progress: SearchProgress) -> None:
        result = progress.result
        if result is None:
            self._verdict.say(_so_far(progress))
            self._files.value = ""
            return
        self._chart.show(figures.search(result))
        self._verdict.say(_verdict(result))
        self._files.value = links(result, "search")
        about = parts.about(result.provenance.model)
        self._caption.show(result.provenance.caption(), about=about)


def offer(menu: w.Dropdown, drawing: Drawing) -> None:
    """Let a menu offer the labels of a drawing; its choice stays as long as it is among them."""
    asked = drawing.scene.asked
    if tuple(menu.options) != asked:
        kept = menu.value if menu.value in asked else drawing.scene.target
        menu.options = asked
        menu.value = kept


def _progress(progress: SearchProgress) -> str:
    if progress.result is not None:
        return f"{sum(progress.result.passes.values())} pictures encoded to find these texts"
    return f"{progress.method} · {progress.passes} pictures encoded"


def _so_far(progress: SearchProgress) -> str:
    """What a search under way, or one that was stopped, has found."""
    if not progress.leading:
        return "No text has been tried yet."
    texts = ", ".join(f"“{text}” {rate.hits} of {rate.n}" for text, rate in progress.leading)
    return f"Best so far, on the photos that texts are chosen by: {texts}."


def _verdict(result: SearchResult) -> str:
    own, better = result.own.success, result.better
    told = f"“{result.target}” itself wins on {own.hits} of {own.n} photos that no search has seen"
    if not better:
        return f"{told}; no text does better."
    first = better[0]
    sure = "more than luck gives" if first in result.surely_better else "which may be luck"
    return f"{told}; “{first.text}” wins on {first.success.hits}, {sure}."
