"""The article's tables of an apple, a laptop and a mug, for the loaded model and as published."""

from collections.abc import Sequence

import ipywidgets as w

from clipbench import figures
from clipbench.attacks import WildTable, in_the_wild, shipped_photos
from clipbench.attacks.published import MODEL, cards_of
from clipbench.attacks.wild import CREDIT
from clipbench.classify import Probe
from clipbench.errors import ClipbenchError
from widgets import parts
from widgets.chart import Place
from widgets.jobs import Latest
from widgets.links import links
from widgets.probes import probes_of
from widgets.workbench import Workbench

_ITEMS = ("apple", "laptop", "mug")


class Tables(w.VBox):
    """Nine photos: a row of three tables by one method.

    Args:
        title: what the method is called.
        method: of the article's record, "zero_shot" or "probe".
    """

    def __init__(self, title: str, method: str):
        photos = shipped_photos()
        cards = cards_of(photos)
        own = {item: [place for place, photo in enumerate(photos) if photo.item == item] for item in _ITEMS}
        self._photos = {item: [photos[place] for place in places] for item, places in own.items()}
        self._published = {item: [getattr(cards[place], method) for place in own[item]] for item in own}
        self._own, self._charts = own, {item: Place() for item in _ITEMS}
        self._note, self._files, self._caption = parts.Note(), w.HTML(), parts.Caption()
        charts = parts.classed(w.Box(list(self._charts.values())), "cb-cards")
        super().__init__([parts.prose(title, "h3"), self._note, charts, self._files, self._caption])
        self.wait("")

    def wait(self, sentence: str) -> None:
        """Show what was published alone, and say why."""
        self._note.say(sentence)
        self._files.value = ""
        self._caption.show(f"{MODEL} · {CREDIT}")
        self._draw("", {item: () for item in _ITEMS})

    def show(self, name: str, table: WildTable) -> None:
        """Draw what a model makes of the nine photos, beside what was published; from any thread."""
        self._note.say("")
        shares = [dict(zip(row.labels, row.shares.tolist(), strict=True)) for row in table.rows]
        self._draw(name, {item: [shares[place] for place in places] for item, places in self._own.items()})
        self._files.value = links(table, "photos")
        told = table.provenance
        about = parts.about(told.model)
        self._caption.show(f"{told.caption()} · beside {MODEL}, {CREDIT}", about=about)

    def _draw(self, name: str, shares: dict[str, Sequence]) -> None:
        for item, chart in self._charts.items():
            answers = {name: shares[item], MODEL: self._published[item]}
            chart.show(figures.thing_table(self._photos[item], answers))


class NinePhotos(w.VBox):
    """Both methods; follows the model of the page.

    Args:
        bench: the shared state.
    """

    def __init__(self, bench: Workbench):
        self._bench = bench
        self._zero_shot, self._probe = Tables("Zero-shot", "zero_shot"), Tables("Linear probe", "probe")
        self._looker = Latest(self._show, self._zero_shot.wait, delay=0.0)
        heading = parts.prose("Nine photos, three of them honest", "h2")
        text = parts.prose(
            "An apple, a laptop and a mug, as they are and with a word on paper. Each bar is a probability; "
            "the highest of each photo is bold."
        )
        super().__init__([heading, text, self._zero_shot, self._probe])
        bench.observe(lambda _: self._ask(), "model")
        self._ask()

    def _ask(self) -> None:
        self._looker.ask(self._look)

    def _look(self) -> tuple[WildTable, tuple[str, WildTable] | None]:
        model = self._bench.loaded()
        return in_the_wild(model), _by_probe(probes_of(model))

    def _show(self, looked: tuple[WildTable, tuple[str, WildTable] | None]) -> None:
        table, by_probe = looked
        name = table.provenance.model
        self._zero_shot.show(name, table)
        if by_probe is None:
            self._probe.wait(
                f"no data: there is no linear probe of {name} that knows an apple, a laptop and a mug"
            )
        else:
            self._probe.show(f"{name}, {by_probe[0]}", by_probe[1])


def _by_probe(probes: dict[str, Probe]) -> tuple[str, WildTable] | None:
    """The first probe that knows all things, by its name, and what it makes of them."""
    for name, probe in probes.items():
        try:
            return name, in_the_wild(probe)
        except ClipbenchError:  # it has no data for one of them
            continue
    return None
