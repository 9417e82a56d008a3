"""The Stroop test: words in inks, what the model names, and how faint an ink may be."""

import html
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import ipywidgets as w

import clipbench as cb
from clipbench import figures
from clipbench.attacks import Stroop
from clipbench.attacks.published import RECORDS, stroop_record
from clipbench.attacks.stroop_effect import asked
from clipbench.figures import percent
from clipbench.intervals import Rate
from clipbench.models import ClipModel
from clipbench.streams import meanwhile
from clipbench.studies.records import CREDIT
from widgets import parts
from widgets.chart import Place
from widgets.jobs import Latest
from widgets.links import links
from widgets.workbench import Workbench
from widgets.worker import Worker

_PUBLISHED = stroop_record(RECORDS / "stroop_experiment.json")
_OPACITIES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)


@dataclass(frozen=True)
class Fading:
    """Tests so far.

    Args:
        done, total: opacities.
        results: opacity -> result.
    """

    done: int
    total: int
    results: dict[float, Stroop]


def fading(model: ClipModel) -> Iterable[Fading]:
    """The test at one opacity after the other; whoever stops reading stops it."""
    so_far = Fading(0, len(_OPACITIES), {})
    for opacity in _OPACITIES:
        result = yield from meanwhile(asked(model, opacity), so_far)
        so_far = replace(so_far, done=so_far.done + 1, results={**so_far.results, opacity: result})
        yield so_far


class Inks(w.VBox):
    """The square and its rates, which follow the model of the page; the curve over opacity on request.

    Args:
        bench: the shared state.
    """

    def __init__(self, bench: Workbench):
        self._bench = bench
        self._summary, self._rates, self._caption = w.HTML(), w.HTML(), parts.Caption()
        self._files = w.HTML()
        self._square, self._curve, self._message = Place(), Place(), parts.Message()
        self._worker = Worker("Fade the ink", self._work, self._fade, _progress)
        self._asker = Latest(self._show, self._complain, delay=0.0)
        text = parts.prose(
            "A colour's name, written in another colour: which of the two is named? People stumble over it "
            "too. A row for each ink, a column for each word, and below the word the answer: green if it is "
            "the ink, vermilion if it is the word."
        )
        below = parts.columns([self._summary, self._rates, self._worker], [self._curve])
        body = [self._message, self._square, below, self._files, self._caption]
        super().__init__([parts.prose("The word or the ink?", "h2"), text, *body])
        self._square.show(figures.stroop(_PUBLISHED))
        self._summary.value = f"<p>As published: {html.escape(_PUBLISHED.summary)}.</p>"
        self._caption.show(f"{_PUBLISHED.provenance.caption()} · record of {CREDIT}")
        bench.observe(lambda _: self._ask(), "model")
        self._ask()

    def _ask(self) -> None:
        self._asker.ask(lambda: cb.stroop(self._bench.loaded()))

    def _show(self, result: Stroop) -> None:
        self._message.say("")
        self._square.remove_class("cb-stale")
        self._square.show(figures.stroop(result))
        self._summary.value = f"<p>{html.escape(result.summary)}.</p>"
        rates = {"ink of a neutral word": result.neutral, "ink, where word and ink agree": result.congruent}
        rates |= {"word, where they disagree": result.word, "ink, where they disagree": result.ink}
        self._rates.value = _table(rates)
        self._files.value = links(result, "stroop")
        about = parts.about(result.provenance.model)
        command = f"clipbench stroop --model {result.provenance.model}"
        self._caption.show(result.provenance.caption(), command, about)

    def _complain(self, sentence: str) -> None:
        self._message.say(sentence)
        self._square.add_class("cb-stale")

    def _work(self) -> Callable[[], Iterable[Fading]]:
        return lambda: fading(self._bench.loaded())

    def _fade(self, fading: Fading) -> None:
        if fading.results:
            self._curve.show(figures.stroop_opacity(fading.results))


def _progress(fading: Fading) -> str:
    return f"{fading.done} of {fading.total} opacities"


def _table(rates: dict[str, Rate]) -> str:
    rows = "".join(
        f"<tr><td>{name}</td><td class='cb-number'>{rate.hits} of {rate.n}</td>"
        f"<td class='cb-number'>{' to '.join(percent(end) for end in rate.interval)}</td></tr>"
        for name, rate in rates.items()
    )
    heads = "<tr><th>what is named</th><th>how often</th><th>95 % interval</th></tr>"
    return f'<table class="cb-table">{heads}{rows}</table>'
