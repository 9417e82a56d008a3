"""The picture with its label, and the controls of the label."""

import ipywidgets as w
import traitlets

from clipbench.figures import percent
from clipbench.stimuli.recipes import ARTICLE_SIDE
from widgets import parts, pictures
from widgets.frame import Frame
from widgets.scene import SIZES, Drawing, Scene

_SIDE = 420  # of the picture, in CSS pixels
_SENT = 840  # pixels of the picture that is sent: sharp on a dense screen
_PIXEL = 1 / ARTICLE_SIDE  # step of the sizes, so that the article's own is one of them
_KINDS = {"as printed in the article": "printed", "on paper": "paper"}
_HINTS = {
    "printed": "at the article's eight places",
    "paper": "drag it, + − size it",
}


class Stage(w.VBox):
    """A picture whose label can be dragged, if it lies on paper; the printed one has fixed places.

    Args:
        scene: what to begin with.
    """

    def __init__(self, scene: Scene):
        self.frame = Frame(width=_SIDE, use="move", x=scene.x, y=scene.y, size=scene.size)
        self._fixed = Frame(width=_SIDE)
        self._note = parts.Note()
        super().__init__([self.frame, self._fixed, self._note])

    def show(self, drawing: Drawing) -> None:
        """Show a drawing; from any thread."""
        scene, picture = drawing.scene, drawing.after
        movable = scene.label == "paper"
        for frame, used in ((self.frame, movable), (self._fixed, not movable)):
            frame.layout.display = None if used else "none"
        frame = self.frame if movable else self._fixed
        frame.width = round(_SIDE * min(1, picture.width / picture.height))
        small = picture.copy()
        small.thumbnail((_SENT, _SENT))
        frame.show(pictures.jpeg(small), f"{drawing.name} with {scene}")
        told = f"{percent(drawing.cover)} of the pixels covered"
        self._note.say(" · ".join([told, _HINTS[scene.label], *drawing.notes]))
        self.frame.address = scene.query()


class LabelControls(w.VBox):
    """Text, kind, size and opacity of the label.

    Args:
        scene: what to begin with.
        frame: what size and place are also set on; see `Stage`.
    """

    changed = traitlets.Int(0, help="grows with every change")

    def __init__(self, scene: Scene, frame: Frame):
        self._frame = frame
        kinds = {kind: told for told, kind in _KINDS.items()}
        self._text = w.Text(scene.text, description="label text")
        self._kind = w.ToggleButtons(options=[*_KINDS], value=kinds[scene.label], description="label")
        self._size = w.FloatSlider(
            scene.size, min=6 * _PIXEL, max=1, step=_PIXEL, readout_format=".0%", description="size"
        )
        self._opacity = w.FloatSlider(
            scene.opacity, max=1, step=0.05, readout_format=".0%", description="opacity"
        )
        self.message = parts.Message()
        self._sizes = SIZES | {scene.label: scene.size}
        controls = (self._text, self._kind, self._size, self._opacity)
        super().__init__([*(parts.classed(control, "cb-control") for control in controls), self.message])
        traitlets.link((self._size, "value"), (frame, "size"))
        self._kind.observe(self._turn, "value")
        for control in controls:
            control.observe(self._change, "value")
        frame.observe(self._change, ["x", "y"])

    def read(self) -> dict:
        """The fields of a `Scene` that these controls hold."""
        held = {"text": self._text.value, "label": _KINDS[self._kind.value], "opacity": self._opacity.value}
        return held | {"size": self._size.value, "x": self._frame.x, "y": self._frame.y}

    def _turn(self, change) -> None:
        self._sizes[_KINDS[change.old]] = self._size.value
        self._size.value = self._sizes[_KINDS[change.new]]

    def _change(self, _change) -> None:
        self.changed += 1
