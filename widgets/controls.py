"""The controls of the feature panel: what to paint, and how."""

from collections.abc import Callable, Mapping

import ipywidgets as w

from clipbench.errors import ClipbenchError
from widgets import parts
from widgets.chooser import Chooser
from widgets.recipe import Recipe
from widgets.workbench import Workbench

# field of the recipe: (label, largest value, step, format). On mini, whose units reach about 40, the largest
# weights leave hardly a picture.
FREQUENCY = {
    "tv": ("total variation", 0.05, 0.001, ".3f"),
    "l1": ("L1 to grey", 0.05, 0.001, ".3f"),
    "l2": ("L2 to grey", 1.0, 0.02, ".2f"),
    "blur": ("blur", 2.0, 0.05, ".2f"),
}
ROBUSTNESS = {
    "jitter": ("jitter, px", 32, 1, "d"),
    "scale": ("scale, ±", 0.4, 0.01, ".2f"),
    "rotate": ("rotation, ± °", 45.0, 1.0, ".0f"),
}
NUMBERS = {"steps": (1, 10_000), "pixels": (32, 512), "seed": (0, 2**31 - 1)}


class Controls(w.VBox):
    """All that a recipe holds; each control says by itself what is wrong with it."""

    def __init__(self, bench: Workbench, recipe: Recipe):
        self._chooser = Chooser(bench, recipe)
        self._sliders = {
            key: _slider(*FREQUENCY.get(key, ROBUSTNESS.get(key)), getattr(recipe, key))
            for key in (*FREQUENCY, *ROBUSTNESS)
        }
        self._numbers = {
            key: parts.Field(key, str(getattr(recipe, key)), _whole(key, *limits))
            for key, limits in NUMBERS.items()
        }
        self._folds = {
            "Frequency": parts.Fold(*(self._sliders[key] for key in FREQUENCY)),
            "Robustness": parts.Fold(*(self._sliders[key] for key in ROBUSTNESS)),
            "Size and length": parts.Fold(*self._numbers.values()),
        }
        super().__init__([self._chooser, *self._folds.values()])
        self._changing = [
            *((slider, "value") for slider in self._sliders.values()),
            *((number, "meaning") for number in self._numbers.values()),
        ]
        self.on_change(self._show_state)
        self._show_state()

    @property
    def recipe(self) -> Recipe | None:
        """What the controls say, or None while one of them is wrong."""
        chooser = self._chooser
        told = {key: number.meaning for key, number in self._numbers.items()}
        told |= {"unit": chooser.unit.meaning, "words": chooser.words.meaning}
        if None in told.values():
            return None
        sliders = {key: slider.value for key, slider in self._sliders.items()}
        return Recipe(want=chooser.want.value, **told, **sliders)

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call back when any control has changed."""
        chooser = self._chooser
        texts = [(chooser.unit, "meaning"), (chooser.words, "meaning"), (chooser.want, "value")]
        for widget, trait in (*self._changing, *texts):
            widget.observe(lambda _: callback(), trait)

    def on_enter(self, callback: Callable[[], None]) -> None:
        """Call back when Enter is pressed in any line of text."""
        for field in (self._chooser.unit, self._chooser.words, *self._numbers.values()):
            parts.entered(field.line, callback)

    def _show_state(self) -> None:
        for name, group in {"Frequency": FREQUENCY, "Robustness": ROBUSTNESS}.items():
            values = {spec[0].partition(",")[0]: self._sliders[key].value for key, spec in group.items()}
            self._title(name, {word: f"{value:g}" for word, value in values.items() if value})
        self._title("Size and length", {key: number.line.value for key, number in self._numbers.items()})
        if any(number.meaning is None for number in self._numbers.values()):
            self._folds["Size and length"].unfold()  # what is wrong has to be seen

    def _title(self, name: str, told: Mapping[str, str]) -> None:
        self._folds[name].say(
            f"{name}: {', '.join(f'{key} {value}' for key, value in told.items()) or 'none'}"
        )


def _slider(label: str, largest: float, step: float, form: str, value: float) -> w.Widget:
    kind = w.IntSlider if isinstance(step, int) else w.FloatSlider
    slider = kind(value, min=0, max=largest, step=step, description=label, readout_format=form)
    return parts.classed(slider, "cb-control")


def _whole(key: str, low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.strip().isdecimal() or not low <= int(text) <= high:
            raise ClipbenchError(f"{key} cannot be {text!r}; write a whole number from {low} to {high}")
        return int(text)

    return read
