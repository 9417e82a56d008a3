"""What is a neuron, a channel, a layer? Three pictures that excite them, and what they answer to a photo."""

from dataclasses import replace
from pathlib import Path

import ipywidgets as w
from PIL import Image

from clipbench.results import read_provenance
from clipbench.studies import Maps, maps
from widgets import parts, pictures
from widgets.frame import Frame
from widgets.jobs import Latest
from widgets.photos import Photos
from widgets.workbench import Workbench

EXAMPLES = Path(__file__).parent / "examples" / "explain"
PHOTO = "cat"
_WIDTH = 192
_KINDS = {
    "neuron": "One cell of a layer. It looks at one place of the picture and answers with one number. Its "
    "picture shows what it wants there, here an eye.",
    "channel": "The same detector at every place of the picture, which gives a map of numbers. This is what "
    "“unit” means on this page. Its picture is full of eyes.",
    "layer": "All its channels together: at every place a long list of numbers. The picture that excites "
    "all of them at once makes up whole things, here the heads of animals.",
}


class Explainer(w.VBox):
    """Opens with a unit that looks for eyes and a cat; follows the unit that is chosen on the page.

    Args:
        bench: the shared state.
    """

    def __init__(self, bench: Workbench):
        self._bench = bench
        example = Maps.load(EXAMPLES / "maps.npz")
        self._unit = example.provenance.unit
        self._photos = Photos(PHOTO)
        self._message, self._caption = parts.Message(), parts.Caption()
        self._cards = {kind: _Card(kind, text) for kind, text in _KINDS.items()}
        self._maps = Latest(self._show, self._message.say)
        super().__init__(
            [
                parts.prose("What is a neuron, a channel, a layer?", "h2"),
                parts.classed(w.Box(list(self._cards.values())), "cb-cards"),
                self._caption,
                parts.prose("Another photo", "h3"),
                self._photos,
                self._message,
            ]
        )
        self.add_class("cb-explainer")
        self._show((example, PHOTO))
        self._photos.observe(lambda _: self._ask(), "picked")
        bench.observe(lambda change: self._follow(change.new), "unit")
        bench.observe(lambda change: change.old and self._ask(), "model")

    def _follow(self, unit: str) -> None:
        self._unit = unit
        self._ask()

    def _ask(self) -> None:
        photo, unit = self._photos.picked, self._unit
        self._maps.ask(lambda: (maps(self._bench.loaded(), photo.image, unit), photo.name))

    def _show(self, answer: tuple[Maps, str]) -> None:
        found, photo = answer
        self._message.say("")
        seen = pictures.outline(Image.fromarray(found.photo), found.channel.shape, found.position)
        row, column = found.position
        self._cards["neuron"].answer(seen, f"{found.neuron:.1f} at row {row}, column {column}")
        for kind in ("channel", "layer"):
            values = getattr(found, kind)
            told = f"from {values.min():.1f} (blue) to {values.max():.1f} (yellow)"
            self._cards[kind].answer(pictures.heat(values, found.position), told)
        self._caption.show(f"{found.provenance.caption()} · {photo}")


class _Card(w.VBox):
    """One of the three: its picture, what it is, and what it answers to the photo."""

    def __init__(self, kind: str, text: str):
        self._kind = kind
        painted, caption = Frame(width=_WIDTH), parts.Caption()
        self._map, self._value = Frame(width=_WIDTH), parts.Note()
        path = EXAMPLES / f"{kind}.png"
        painted.show(path.read_bytes(), f"picture that excites a {kind}")
        origin = read_provenance(path)
        caption.show(replace(origin, recipe="").caption(), about=("recipe", origin.recipe))
        super().__init__(
            [
                parts.prose(kind.capitalize(), "h3"),
                painted,
                caption,
                parts.prose(text),
                self._map,
                self._value,
            ]
        )

    def answer(self, image: Image.Image, value: str) -> None:
        """Show what it answers to a photo."""
        self._map.show(pictures.jpeg(image), f"answer of the {self._kind}: {value}")
        self._value.say(value)
