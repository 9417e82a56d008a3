"""Region units on the map: the 66 published ones, and the loaded model's beside them."""

from collections.abc import Callable, Iterator

import ipywidgets as w

from clipbench import figures
from clipbench.streams import Progress
from clipbench.studies.records import CREDIT, region_units
from clipbench.studies.region_pictures import RegionAnswers, region_answers
from clipbench.studies.regions import answered_map, country_names, place_names, published_map, strongest
from widgets import parts
from widgets.chart import Place
from widgets.jobs import Latest
from widgets.workbench import Workbench
from widgets.worker import Worker

_FIRST = "RN50x4:862"
_WORDS, _PLACES = 10, 6  # that are told of a unit
_QUESTION = (
    "Some units answer to a part of the world. Choose one of the 66 published units, or several with Ctrl: "
    "each then has a hue of its own, hues mix where several answer, and turn grey where opposite ones do."
)


class Regions(w.VBox):
    """The article's map and words, and what the model of the page says to the countries' names.

    Args:
        bench: the shared state.
    """

    def __init__(self, bench: Workbench):
        self._bench, self._found = bench, None
        options = [(one.label, f"{one.model}:{one.unit}") for one in region_units()]
        self._chosen = w.SelectMultiple(
            options=options, value=[_FIRST], rows=12, description="units", layout={"width": "100%"}
        )
        self._known = {f"{one.model}:{one.unit}": one for one in region_units()}
        self._map, self._told, self._caption = Place(), w.VBox(), parts.Caption()
        self._message = parts.Message()
        self._drawer = Latest(self._show, self._message.say)
        self._cities = w.Checkbox(description="cities, too: four times as long", indent=False)
        self._worker = Worker("Ask the model, too", self._work, self._take, _progress)
        self._unit = parts.Field("unit", "", self._read)
        self._unit.layout.display = "none"
        self._own, self._own_told, self._own_caption = Place(), parts.Note(), parts.Caption()
        self._rows, self._rows_told, self._all_told = Place(), parts.Note(), parts.Note()
        published = [self._map, self._told, self._caption]
        model = [self._worker, self._cities, self._unit, self._own_told, self._own, self._rows_told,
                 self._rows, self._all_told, self._own_caption]  # fmt: skip
        super().__init__(
            [
                parts.prose("Where in the world?", "h2"),
                parts.prose(_QUESTION),
                self._message,
                parts.columns([self._chosen], [*published, *model]),
            ]
        )
        self._chosen.observe(lambda _: self._choose(), "value")
        self._unit.observe(lambda _: self._draw_own(), "meaning")
        bench.observe(lambda _: self._forget(), "model")
        self._choose()

    def _choose(self) -> None:
        units = [self._known[key] for key in self._chosen.value]
        if not units:
            self._message.say("no unit is chosen; choose at least one")
            return
        self._message.say("")
        self._told.children = [parts.prose(text, kind="cb-note") for one in units for text in _about(one)]
        self._drawer.ask(lambda: published_map(units))
        self._match()

    def _show(self, drawn) -> None:
        self._map.show(figures.world_map(drawn, "published"))
        self._caption.show(f"{', '.join(drawn.labels)} · {CREDIT}")

    def _work(self) -> Callable[[], Iterator[Progress[RegionAnswers]]]:
        asked = place_names() if self._cities.value else country_names()
        return lambda: region_answers(self._bench.loaded(), asked, self._bench.loaded().last_layer)

    def _take(self, progress: Progress[RegionAnswers]) -> None:
        if progress.result is not None:
            self._found = progress.result
            self._all_told.say(progress.result.countries.summary)
            self._unit.layout.display = None
            self._match()

    def _forget(self) -> None:
        self._found, self._own.children, self._rows.children = None, (), ()
        self._unit.layout.display = "none"
        for note in (self._own_told, self._rows_told, self._all_told):
            note.say("")
        self._own_caption.value = ""

    def _match(self) -> None:
        """Choose the model's unit whose answers to the countries are most like the published ones."""
        if self._found is None or len(self._chosen.value) == 0:
            return
        one = self._known[self._chosen.value[0]]
        unit, likeness, chance = self._found.names.only(country_names()).nearest(one.countries)
        verdict = "no more than chance" if likeness <= chance else "more than chance"
        self._own_told.say(
            f"Nearest to {one.label} is unit {unit}: its answers to 175 countries "
            f"correlate by {likeness:.2f}; shuffled names reach {chance:.2f}, so this is {verdict}. Names "
            "that share letters can do that, too; what a unit knows of a country shows in the rows below."
        )
        before = self._unit.meaning
        self._unit.line.value = str(unit)
        self._unit.check()
        if self._unit.meaning == before:  # else it was drawn because it changed
            self._draw_own()

    def _read(self, text: str) -> int | None:
        return None if self._found is None else parts.unit_number(text, self._found.names.answers.shape[1])

    def _draw_own(self) -> None:
        found, unit = self._found, self._unit.meaning
        if found is None or unit is None:
            return
        told = found.names.top(unit, _PLACES) if found.names.sds(unit).any() else ["the same to every name"]
        words = ", ".join(told)
        self._own.show(figures.world_map(answered_map(found.names, [unit]), f"unit {unit}: {words}"))
        self._rows_told.say(found.standing(unit))
        self._rows.show(figures.picture_rows(found.rows, unit))
        about = parts.about(found.provenance.model)
        cities = " --cities" if len(found.names.names) > len(country_names()) else ""
        command = f"clipbench regions {found.names.layer}:{unit} --model {found.provenance.model}{cities}"
        self._own_caption.show(found.provenance.caption(), command, about)


def _about(one) -> list[str]:
    """What the record says of a unit, and what its authors warn of."""
    countries, cities = strongest(one, _PLACES)
    lines = [
        f"{one.label} — words: {', '.join(one.words[:_WORDS])}; countries: {', '.join(countries)}; "
        f"cities: {', '.join(cities)}."
    ]
    return lines + ([one.warning] if one.warning else [])


def _progress(progress: Progress[RegionAnswers]) -> str:
    return f"{progress.done} of {progress.total} pictures"
