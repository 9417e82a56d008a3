"""Which model, which layer, which unit of it, and what of that unit is wanted."""

from collections.abc import Callable

import ipywidgets as w

import clipbench as cb
from widgets import parts
from widgets.ascent import read_direction
from widgets.find import Find
from widgets.recipe import WANTS, Recipe
from widgets.workbench import Workbench

_SPOKEN = {  # a wish that takes words: (what they are called, what is said when there are none)
    "text": ("text", "the text is empty; write what the picture is to look like, as in spider"),
    "label": ("label", "the label is empty; write what the picture is to count as, as in spider"),
    "direction": ("direction", "the direction is empty; write channels with weights, as in 550 - 0.5*7"),
}


class ModelMenu(w.VBox):
    """The models that are on this machine; choosing one loads it for all panels of the page."""

    def __init__(self, bench: Workbench):
        self._bench = bench
        self._menu = w.Dropdown(options=[bench.loading or bench.model.name], description="model")
        self._message, self._note = parts.Message(), parts.Note()
        super().__init__([parts.classed(self._menu, "cb-control"), self._message, self._note])
        self._menu.observe(self._chosen, "value")
        bench.observe(lambda _: self._show(), ["model", "loading", "message"])
        self._show()

    def _chosen(self, change) -> None:
        self._bench.load(change.new)

    def _show(self) -> None:
        model, loading = self._bench.model, self._bench.loading
        self._message.say(self._bench.message)
        if loading:
            self._note.say(f"loading {loading} …")
        elif model is not None:
            infos = {info.name: info for info in cb.available() if info.present or info.name == model.name}
            self._offer([*dict.fromkeys([*infos, model.name])], model.name)  # a link may name an unlisted one
            self._note.say(f"{infos[model.name].what} · {model.device}" if model.name in infos else "")

    def _offer(self, names: list[str], chosen: str) -> None:
        """Fill the menu; its own change of value, which new options bring, is nobody's choice."""
        self._menu.unobserve(self._chosen, "value")
        self._menu.options, self._menu.value = names, chosen
        self._menu.observe(self._chosen, "value")


class Chooser(w.VBox):
    """Layer, unit, and which part of it is wanted; the unit is shared with the other panels of the page.

    Args:
        bench: the shared state.
        recipe: what to choose at first.
    """

    def __init__(self, bench: Workbench, recipe: Recipe):
        self._bench = bench
        layer, _, channel = recipe.unit.rpartition(":")
        self.layer = parts.classed(w.Dropdown(options=[layer], description="layer"), "cb-control")
        self.unit = parts.Field("unit", channel, self._read_unit)
        self.want = w.ToggleButtons(options=WANTS, value=recipe.want, description="want")
        self.words = parts.Field("text", recipe.words, self._read_words)
        self._find = Find(bench, lambda: self.layer.value, self._show_unit)
        want = parts.classed(self.want, "cb-control")
        super().__init__([self.layer, self.unit, self._find, want, self.words])
        self.layer.observe(self._layer_chosen, "value")
        self.unit.observe(self._unit_read, "meaning")
        self.want.observe(lambda _: self._show_words(), "value")
        bench.observe(lambda _: self._show_model(), "model")
        bench.observe(lambda change: self._show_unit(change.new), "unit")
        self._show_words()
        self._show_model()

    @property
    def fields(self) -> tuple[parts.Field, ...]:
        """The lines of text."""
        return (self.unit, self.words)

    def read(self) -> dict:
        """The fields of a `Recipe` that these controls hold; None where one is wrong."""
        return {"unit": self.unit.meaning, "want": self.want.value, "words": self.words.meaning}

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call back when anything here has changed."""
        for widget, trait in ((self.unit, "meaning"), (self.words, "meaning"), (self.want, "value")):
            widget.observe(lambda _: callback(), trait)

    def _read_unit(self, text: str) -> str:
        address = text.strip() if ":" in text else f"{self.layer.value}:{text.strip()}"
        return address if self._bench.model is None else str(cb.Unit.parse(address, self._bench.model))

    def _read_words(self, text: str) -> str:
        want, model = self.want.value, self._bench.model
        if want in _SPOKEN and not text.strip():
            raise cb.ClipbenchError(_SPOKEN[want][1])
        if want == "direction" and model is not None:
            read_direction(text, self.layer.value, model.layer(self.layer.value).channels)
        return text.strip()

    def _layer_chosen(self, _change) -> None:
        channel = self.unit.line.value.rpartition(":")[2].partition("@")[0]
        if self.unit.line.value != channel:
            self.unit.line.value = channel  # the menu overrules a layer that was typed
        self.unit.check()
        self.words.check()  # a direction lies in a layer

    def _unit_read(self, change) -> None:
        if change.new is None:
            return
        layer = change.new.partition(":")[0]
        if layer != self.layer.value and layer in self.layer.options:
            self._set_layer(layer)
        self._bench.unit = change.new

    def _set_layer(self, layer: str, options: list[str] | None = None) -> None:
        self.layer.unobserve(self._layer_chosen, "value")
        if options is not None:
            self.layer.options = options
        self.layer.value = layer
        self.layer.observe(self._layer_chosen, "value")

    def _show_unit(self, address: str) -> None:
        if address != self.unit.meaning:
            self.unit.line.value = address

    def _show_model(self) -> None:
        model = self._bench.model
        if model is None:
            return
        names = [*model.layers, *model.heads]
        wanted = self.layer.value
        self._set_layer(wanted if wanted in names else model.last_layer, names)
        self.unit.check()

    def _show_words(self) -> None:
        want = self.want.value
        self.words.line.description = _SPOKEN.get(want, ("text", ""))[0]
        self.words.layout.display = None if want in _SPOKEN else "none"
        self.layer.layout.display = "none" if want in ("text", "label") else None
        for control in (self.unit, self._find):
            control.layout.display = None if want in ("neuron", "channel", "layer") else "none"
        self.words.check()
