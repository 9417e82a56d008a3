"""The panel "What is CLIP?": pictures and words meet in one space, and labels become a classifier."""

from collections.abc import Callable, Mapping, Sequence

import ipywidgets as w
import traitlets

from clipbench import figures
from clipbench.classify import Similarities
from clipbench.models import VisionModel
from widgets import matching, parts
from widgets.chart import Place
from widgets.frame import Frame
from widgets.gallery import Gallery
from widgets.jobs import Latest, guarded
from widgets.matching import Question
from widgets.photos import Picked
from widgets.scene import split
from widgets.workbench import Workbench

_Asked = tuple[Question, Sequence[Picked], Similarities]


class Panel(parts.Page):
    """Compare photos with captions, and see how labels become a classifier that predicts.

    Args:
        bench: the shared state.
        query: the parsed address of the page, such as {"photos": "cat,dog", "captions": "a cat"}; its keys
            are the fields of a `Question`. The rest is as in the example.
    """

    ready = traitlets.Bool(False, help="whether both halves have been drawn")

    def __init__(self, bench: Workbench, query: Mapping[str, str] | None = None):
        self._bench, self._no_clip, wrong = bench, parts.Message(), parts.Message()
        asked = guarded(Question.from_query, wrong.say)(query or {}, matching.EXAMPLE)
        question = matching.EXAMPLE if asked is None else asked
        self._photos = Gallery(question.photos)
        self._captions = _text(w.Textarea, "\n".join(question.captions), "captions", rows=7)
        self._labels = _text(w.Textarea, ", ".join(question.classes), "labels", rows=2)
        self._template = _text(w.Text, question.sentence, "template")
        self._matrix, self._steps = Matrix(), Steps()
        self._comparer = Latest(self._show_matrix, self._matrix.complain)
        self._classifier = Latest(self._show_steps, self._steps.complain)
        self._address = parts.classed(Frame(), "cb-sheet")  # shows nothing, but the page's address follows it
        self._halves = (
            parts.columns([self._photos, self._captions, self._matrix.message], [self._matrix]),
            parts.columns([self._labels, self._template, self._steps.message], [self._steps]),
        )
        super().__init__(wrong, self._no_clip, *self._halves, self._address)
        self._photos.observe(lambda _: self._change(self._ask_matrix, self._classify), "chosen")
        self._captions.observe(lambda _: self._change(self._ask_matrix), "value")
        self._labels.observe(lambda _: self._change(self._classify), "value")
        self._template.observe(lambda _: self._change(self._classify), "value")
        bench.observe(lambda _: self._change_model(), "loading")
        self._change_model()

    def _change_model(self) -> None:
        if self._bench.loading:
            self._fade()
            return
        sentence = ""
        if isinstance(self._bench.model, VisionModel):
            name = self._bench.model.name
            sentence = f"{name} has no text tower: it cannot compare pictures with words. Choose a CLIP."
        self._no_clip.say(sentence)
        for half in self._halves:
            half.layout.display = "none" if sentence else None
        if not sentence:
            self._change(self._ask_matrix, self._classify)

    def _fade(self) -> None:
        self._matrix.fade()
        self._steps.fade()

    def _change(self, *asks: Callable[[Question, Sequence[Picked]], None]) -> None:
        if not self._photos.chosen:  # the gallery has said so
            self._fade()
            return
        question = Question(
            photos=self._photos.names,
            captions=matching.lines(self._captions.value),
            classes=split(self._labels.value),
            sentence=self._template.value,
        )
        self._address.address = question.query()
        for ask in asks:
            ask(question, self._photos.chosen)

    def _ask_matrix(self, question: Question, photos: Sequence[Picked]) -> None:
        self._comparer.ask(lambda: (question, photos, question.compare(self._bench.loaded(), photos)))

    def _classify(self, question: Question, photos: Sequence[Picked]) -> None:
        self._classifier.ask(lambda: (question, photos, question.classify(self._bench.loaded(), photos)))

    def _show_matrix(self, asked: _Asked) -> None:
        self._matrix.show(*asked)

    def _show_steps(self, asked: _Asked) -> None:
        self._steps.show(*asked)
        self.ready = True


class _Half(w.VBox):
    """One half of the panel; `message` is for below the controls that it comes from."""

    def __init__(self, *children: w.Widget):
        self.message = parts.Message()
        super().__init__(children)

    def complain(self, sentence: str) -> None:
        """Say what is wrong; what was drawn stays, but is no longer the answer. From any thread."""
        self.message.say(sentence)
        self.fade()

    def fade(self) -> None:
        """Show that what was drawn is no longer the answer."""
        self.add_class("cb-stale")

    def _answer(self) -> None:
        self.message.say("")
        self.remove_class("cb-stale")


class Matrix(_Half):
    """Every photo with every caption."""

    def __init__(self):
        self._chart, self._caption = Place(), parts.Caption()
        super().__init__(
            parts.prose("How similar is each photo to each caption?", "h3"),
            parts.prose(
                "One tower of CLIP turns the photo into a list of numbers, the other the caption. This is "
                "the cosine of the angle between the two; the best caption of each photo is framed.",
                kind="cb-note",
            ),
            self._chart,
            self._caption,
        )

    def show(self, _question: Question, photos: Sequence[Picked], result: Similarities) -> None:
        """Draw a result of `Question.compare`; from any thread."""
        self._answer()
        self._chart.show(figures.similarities(result, [photo.image for photo in photos]))
        self._caption.show(result.provenance.caption(), about=_about(result))


class Steps(_Half):
    """Labels, the classifier that they make, and what it predicts."""

    def __init__(self):
        self._texts, self._size, self._formula = parts.Note(), parts.Note(), parts.Note()
        self._weights, self._predictions, self._caption = Place(), Place(), parts.Caption()
        super().__init__(
            parts.prose("1 Labels are put into a template", "h3"),
            self._texts,
            parts.prose("2 The text tower makes them a classifier", "h3"),
            self._size,
            self._weights,
            parts.prose("3 The classifier predicts", "h3"),
            self._formula,
            self._predictions,
            self._caption,
        )

    def show(self, question: Question, photos: Sequence[Picked], result: Similarities) -> None:
        """Draw a result of `Question.classify`; from any thread."""
        self._answer()
        labels, (k, d) = question.classes, result.weights.shape
        self._texts.say(" · ".join(result.texts))
        self._size.say(f"Its weights: {k} rows of {d} numbers, blue above zero, vermilion below.")
        self._weights.show(figures.weights(result, labels))
        self._formula.say(
            f"Photo × weights × {result.scale:.1f}, a factor that the model has learnt, then softmax: "
            "each column sums to 100\xa0%."
        )
        self._predictions.show(figures.predictions(result, [photo.image for photo in photos], labels))
        command = question.command(photos, result.provenance.model)
        self._caption.show(result.provenance.caption(), command, _about(result))


def _text(kind: type[w.Text | w.Textarea], value: str, label: str, **options) -> w.Text | w.Textarea:
    return parts.classed(kind(value, description=label, **options), "cb-control")


def _about(result: Similarities) -> tuple[str, str] | None:
    return parts.about(result.provenance.model)
