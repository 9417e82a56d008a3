"""Emotions as sums of units: the published codes and wheel, and the loaded model's beside them."""

from collections.abc import Callable, Iterator

import ipywidgets as w

from clipbench import figures
from clipbench.errors import ClipbenchError, unknown
from clipbench.models import ClipModel
from clipbench.streams import Progress
from clipbench.studies.emotion_check import Raised, raised
from clipbench.studies.emotion_wheel import wheel
from clipbench.studies.emotions import SPARSITIES, Codes, codes, published_codes, text_units, wheel_words
from clipbench.studies.feeling_units import FeelingUnits, feeling_units
from clipbench.studies.records import CREDIT
from widgets import parts
from widgets.chart import Place
from widgets.feeling_unit import FeelingUnit
from widgets.jobs import Latest
from widgets.workbench import Workbench
from widgets.worker import Worker

_FIRST = "jealous, bored, intimate, surprised"  # of the article's figure 9
_SURPRISE = ("surprised", "startled", "shocked")
_QUESTION = (
    "English has more words for feelings than CLIP has units for them. The article found that each word is "
    "a sum of a few units: surprise is celebration + shock. Units that answer to letters are left out."
)


class Emotions(w.VBox):
    """The codes of some words, and the wheel of all.

    Args:
        bench: the shared state.
    """

    def __init__(self, bench: Workbench):
        self._bench, self._found = bench, None
        self._words = parts.Field("words", _FIRST, _read)
        self._sparsity = parts.classed(
            w.Dropdown(options=SPARSITIES, value="40", description="sparsity"), "cb-control"
        )
        self._codes, self._caption = Place(), parts.Caption()
        self._own, self._own_caption = Place(), parts.Caption()
        self._wheel, self._own_wheel = (parts.classed(Place(), "cb-wide") for _ in range(2))
        self._check, self._one = parts.Note(), FeelingUnit(bench)
        self._worker = Worker("Code them with the model, too", self._work, self._take, _progress)
        self._drawer = Latest(self._show, self._check.say)
        self._finisher = Latest(self._finish, self._check.say, delay=0.0)
        left = [parts.prose("published", "h3"), self._codes]
        right = [parts.prose("this model", "h3"), self._worker, self._check, self._own]
        super().__init__(
            [
                parts.prose("What is a feeling made of?", "h2"),
                parts.prose(_QUESTION),
                self._words,
                self._sparsity,
                parts.beside(w.VBox(left), w.VBox(right)),
                self._wheel,
                self._caption,
                self._own_wheel,
                self._own_caption,
                self._one,
            ]
        )
        self._words.observe(lambda _: self._choose(), "meaning")
        self._sparsity.observe(lambda _: self._choose(), "value")
        bench.observe(lambda _: self._forget(), "model")
        self._choose()

    def _choose(self) -> None:
        words, sparsity, own = self._words.meaning, self._sparsity.value, self._found
        if words is not None:
            self._drawer.ask(lambda: (words, published_codes(sparsity), own))

    def _show(self, asked: tuple[tuple[str, ...], Codes, Codes | None]) -> None:
        words, published, own = asked
        self._codes.show(figures.codes(published, words, text_units()))
        self._wheel.show(figures.emotion_wheel(published, without=text_units()))
        self._caption.show(f"{published.provenance.caption()} · {CREDIT}")
        if own is not None:
            self._own.show(figures.codes(own, words))
            source = own.provenance
            command = f"clipbench emotions {' '.join(words)} --model {source.model}"
            self._own_caption.show(source.caption(), command, parts.about(source.model))

    def _work(self) -> Callable[[], Iterator[Progress[Codes]]]:
        return lambda: codes(self._bench.loaded(), wheel_words())

    def _take(self, progress: Progress[Codes]) -> None:
        if progress.result is not None:
            self._found, model = progress.result, self._bench.model
            self._choose()
            self._finisher.ask(lambda: _checked(model, progress.result))

    def _finish(self, done: tuple[Codes, list[Raised], FeelingUnits]) -> None:
        found, told, units = done
        rose = sum(one.after > one.before for one in told)
        self._check.say(
            f"Codes of {len(found.words)} words have {found.sizes.mean():.1f} units on average. The "
            "article's check: raise a code's first unit on a grey picture; the cosine with its own word, "
            f"less its mean over all, rose for {rose} of {len(told)} words. "
            f"{units.summary} {_surprise(found)}"
        )
        first = next((one.unit for one in told), None)
        if first is not None:
            self._one.choose(f"{found.layer}:{first}")
        self._own_wheel.show(figures.emotion_wheel(found, wheel(found)))

    def _forget(self) -> None:
        model = self._bench.model
        self._found, self._own.children, self._own_wheel.children = None, (), ()
        self._own_caption.value = ""
        self._worker.layout.display = None if isinstance(model, ClipModel) else "none"
        self._check.say("" if isinstance(model, ClipModel) or model is None else
                        f"{model.name} has no text tower, so it has no codes of words.")  # fmt: skip


def _checked(model: ClipModel, found: Codes) -> tuple[Codes, list[Raised], FeelingUnits]:
    return found, raised(model, found), feeling_units(model, found)


def _surprise(found: Codes) -> str:
    """What surprise and shock share, if anything."""
    words = [word for word in _SURPRISE if word in found.words]
    units = [{unit for unit, share in found.code(word, 10) if share > 0} for word in words]
    shared = set.intersection(*units) if len(units) > 1 else set()
    told = f"unit {', '.join(map(str, sorted(shared)))}" if shared else "no unit"
    return f"{' and '.join(words)} share {told}."


def _read(text: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(word.strip().lower() for word in text.split(",") if word.strip()))
    for word in words:
        if word not in wheel_words():
            raise unknown("word", word, wheel_words())
    if not words:
        raise ClipbenchError("there is no word of a feeling; write one, such as jealous")
    return words


def _progress(progress: Progress[Codes]) -> str:
    return f"{progress.done} of {progress.total} words"
