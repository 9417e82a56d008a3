"""How many pictures, and what makes them differ: diversity, groups of photos, or a facet."""

import ipywidgets as w
import traitlets

from clipbench.optvis.themes import absent_facets, shipped_facets
from widgets import parts
from widgets.groups import slider
from widgets.own_facet import OwnFacet
from widgets.recipe import FACES, Recipe
from widgets.workbench import Workbench

_TITLES = {
    "one": "one",
    "diverse": "several, as different as possible",
    "of photos": "several, from photos that excite it",
    "facet": "one facet",
    "strip": "a facet, more and more",
}
_OWN = "one of your own"


class Many(w.VBox):
    """The choice, and the controls that belong to what is chosen.

    Args:
        bench: the shared state; which facets there are depends on its model.
        recipe: what to begin with.
    """

    changed = traitlets.Int(0, help="grows with every change")

    def __init__(self, bench: Workbench, recipe: Recipe):
        self._bench, self._asked = bench, recipe.facet
        options = [(_TITLES[name], name) for name in FACES]
        self.faces = w.Dropdown(options=options, value=recipe.faces, description="faces")
        self._k = w.BoundedIntText(recipe.k, min=2, max=9, description="pictures")
        self._diversity = slider("difference", 30.0, 0.5, ".1f", recipe.diversity)
        self._facet = w.Dropdown(options=[_OWN], value=_OWN, description="facet")
        self._strength = slider("strength", 10.0, 0.1, ".1f", recipe.strength)
        self._note, self._own = parts.Note(), OwnFacet(bench)
        controls = (self.faces, self._k, self._diversity, self._facet, self._strength)
        shown = [parts.classed(each, "cb-control") for each in controls]
        super().__init__([*shown, self._note, self._own])
        for control in controls:
            control.observe(lambda _: self._change(), "value")
        self._own.observe(lambda _: self._change(), "trained")
        bench.observe(lambda _: self._offer(), "model")
        self._offer()

    def read(self) -> dict:
        """The fields of a `Recipe` that these controls hold."""
        held = {"faces": self.faces.value, "k": self._k.value, "diversity": self._diversity.value}
        held |= {"strength": self._strength.value, "facet": "", "own_facet": None}
        if not self._leaning:
            return held
        if self._bench.model is None:  # which facets there are is not known yet
            return held | {"facet": self._asked}
        own = self._facet.value == _OWN
        return held | ({"own_facet": self._own.trained} if own else {"facet": self._facet.value})

    @property
    def _leaning(self) -> bool:
        return self.faces.value in ("facet", "strip")

    def _offer(self) -> None:
        """Offer the facets of the model that is there now."""
        model = self._bench.model
        names = list(shipped_facets(model)) if model is not None else []
        wanted = self._facet.value if self._facet.value != _OWN else self._asked
        self._facet.options = [*names, _OWN]
        self._facet.value = wanted if wanted in names else (names or [_OWN])[0]
        self._change()

    def _change(self) -> None:
        faces, own = self.faces.value, self._facet.value == _OWN
        leaning = self._leaning
        _show(self._k, faces in ("diverse", "of photos", "strip"))
        _show(self._diversity, faces == "diverse")
        _show(self._facet, leaning)
        _show(self._strength, leaning)
        _show(self._own, leaning and own)
        self._note.say(self._about(faces))
        self.changed += 1

    def _about(self, faces: str) -> str:
        if faces == "of photos":
            return (
                "the shipped photos that excite it most, in groups; each picture starts from one group's mean"
            )
        if self._leaning and self._bench.model is not None:
            return " · ".join(f"no {name}: {why}" for name, why in absent_facets(self._bench.model).items())
        return ""


def _show(widget: w.DOMWidget, visible: bool) -> None:
    widget.layout.display = None if visible else "none"
