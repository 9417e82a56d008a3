"""The nine automated attacks: as published, and by the loaded model on the shipped photos."""

from collections.abc import Callable, Iterable

import ipywidgets as w

from clipbench import attacks, figures
from clipbench.attacks import NINE, NineProgress, NineRow, NineTable
from clipbench.attacks.published import CLEAN, MODEL, PHOTOS
from clipbench.classify import as_classifier
from clipbench.stimuli import ARTICLE
from widgets import parts
from widgets.chart import Place
from widgets.links import links
from widgets.photos import unlabelled
from widgets.probes import probes_of
from widgets.workbench import Workbench
from widgets.worker import Worker


class NineTexts(w.VBox):
    """Bars of the nine texts; Start measures the loaded model.

    Args:
        bench: the shared state.
    """

    def __init__(self, bench: Workbench):
        self._bench, self._photos = bench, [each.path for each in unlabelled()]
        self._worker = Worker("Measure", self._work, self._take, _progress)
        self._chart, self._files, self._caption = Place(), w.HTML(), parts.Caption()
        text = parts.prose(
            f"The article printed each text eight times and small on {PHOTOS:,} photos of ImageNet, of which "
            f"its probe knew {CLEAN.hits}, and counted how often the target became the top class and had not "
            f"been before. Here it is done to the {len(self._photos)} shipped photos, by zero-shot labels "
            "too, of which the article published none."
        )
        heading = parts.prose("Nine texts on any photo", "h2")
        super().__init__([heading, text, self._worker, self._chart, self._files, self._caption])
        self._chart.show(figures.nine([NineRow(row, {}) for row in NINE]))
        self._caption.show(f"{MODEL}, linear probe · {ARTICLE} · n = {PHOTOS}")

    def _work(self) -> Callable[[], Iterable[NineProgress]]:
        def work() -> Iterable[NineProgress]:
            model = self._bench.loaded()
            columns = {model.name: as_classifier(model)}
            columns |= {f"{model.name}, {name}": probe for name, probe in probes_of(model).items()}
            return attacks.nine(columns, self._photos)

        return work

    def _take(self, progress: NineProgress) -> None:
        rows = progress.rows
        self._chart.show(figures.nine(rows))
        over = progress.done == progress.total
        self._files.value = links(NineTable(rows), "nine_texts") if over else ""
        known = [result for result in rows[0].results.values() if result is not None]
        if known:
            told = known[0].provenance
            about = parts.about(told.model)
            self._caption.show(f"{told.caption()} · beside {MODEL}, n = {PHOTOS}", about=about)


def _progress(progress: NineProgress) -> str:
    return f"{progress.done} of {progress.total} photos"
