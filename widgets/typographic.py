"""The panel "Fool it": a label is laid on a photo, and one sees what that does to what a model sees."""

from collections.abc import Mapping, Sequence

import ipywidgets as w
import traitlets

from clipbench.classify import BeforeAfter, Probe
from clipbench.models import ImageModel
from widgets import parts, scene
from widgets.culprits import Culprits
from widgets.defence import Curve
from widgets.folder import Folder
from widgets.jobs import SETTLE, Latest, guarded
from widgets.label import LabelControls, Stage
from widgets.photos import Photos
from widgets.probes import probe_of
from widgets.robust import Robust
from widgets.scene import Drawing, Scene
from widgets.search import Search
from widgets.verdict import CONTROL, Verdict
from widgets.workbench import Workbench

_DRAW = 0.03  # seconds: the picture follows the pointer at once, the bars SETTLE seconds after it
_FOLDS = {
    "Which text works best?": Search,
    "How small, faint or turned may it be?": Robust,
    "Would silencing those units protect the model?": Curve,
    "A whole folder": Folder,
}


class Panel(parts.Page):
    """Choose a photo, lay a label on it, see the probabilities before and after, for a model and the control.

    Args:
        bench: the shared state.
        query: the parsed address of the page, such as {"photo": "apple", "text": "iPod"}; its keys are the
            fields of a `Scene`. The rest is as in the shipped example.
    """

    ready = traitlets.Bool(False, help="whether the bars have been drawn")

    def __init__(self, bench: Workbench, query: Mapping[str, str] | None = None):
        self._bench, self._control = bench, Workbench(CONTROL, device=bench.device)
        message = parts.Message()
        asked = guarded(Scene.from_query, message.say)(query or {}, scene.example())
        self._scene = scene.example() if asked is None else asked
        self._photos = Photos(self._scene.photo, hint=": add what it shows to the labels")
        self._stage = Stage(self._scene)
        self._label = LabelControls(self._scene, self._stage.frame)
        self._labels = w.Textarea(", ".join(self._scene.labels), description="choose from", rows=2)
        self._wrong_labels = parts.Message()
        self._verdict, self._second = Verdict(), Verdict("control (cannot read)")
        self._by_probe, self._probed, self._probe = Verdict(), None, None
        self._culprits = Culprits(bench)
        self._sections = [section(bench) for section in _FOLDS.values()]
        self._slow = w.VBox(list(map(_fold, _FOLDS, self._sections)), layout={"display": "none"})
        self._drawer = Latest(self._show_drawing, self._label.message.say, delay=_DRAW)
        self._judge = Latest(self._show_verdict, self._complain, delay=SETTLE - _DRAW)
        self._probe_judge = Latest(self._show_by_probe, self._by_probe.wait, delay=0.0)
        self._second_judge = Latest(self._show_second, self._second.wait, delay=0.0)
        super().__init__(
            message,
            parts.columns(
                [self._photos, self._stage, self._label],
                [
                    parts.classed(self._labels, "cb-control", "cb-labels"),
                    self._wrong_labels,
                    self._verdict,
                    self._by_probe,
                    self._second,
                ],
            ),
            parts.classed(self._culprits, "cb-section"),
            parts.classed(self._slow, "cb-section"),
        )
        self._photos.observe(lambda _: self._change_photo(), "picked")
        self._label.observe(lambda _: self._change(), "changed")
        self._labels.observe(lambda _: self._change(), "value")
        bench.observe(lambda _: self._change_model(), "loading")
        self._change_model()
        self._change()

    def _change_model(self) -> None:
        if self._bench.loading:
            self._verdict.wait(f"loading {self._bench.loading} …")
        else:
            self._change()

    def _change_photo(self) -> None:
        picked = self._photos.picked
        if picked.shipped:
            self._labels.value = ", ".join(self._scene.with_photo(picked.name).labels)
        self._change()

    def _change(self) -> None:
        picked = self._photos.picked
        photo = picked.name if picked.shipped else ""
        labels = scene.split(self._labels.value)
        self._scene = made = Scene(photo=photo, labels=labels, **self._label.read())
        self._drawer.ask(lambda: made.on(picked.image, picked.name, picked.path))

    def _show_drawing(self, drawing: Drawing) -> None:
        self._label.message.say("")
        self._stage.show(drawing)
        self._judge.ask(lambda: self._judged(drawing))

    def _judged(self, drawing: Drawing) -> tuple[Drawing, ImageModel, BeforeAfter]:
        model = self._bench.loaded()
        return drawing, model, drawing.judge(model)

    def _show_verdict(self, judged: tuple[Drawing, ImageModel, BeforeAfter]) -> None:
        drawing, model, result = judged
        self._wrong_labels.say("")
        self._verdict.show(result, command=drawing.command(result.provenance.model))
        self.ready = True
        alone = result.provenance.model == CONTROL
        self._second.layout.display = "none" if alone else None
        if not alone:
            self._second_judge.ask(lambda: (drawing, drawing.judge(self._control.loaded()), result.ranked))
        self._probe_judge.ask(lambda: self._judged_by_probe(drawing, model, result.ranked))
        self._culprits.ask(model, drawing, result)
        for section in self._sections:
            section.follow(drawing)
        self._slow.layout.display = None

    def _show_second(self, judged: tuple[Drawing, BeforeAfter, Sequence[str]]) -> None:
        drawing, result, order = judged
        self._second.show(result, order, drawing.command(CONTROL))

    def _judged_by_probe(
        self, drawing: Drawing, model: ImageModel, order: Sequence[str]
    ) -> tuple[Probe | None, BeforeAfter | None, Sequence[str]]:
        if self._probed is not model:
            self._probed, self._probe = model, probe_of(model)
        return self._probe, self._probe and drawing.judge(self._probe), order

    def _show_by_probe(self, judged: tuple[Probe | None, BeforeAfter | None, Sequence[str]]) -> None:
        probe, result, order = judged
        self._by_probe.layout.display = "none" if probe is None else None
        if probe is not None:
            kind = probe.kind.partition(" of ")[0]  # the caption says of what
            self._by_probe.title = f"{kind} (linear probe)"
            self._by_probe.show(result, order)

    def _complain(self, sentence: str) -> None:
        self._wrong_labels.say(sentence)
        for view in (self._verdict, self._by_probe, self._second, self._culprits):
            view.fade()


def _fold(title: str, section: w.Widget) -> parts.Fold:
    fold = parts.Fold(section)
    fold.say(title)
    return fold
