"""The controls of the feature panel: what to paint, and how."""

from collections.abc import Callable, Mapping

import ipywidgets as w

from clipbench.errors import ClipbenchError
from clipbench.optvis.denoiser import WEIGHTS
from widgets import parts
from widgets.chooser import Chooser
from widgets.groups import groups
from widgets.many import Many
from widgets.recipe import Recipe
from widgets.start import Start
from widgets.workbench import Workbench

NUMBERS = {"steps": (1, 10_000), "pixels": (32, 512), "seed": (0, 2**31 - 1)}
_RATES = (0.05, 2.0)  # multiples of a canvas's own learning rate


class Controls(w.VBox):
    """All that a recipe holds; each control says by itself what is wrong with it."""

    def __init__(self, bench: Workbench, recipe: Recipe):
        self._chooser = Chooser(bench, recipe)
        self.groups = groups(recipe, prior=WEIGHTS.exists())
        self._many, self.start = Many(bench, recipe), Start(recipe)
        self._numbers = {
            key: parts.Field(key, str(getattr(recipe, key)), _whole(key, *limits))
            for key, limits in NUMBERS.items()
        }
        low, high = _RATES
        self._rate = w.FloatSlider(recipe.rate, min=low, max=high, step=low, description="rate ×")
        self._folds = {
            "Faces": parts.Fold(self._many),
            "Start": parts.Fold(self.start),
            "Size and length": parts.Fold(*self._numbers.values(), parts.classed(self._rate, "cb-control")),
        }
        super().__init__([self._chooser, *self.groups.values(), *self._folds.values()])
        self.on_change(self._show_state)
        self._show_state()

    @property
    def recipe(self) -> Recipe | None:
        """What the controls say, or None while one of them is wrong."""
        told = {key: number.meaning for key, number in self._numbers.items()} | self._chooser.read()
        if None in told.values():
            return None
        for part in (*self.groups.values(), self._many, self.start):
            told |= part.read()
        return Recipe(**told, rate=self._rate.value)

    def resize(self, pixels: int) -> None:
        """Set the size of the picture."""
        self._numbers["pixels"].line.value = str(pixels)

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call back when any control has changed."""
        for number in self._numbers.values():
            number.observe(lambda _: callback(), "meaning")
        for part in (self._many, self.start):
            part.observe(lambda _: callback(), "changed")
        for part in (self._chooser, *self.groups.values()):
            part.on_change(callback)
        self._rate.observe(lambda _: callback(), "value")

    def on_enter(self, callback: Callable[[], None]) -> None:
        """Call back when Enter is pressed in any line of text."""
        for field in (*self._chooser.fields, *self._numbers.values()):
            parts.entered(field.line, callback)

    def _show_state(self) -> None:
        many, start = self._many.read(), self.start.read()
        leaning = many["facet"] or (many["own_facet"] and many["own_facet"].name) or ""
        leaning, k = leaning or "your own facet", many["k"]
        told = {"one": "one", "facet": leaning, "strip": f"{k}, more and more {leaning}"}
        self._folds["Faces"].say(f"Faces: {told.get(many['faces'], f'{k} ' + many['faces'])}")
        self._folds["Start"].say(f"Start: {'your photo' if start['upload'] else start['photo'] or 'noise'}")
        self._title("Size and length", {key: number.line.value for key, number in self._numbers.items()})
        if any(number.meaning is None for number in self._numbers.values()):
            self._folds["Size and length"].unfold()  # what is wrong has to be seen

    def _title(self, name: str, told: Mapping[str, str]) -> None:
        self._folds[name].say(f"{name}: {', '.join(f'{key} {value}' for key, value in told.items())}")


def _whole(key: str, low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.strip().isdecimal() or not low <= int(text) <= high:
            raise ClipbenchError(f"{key} cannot be {text!r}; write a whole number from {low} to {high}")
        return int(text)

    return read
