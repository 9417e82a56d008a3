"""Controls of the regularizers, in groups that can be switched off as a whole."""

from collections.abc import Callable

import ipywidgets as w

from widgets import parts
from widgets.recipe import CANVASES, GROUPS, Recipe

# field of the recipe: (label, largest value, step, format). On mini, whose units reach about 40, the largest
# weights leave hardly a picture.
SLIDERS = {
    "decay": ("large forms", 2.0, 0.1, ".1f"),
    "tv": ("total variation", 0.05, 0.001, ".3f"),
    "l1": ("L1 to grey", 0.05, 0.001, ".3f"),
    "l2": ("L2 to grey", 1.0, 0.02, ".2f"),
    "blur": ("blur", 2.0, 0.05, ".2f"),
    "bilateral": ("grain", 2.0, 0.05, ".2f"),
    "jitter": ("jitter, px", 32, 1, "d"),
    "scale": ("scale, ±", 0.4, 0.01, ".2f"),
    "rotate": ("rotation, ± °", 45.0, 1.0, ".0f"),
    "perspective": ("perspective", 0.5, 0.05, ".2f"),
    "colour": ("colours, ±", 0.5, 0.05, ".2f"),
    "noise": ("noise", 0.2, 0.01, ".2f"),
    "crops": ("crops a step", 16, 1, "d"),
    "natural": ("towards photos", 0.3, 0.01, ".2f"),
}
_CANVAS_NAMES = {
    "fft": "waves (FFT)",
    "maco": "phases only (MACO)",
    "laplacian": "pyramid",
    "lowres": "coarse grid",
    "cppn": "small network (CPPN)",
    "pixel": "pixels",
}
_MACO = {"jitter": 0, "scale": 0.0, "rotate": 0.0, "noise": 0.05, "crops": 6}  # as published by Fel et al.
_ORDINARY = {key: getattr(Recipe(""), key) for key in _MACO}


class Group(w.Box):
    """One family of regularizers behind its title, and the switch that turns it on and off.

    Args:
        name: of the family, one of `GROUPS`.
        title: what it is called on the page.
        recipe: what to begin with.
    """

    def __init__(self, name: str, title: str, recipe: Recipe):
        self._name, self._title = name, title
        self.controls = {key: _control(key, getattr(recipe, key)) for key in GROUPS[name]}
        self.switch = w.Checkbox(
            getattr(recipe, name), description="on", indent=False, tooltip=f"{name} on or off"
        )
        self._fold = parts.Fold(*self.controls.values())
        super().__init__([self._fold, parts.classed(self.switch, "cb-switch")])
        self.add_class("cb-group")
        for widget in (self.switch, *self.controls.values()):
            widget.observe(lambda _: self._tell(), "value")
        self._tell()

    def read(self) -> dict:
        """The fields of a `Recipe` that these controls hold."""
        return {self._name: self.switch.value} | {key: each.value for key, each in self.controls.items()}

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call back when anything here has changed."""
        for widget in (self.switch, *self.controls.values()):
            widget.observe(lambda _: callback(), "value")

    def _tell(self) -> None:
        values = {_word(key): _write(each.value) for key, each in self.controls.items() if each.value}
        told = ", ".join(f"{word} {value}".strip() for word, value in values.items()) or "none"
        self._fold.say(f"{self._title}: {told if self.switch.value else 'off'}")


def groups(recipe: Recipe, prior: bool) -> dict[str, Group]:
    """The families by name; choosing MACO brings the views that belong to it.

    Args:
        recipe: what to begin with.
        prior: whether there is a learned prior to control.
    """
    titles = {"frequency": "Frequency", "robustness": "Robustness"}
    titles |= {"prior": "Learned prior"} if prior else {}
    made = {name: Group(name, title, recipe) for name, title in titles.items()}

    def follow(change) -> None:
        for key, value in (_MACO if change.new == "maco" else _ORDINARY).items():
            made["robustness"].controls[key].value = value

    made["frequency"].controls["canvas"].observe(
        lambda change: "maco" in (change.old, change.new) and follow(change), "value"
    )
    return made


def slider(label: str, largest: float, step: float, form: str, value: float) -> w.Widget:
    """A slider from 0 on; a whole step makes it one of whole numbers."""
    kind = w.IntSlider if isinstance(step, int) else w.FloatSlider
    made = kind(value, min=0, max=largest, step=step, description=label, readout_format=form)
    return parts.classed(made, "cb-control")


def _control(key: str, value) -> w.Widget:
    if key == "canvas":
        options = [(_CANVAS_NAMES[name], name) for name in CANVASES]
        return parts.classed(w.Dropdown(options=options, value=value, description="written as"), "cb-control")
    return slider(*SLIDERS[key], value)


def _word(key: str) -> str:
    return "" if key == "canvas" else SLIDERS[key][0].partition(",")[0]


def _write(value) -> str:
    return _CANVAS_NAMES[value] if isinstance(value, str) else f"{value:g}"
