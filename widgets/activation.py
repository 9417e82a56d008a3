"""What a unit's activation says about a picture: the article's plots, and a unit of the loaded model."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import ipywidgets as w

from clipbench import figures
from clipbench.parity import plotted_units, published_plot
from clipbench.studies.conditional import Conditional, Sample, known
from clipbench.studies.known_pictures import Shown, known_pictures, shown
from clipbench.studies.label_medians import published_people
from clipbench.studies.records import CREDIT, record, unit_names
from widgets import parts
from widgets.chart import Place
from widgets.jobs import Latest
from widgets.labelling import Bench
from widgets.workbench import Workbench
from widgets.worker import Worker

_BUCKETS, _EACH = 6, 12  # of the shipped pictures, of which there are some two hundred
_NAMES = {89: "Donald Trump", 1317: "East Africa", 1257: "West Africa", 2191: "mental illness"}
_QUESTION = (
    "The article drew pictures evenly over a unit's whole range, had them labelled blind, and plotted how "
    "often each label was given at each activation. That is precision; how much of a label lies up there is "
    "recall, which takes the numbers of pictures in each bucket, too."
)


class Activation(w.VBox):
    """Published plots above, a unit of the model below, with labels that are known or one's own.

    Args:
        bench: the shared state.
    """

    def __init__(self, bench: Workbench):
        self._bench, self._shown = bench, None
        options = [(f"{unit} · {_NAMES[unit]}", unit) for unit in plotted_units()]
        self._unit = parts.classed(w.Dropdown(options=options, description="unit"), "cb-control")
        self._plot, self._erratum, self._caption = Place(), parts.Note(), parts.Caption()
        self._people = Place()
        self._worker = Worker("Ask the model about 200 pictures", self._work, self._take, _progress)
        self._own_unit = parts.Field("unit", "0", self._read)
        self._own, self._where, self._recall = Place(), Place(), Place()
        self._own_caption, self._message = parts.Caption(), parts.Message()
        self._bench_place = w.VBox()
        self._drawer = Latest(self._show, self._message.say)
        self._publisher = Latest(self._show_published, self._message.say, delay=0.0)
        published = [self._unit, self._plot, self._erratum, self._people, self._caption]
        own = [self._worker, self._own_unit, self._message, self._own, self._where, self._recall,
               self._own_caption, self._bench_place]  # fmt: skip
        super().__init__(
            [
                parts.prose("What does an activation tell?", "h2"),
                parts.prose(_QUESTION),
                parts.prose("published", "h3"),
                *published,
                parts.prose("this model, pictures whose kind is known", "h3"),
                *own,
            ]
        )
        self._own_unit.layout.display = "none"
        self._unit.observe(lambda _: self._draw_published(), "value")
        self._own_unit.observe(lambda _: self._draw_own(), "meaning")
        bench.observe(lambda _: self._forget(), "model")
        self._draw_published()

    def _draw_published(self) -> None:
        unit = self._unit.value
        self._publisher.ask(lambda: (unit, published_plot(unit)))

    def _show_published(self, drawn: tuple[int, Conditional]) -> None:
        unit, plot = drawn
        told = record("conditional")["plots"][str(unit)]
        fresh(self._plot, figures.conditional(plot, told["colors"]))
        self._erratum.say(f"Erratum: {told['erratum']}." if told["erratum"] else "")
        if unit == 89:
            self._people.show(figures.label_medians(published_people()))
        self._people.layout.display = None if unit == 89 else "none"
        name = unit_names().get(unit, _NAMES[unit])
        self._caption.show(f"{plot.provenance.caption()} · {name} · divided by sd {plot.sd:g} · {CREDIT}")

    def _work(self) -> Callable[[], Iterator[Shown]]:
        return lambda: shown(self._bench.loaded())

    def _take(self, seen: Shown) -> None:
        if seen.done == seen.total:
            self._shown = seen
            self._own_unit.layout.display = None
            self._own_unit.check()
            self._draw_own()

    def _forget(self) -> None:
        self._shown, self._own_unit.layout.display = None, "none"
        for place in (self._own, self._where, self._recall):
            place.children = ()
        self._own_caption.value, self._bench_place.children = "", ()

    def _read(self, text: str) -> int | None:
        return None if self._shown is None else parts.unit_number(text, self._shown.answers.shape[1])

    def _draw_own(self) -> None:
        seen, unit = self._shown, self._own_unit.meaning
        if seen is not None and unit is not None:
            self._message.say("")
            self._drawer.ask(lambda: _sampled(seen, unit))

    def _show(self, drawn: tuple[Sample, Conditional]) -> None:
        sample, result = drawn
        fresh(self._own, figures.conditional(result, at="middle"))
        fresh(self._where, figures.given_label(result))
        fresh(self._recall, figures.recall(result))
        told = result.provenance
        command = (
            f"clipbench conditional {told.unit} --model {told.model} --buckets {_BUCKETS} --each {_EACH}"
        )
        self._own_caption.show(told.caption(), command, parts.about(told.model))
        pictures = [known_pictures()[place][0] for place in sample.places]
        self._bench_place.children = (Bench(pictures, sample, told),)


def fresh(place: Place, figure) -> None:
    """Show a figure in a place, in a new chart if it has another number of traces than the one before."""
    if place.children and len(place.children[0].data) != len(figure.data):
        place.children = ()
    place.show(figure)


def _sampled(seen: Shown, unit: int) -> tuple[Sample, Conditional]:
    told = replace(seen.provenance, unit=f"{seen.layer}:{unit}")
    labels = [label for _, label in known_pictures()]
    return known(seen.answers[:, unit], labels, told, buckets=_BUCKETS, each=_EACH)


def _progress(seen: Shown) -> str:
    return f"{seen.done} of {seen.total} pictures"
