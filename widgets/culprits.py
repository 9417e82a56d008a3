"""Who did it: the units that carried the answer to the word, where, and what comes of silencing them."""

import html
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

import ipywidgets as w
import torch
from PIL import Image

import clipbench as cb
from clipbench.attacks import UnitSay, Why
from clipbench.classify import BeforeAfter
from clipbench.figures import percent
from clipbench.models import ImageModel
from clipbench.report.portraits import COARSE, Painting, Portraits
from widgets import parts, pictures
from widgets.frame import Frame
from widgets.jobs import Latest
from widgets.kept import portraits_of
from widgets.scene import Drawing
from widgets.verdict import Verdict
from widgets.workbench import Workbench
from widgets.worker import Worker

SHOWN = 5  # units with pictures
_KS = (0, 1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300)  # units that can be silenced
_FIRST_K = 10
_REST = 0.5  # seconds that the label may rest before units are asked, which takes as long as ten bars
_WIDTH = 84  # of a unit's two pictures, in CSS pixels


@dataclass(frozen=True, eq=False)
class Inquiry:
    """An attack that was followed back to the units of the model's last layer.

    Args:
        model: who answered.
        drawing: to what.
        why: what each unit added.
        maps: of the `SHOWN` first units, (h, w) each: where they answer to the picture with the text.
    """

    model: ImageModel
    drawing: Drawing
    why: Why
    maps: torch.Tensor

    @classmethod
    def into(cls, model: ImageModel, drawing: Drawing, result: BeforeAfter) -> "Inquiry | None":
        """Follow an answer back, from what the model saw before to the label that the text spells.

        Returns:
            None where the text spells what the model saw before, or no label of this model.
        """
        target, seen = drawing.scene.target, result.winners[0]
        if target == seen or target not in result.labels:
            return None
        pair, labels = ([drawing.before], [drawing.after]), result.labels
        found = cb.why(model, *pair, target=target, against=[seen], labels=labels)
        values = model.activations([drawing.after], found.layer)[0].float().cpu()
        return cls(model, drawing, found, values[list(found.ranked[:SHOWN])])

    @property
    def says(self) -> tuple[UnitSay, ...]:
        """What the first units said."""
        return self.why.top(SHOWN)

    @property
    def units(self) -> list[cb.Unit]:
        """The first units."""
        return [cb.Unit.parse(say.unit, self.model) for say in self.says]

    @property
    def portraits(self) -> Portraits:
        """Pictures of the model's units."""
        return portraits_of(self.model)

    def silenced(self, k: int) -> BeforeAfter:
        """What the model sees while the k first units are held at zero."""
        units = [say.unit for say in self.why.top(k)]
        change = f"{self.drawing.name} · {self.drawing.scene} · {k} units of {self.why.layer} held at 0"
        with self.model.ablate(units):
            return cb.before_after(
                self.model, self.drawing.before, self.drawing.after, self.drawing.scene.asked, change=change
            )


class Culprits(w.VBox):
    """A map of the picture, the units with most say, and a slider that silences them.

    Args:
        bench: the shared state; pressing a unit's picture makes it the unit that the page looks at.
    """

    def __init__(self, bench: Workbench):
        self._inquiry: Inquiry | None = None
        self._message, self._told, self._caption = parts.Message(), parts.Note(), parts.Caption()
        self._map = Frame(width=240)
        self._cards = [_Card(bench) for _ in range(SHOWN)]
        self._painter = Worker("Paint what they look for", self._paint, lambda _: None, _progress)
        self._k = w.SelectionSlider(options=_KS, value=_FIRST_K, description="silence")
        self._held = Verdict()
        self._finder = Latest(self._show, self._message.say, delay=_REST)
        self._holder = Latest(self._show_held, self._message.say)
        heading = parts.prose("Who did it?", "h2")
        cards = parts.classed(w.Box(self._cards), "cb-suspects")
        silence = parts.prose("And without them?", "h3")
        controls = [heading, self._told, self._map, self._message]
        results = [cards, self._painter, silence, parts.classed(self._k, "cb-control"), self._held]
        super().__init__([parts.columns(controls, results), self._caption], layout={"display": "none"})
        self._k.observe(lambda _: self._hold(), "value")

    def ask(self, model: ImageModel, drawing: Drawing, result: BeforeAfter) -> None:
        """Inquire into a drawing that the model has judged; from any thread."""
        self._finder.ask(lambda: Inquiry.into(model, drawing, result))

    def fade(self) -> None:
        """Leave what was drawn, but show that it is no longer the answer."""
        self.add_class("cb-stale")

    def _show(self, inquiry: Inquiry | None) -> None:
        self._inquiry = inquiry
        self.remove_class("cb-stale")
        self.layout.display = "none" if inquiry is None else None
        if inquiry is None:
            return
        self._message.say("")
        found, crop = inquiry.why, inquiry.model.crop(inquiry.drawing.after)
        where = f"where {found.target} gained on {found.against[0]}"
        self._map.show(pictures.jpeg(pictures.signed(found.places[0], crop)), where)
        self._told.say(_told(found))
        for card, say, values in zip(self._cards, inquiry.says, inquiry.maps, strict=True):
            card.show(say, inquiry.model.name, pictures.heat(values.numpy()))
        self._hang(inquiry)
        about = parts.about(found.provenance.model)
        self._caption.show(f"{found.provenance.caption()} · {inquiry.drawing.name}", about=about)
        self._hold()

    def _hold(self) -> None:
        inquiry, k = self._inquiry, self._k.value
        if inquiry is not None:
            self._holder.ask(lambda: (k, inquiry.silenced(k) if k else None))

    def _show_held(self, told: tuple[int, BeforeAfter | None]) -> None:
        k, result = told
        if result is None:
            self._held.wait("nothing is silenced")
        else:
            self._held.title = f"without {k} unit{'s' if k > 1 else ''}"
            self._held.show(result)

    def _paint(self) -> Callable[[], Iterable[Painting]]:
        return partial(self._painted, self._inquiry)

    def _painted(self, inquiry: Inquiry) -> Iterator[Painting]:
        yield from inquiry.portraits.paint(inquiry.units, COARSE)
        self._hang(inquiry)

    def _hang(self, inquiry: Inquiry) -> None:
        """Show what the units look for, as far as it was painted, now or another day."""
        if inquiry is self._inquiry:
            for card, unit in zip(self._cards, inquiry.units, strict=True):
                card.hang(inquiry.portraits.image(unit))


class _Card(w.VBox):
    """One unit: where it answers to the picture, what it looks for, and its share."""

    def __init__(self, bench: Workbench):
        self.unit = ""
        self._map, self._portrait = Frame(width=_WIDTH, use="press"), Frame(width=_WIDTH, use="press")
        self._said = w.HTML()
        for frame in (self._map, self._portrait):
            frame.on_press(lambda: bench.set_trait("unit", self.unit))
        super().__init__([parts.row(self._map, self._portrait), self._said])
        self.add_class("cb-suspect")

    def show(self, say: UnitSay, model: str, heat: Image.Image) -> None:
        """Show a unit and where it answers."""
        self.unit = say.unit
        self._map.show(pictures.thumbnail(heat), f"where {say.unit} answers to the picture")
        address = urlencode({"tab": "unit", "unit": say.unit, "model": model}, safe=":/")
        link = (
            f'<a class="cb-link" href="?{html.escape(address)}" target="_blank">{html.escape(say.unit)}</a>'
        )
        self._said.value = f'<p class="cb-note">{link}<br>{percent(say.share)} of the change</p>'

    def hang(self, portrait: Image.Image | None) -> None:
        """Show what the unit looks for; a picture that was not painted yet stays away."""
        self._portrait.layout.display = "none" if portrait is None else None
        if portrait is not None:
            self._portrait.show(pictures.jpeg(portrait), f"optimised picture of {self.unit}")


def _progress(painting: Painting) -> str:
    return f"{painting.done:.1f} of {painting.total} pictures"


def _told(found: Why) -> str:
    """What the map and the shares are of."""
    gained = float(found.change[0])
    told = (
        f"The logit of {found.target} gained {gained:.1f} on that of {found.against[0]}"
        if gained > 0
        else f"The logit of {found.target} did not gain on that of {found.against[0]}"
    )
    explained = "" if found.explained is None else f", and the units sum to {percent(found.explained)} of it"
    return (
        f"{told}{explained}. On the map, vermilion is where that came about and blue what spoke against it. "
        "Each unit: where on the picture it answers, what it looks for, and its part of the sum."
    )
