"""The panel "Multimodal units": the article's first table, for any unit of any model."""

import html
from collections.abc import Mapping, Sequence

import ipywidgets as w
import traitlets

import clipbench as cb
from clipbench import figures
from clipbench.studies import Column
from widgets import parts, pictures
from widgets.chart import Place
from widgets.frame import Frame
from widgets.jobs import Job, Latest, guarded
from widgets.own_concept import OwnConcept
from widgets.study import CONTROL, Answer, Step, Study, Wish
from widgets.unit_list import UnitList
from widgets.workbench import Workbench


class Panel(parts.Page):
    """Measure which units are multimodal, and see any two of them beside the control's nearest.

    Args:
        bench: the shared state.
        query: the parsed address of the page, such as {"unit": "conv_head:550", "beside": "7"}. What it asks
            for, other than the shipped example, is measured at once.
    """

    ready = traitlets.Bool(False, help="whether a table has been drawn")

    def __init__(self, bench: Workbench, query: Mapping[str, str] | None = None):
        self._bench, self._message = bench, parts.Message()
        wish = guarded(Wish.from_query, self._message.say)(query or {})
        self._wish: Wish | None = Wish() if wish is None else wish
        self._study = Study(lambda: cb.load(CONTROL, device=bench.device))
        self._answer, self._step = self._study.example, None
        self._units = UnitList(self._wish.layer, self._answer)
        self._go = w.Button()
        self._progress, self._seen = parts.Note(), Frame(width=72)
        own = parts.Fold(OwnConcept(self._study, self._follow_concepts))
        own.say("A concept of your own")
        self._view = View()
        self._address = parts.classed(Frame(), "cb-sheet")  # shows nothing, but the page's address follows it
        self._job = Job(self._seen)
        self._drawer = Latest(self._show, self._message.say)
        controls = [self._units, parts.row(self._go), self._progress, self._seen, self._message, own]
        super().__init__(parts.columns(controls, [self._view]), self._address)
        self._units.choose(*self._wished())
        self._draw()
        self._turn()
        for field in (self._units.unit, self._units.beside):
            field.observe(lambda _: self._draw(), "meaning")
        self._units.observe(lambda _: self._find(), "layer")
        self._go.on_click(guarded(self._start_or_stop, self._message.say))
        self._job.observe(guarded(lambda _: self._tell(), self._message.say), "progress")
        self._job.observe(guarded(lambda _: self._turn(), self._message.say), "state")
        bench.observe(lambda change: self._follow_unit(change.new), "unit")
        bench.observe(lambda _: self._follow_model(), "loading")
        self._follow_model()

    def start(self) -> None:
        """Measure the chosen layer, as the button does."""
        layer = self._units.layer
        if self._job.state != "running":
            self._message.say("")
        self._job.start(
            lambda: self._study.measure(self._bench.loaded(), layer), self._watch, self._message.say
        )

    def _start_or_stop(self, _button: w.Button) -> None:
        if self._job.state == "running":
            self._job.stop()
        else:
            self.start()

    def _follow_model(self) -> None:
        if self._bench.loading or self._bench.model is None:
            self._tell()
            return
        model, opening = self._bench.model, self._wish is not None
        self._units.offer_layers([*model.layers, *model.heads], model.last_layer)
        self._find()
        if opening and self._stale:
            self.start()
        elif not self._stale:
            self._wish = None

    def _follow_unit(self, address: str) -> None:
        """Another panel has chosen a unit: show it where it is one of this layer."""
        layer, _, unit = address.partition("@")[0].rpartition(":")
        if layer == self._units.layer:
            self._units.unit.line.value = unit

    def _follow_concepts(self) -> None:
        self._find()
        self.start()

    def _find(self) -> None:
        """Show what is known of the chosen layer, if anything is."""
        model = self._bench.model
        answer = None if model is None else self._study.known(model, self._units.layer)
        if self._job.state != "running":
            self._step = None  # how far the last one came is of no interest any more
        if answer is not None and answer is not self._answer:
            self._take(answer)
        self._tell()

    def _take(self, answer: Answer) -> None:
        """Show an answer: its clearest units, or those that were there if it is about the same ones."""
        same, self._answer = answer.place == self._answer.place, answer
        self._units.offer(answer)
        if not same:
            self._units.choose(*self._wished())
        self._wish = None
        self._draw()

    def _wished(self) -> tuple[int, int]:
        """The clearest units, but for those that the address asks for."""
        best, wish = self._answer.best, self._wish
        if wish is None or wish.layer != self._answer.result.layer:
            return best
        return (
            best[0] if wish.unit is None else wish.unit,
            best[1] if wish.beside is None else wish.beside,
        )

    @property
    def _stale(self) -> bool:
        """Whether what is shown is no answer to what is chosen."""
        model, layer = self._bench.model, self._units.layer
        if self._bench.loading or model is None:
            told = self._answer.result.provenance.model, self._answer.result.layer
            return told != (self._bench.loading, layer)
        return self._study.known(model, layer) is not self._answer

    def _draw(self) -> None:
        answer, chosen = self._answer, self._units.chosen
        if chosen is None:  # the field that is wrong says so
            self._view.fade()
            return
        if self.ready and not self._stale:
            self._bench.unit = f"{answer.result.layer}:{chosen[0]}"
        self._drawer.ask(lambda: (answer, chosen, answer.columns(*chosen)))

    def _show(self, drawn: tuple[Answer, tuple[int, int], Sequence[Column]]) -> None:
        self._view.show(*drawn)
        answer, chosen, _ = drawn
        self._address.address = answer.query(*chosen)
        self.ready = True
        self._tell()

    def _watch(self, step: Step) -> None:
        self._step = step
        self._seen.show(pictures.thumbnail(step.picture), "the picture that is measured")
        if step.answer is not None:
            self._take(step.answer)

    def _turn(self) -> None:
        running = self._job.state == "running"
        self._go.description = "Stop" if running else "Start"
        self._go.button_style = "" if running else "primary"
        self._seen.layout.display = None if running else "none"
        self._tell()

    def _tell(self) -> None:
        """Say how far the measurement is, and fade what is no answer to what is chosen."""
        stale, job, step = self._stale, self._job, self._step
        if stale:
            self._view.fade()
        if job.state == "running":
            told = [_running(step, job.progress.rate, job.progress.done)]
        elif stale and self._bench.loading:
            told = [f"loading {self._bench.loading} …"]
        else:
            told = [f"{job.state} · {step.done} of {step.total} pictures"] if step is not None else []
            told += [f"{self._units.layer} has not been measured yet; press Start"] if stale else []
        self._progress.say(" · ".join(told) or "a finished example; Start measures it anew")


class View(w.VBox):
    """The counts, the table, the rule by which it was ticked, and where it comes from."""

    def __init__(self):
        self._counts, self._stimuli, self._rule = w.HTML(), parts.Note(), parts.Note()
        self._chart, self._caption = Place(), parts.Caption()
        question = parts.prose("Does a unit answer to a thing in photos, in drawings and in writing?", "h3")
        super().__init__([question, self._counts, self._stimuli, self._chart, self._rule, self._caption])

    def show(self, answer: Answer, chosen: tuple[int, int], columns: Sequence[Column]) -> None:
        """Draw a table; from any thread."""
        self._counts.value = f"<p>{html.escape(answer.counts)}</p>"
        self._stimuli.say(answer.stimuli)
        self._chart.show(figures.multimodal_table(columns))
        self._rule.say(answer.rule)
        told = columns[0].provenance
        about = parts.about(told.model)
        self._caption.show(told.caption(), answer.command(*chosen), about)
        self.remove_class("cb-stale")

    def fade(self) -> None:
        """Leave what was drawn, but show that it is no answer to what is chosen."""
        self.add_class("cb-stale")


def _running(step: Step | None, rate: float, results: int) -> str:
    """How far a measurement has come; `rate` is results a second."""
    if step is None or not rate:
        return "starting …"
    pace = rate * step.done / results
    left = (step.total - step.done) / pace
    return f"{step.done} of {step.total} pictures · {pace:.0f} a second · {left:.0f} s left"
