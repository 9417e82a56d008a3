"""A finished picture beside the one that grows: the same seed, other settings."""

from collections.abc import Callable

import ipywidgets as w

from widgets import parts, pictures
from widgets.findings import ChangeView, changed
from widgets.frame import Frame
from widgets.growth import Example, Growth
from widgets.jobs import Latest
from widgets.recipe import GROUPS, Recipe


class Pinned(w.VBox):
    """The picture that is kept, where it comes from, and what it has changed of a photo."""

    def __init__(self):
        self._frame, self._caption = Frame(width=384), parts.Caption()
        self._message, self._change = parts.Message(), ChangeView()
        self._finder = Latest(self._change.show, self._message.say, delay=0.0)
        title = parts.prose("A: kept", "h3")
        super().__init__([self._frame, title, self._caption, self._message, self._change])
        parts.classed(self, "cb-pinned")

    def show(self, growth: Growth | Example, number: int) -> None:
        """Keep the pictures of a step; from any thread."""
        name = growth.recipe.name
        self._frame.show(pictures.jpeg(growth.image(number)), f"kept picture, {name}, step {number}")
        self._caption.show(growth.provenance(number).caption())
        self._change.show(None)
        if growth.model is not None:
            self._finder.ask(lambda: changed(growth, number))


class Compare(w.VBox):
    """Buttons: keep this picture, paint it anew without one family of regularizers, take the kept one away.

    Args:
        keep: called to keep the picture that is shown.
        without: called with the name of a family, to keep it and paint anew without that.
        drop: called to take the kept picture away.
    """

    def __init__(self, keep: Callable[[], None], without: Callable[[str], None], drop: Callable[[], None]):
        self._keep = w.Button(description="+ Compare", tooltip="keep this picture beside the next one")
        self._drop = w.Button(description="Take A away")
        self._groups = {name: w.Button(description=f"without {name}") for name in GROUPS}
        super().__init__([parts.row(self._keep, *self._groups.values(), self._drop)])
        self._keep.on_click(lambda _: keep())
        self._drop.on_click(lambda _: drop())
        for name, button in self._groups.items():
            button.on_click(lambda _, name=name: without(name))
        self.offer(None, kept=False)

    def offer(self, recipe: Recipe | None, kept: bool) -> None:
        """Offer what makes sense for the recipe of the picture that is shown; None offers nothing."""
        shown = {self._keep: recipe is not None, self._drop: kept}
        for name, button in self._groups.items():
            shown[button] = recipe is not None and getattr(recipe, name) and _acts(recipe, name)
        for button, visible in shown.items():
            button.layout.display = None if visible else "none"


def _acts(recipe: Recipe, group: str) -> bool:
    """Whether a family does anything: a prior of strength 0 does not."""
    return group != "prior" or recipe.natural > 0
