"""What the feature panel shows: the picture, how its value rose, how it looked before, what it looks like."""

import html
from base64 import b64encode
from collections.abc import Callable, Sequence

import ipywidgets as w
from PIL import Image

from clipbench.optvis import Step
from widgets import parts, pictures
from widgets.frame import Frame
from widgets.growth import Example, Growth


class View(w.VBox):
    """Draws a growth, live or as it was at one of its kept steps.

    Args:
        looked_at: called with every picture that is drawn large.
    """

    def __init__(self, looked_at: Callable[[Image.Image], None]):
        self.frame = Frame(width=384)
        self.progress = parts.Note()
        self._looked_at = looked_at
        self._growth: Growth | Example | None = None
        self._now: tuple[int, Image.Image] | None = None  # newest step and its picture
        self._chosen: int | None = None  # kept step that is looked at; None follows the newest
        self._earlier: list[int] = []  # kept steps that stand in the strip, before the newest
        self._thumbs: dict[int, bytes] = {}
        self._resting = True
        self._curve, self._save = w.HTML(), w.HTML()
        self._strip = parts.Strip(self._choose)
        self._likely, self._caption = parts.Bars(), parts.Caption()
        heading = parts.prose("To the model it looks like", "h3")
        side = w.VBox([self.progress, self._curve, heading, self._likely])
        super().__init__([parts.beside(self.frame, side), self._strip, self._caption, self._save])

    def show_example(self, example: Example) -> None:
        """Show a finished example."""
        number = example.numbers[-1]
        self._growth, self._now = example, (number, example.image(number))
        self._enlarge()
        self.show_likely(example.likely)
        self.rest()

    def draw(self, growth: Growth, step: Step) -> None:
        """Show the picture of the newest step of a growth; the rest of the view waits for `tell`."""
        self._now = step.number, pictures.picture(step)
        self._resting = False
        if growth is not self._growth:
            self._growth, self._chosen, self._thumbs = growth, None, {}
            self.frame.address = growth.recipe.query()
            self._save.value = ""
            self._tell_origin(growth.goal)
        self._enlarge()

    def tell(self) -> None:
        """Bring the earlier pictures and the curve up to date."""
        growth, (number, image) = self._growth, self._now
        self._earlier = [kept for kept in growth.numbers if kept < number]  # the worker is ahead of it
        for kept in self._earlier:
            if kept not in self._thumbs:
                self._thumbs[kept] = pictures.thumbnail(growth.image(kept))
        small = [(str(kept), self._thumbs[kept]) for kept in self._earlier]
        self._strip.show([*small, (str(number) if self._resting else "now", pictures.thumbnail(image))])
        self._mark()
        self._curve.value = pictures.curve(growth.values[: number + 1], "objective")

    def rest(self) -> None:
        """Say where the picture comes from and offer to save it, now that it stays as it is."""
        self._resting = True
        self.tell()
        number, image = self._shown()
        self._tell_origin(number)
        file = pictures.png(image, self._growth.provenance(number))
        self._save.value = _link(file, f"{self._growth.recipe.name}.png")

    def show_likely(self, shares: Sequence[tuple[str, float]]) -> None:
        """Show what the model takes the picture for."""
        self._likely.show(shares)

    def _enlarge(self) -> None:
        number, image = self._shown()
        what = f"optimised picture, {self._growth.recipe.name}, step {number}"
        self.frame.show(pictures.jpeg(image), what)
        self._looked_at(image)

    def _choose(self, position: int) -> None:
        self._chosen = self._earlier[position] if position < len(self._earlier) else None
        self._mark()
        self._enlarge()
        if self._resting:
            self.rest()

    def _mark(self) -> None:
        newest = len(self._earlier)
        self._strip.mark(newest if self._chosen is None else self._earlier.index(self._chosen))

    def _shown(self) -> tuple[int, Image.Image]:
        return self._now if self._chosen is None else (self._chosen, self._growth.image(self._chosen))

    def _tell_origin(self, number: int) -> None:
        origin, recipe = self._growth.provenance(number), self._growth.recipe
        command = recipe.command(origin.model, number) if number else ""
        self._caption.show(origin.caption(), command, parts.MINI if origin.model == "mini" else None)


def _link(file: bytes, name: str) -> str:
    data = f"data:image/png;base64,{b64encode(file).decode()}"
    return f'<a class="cb-link" href="{data}" download="{html.escape(name)}">Save picture</a>'
