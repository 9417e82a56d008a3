"""What a picture starts from, or whose features it is to have: noise, a shipped photo, one of the user's."""

import ipywidgets as w
import traitlets

from clipbench.optvis.original import Original
from clipbench.stimuli import samples
from widgets import parts, pictures
from widgets.frame import Frame
from widgets.jobs import Latest
from widgets.photos import Picked, read_upload
from widgets.recipe import Recipe

_NOISE = "noise"


class Start(w.VBox):
    """A menu, an upload, the photo, and a button for the comparison that a photo makes possible.

    Args:
        recipe: what to begin with.
    """

    changed = traitlets.Int(0, help="grows with every change")

    def __init__(self, recipe: Recipe):
        names = [_NOISE, *(each.name for each in samples())]
        chosen = recipe.photo if recipe.photo in names else _NOISE
        self._menu = w.Dropdown(options=names, value=chosen, description="start from")
        self._upload = w.FileUpload(accept="image/*", description="Upload")
        self._own: Original | None = None
        self._shown, self._note, self._message = Frame(width=96), parts.Note(), parts.Message()
        self.compare = w.Button(
            description="Picture or adversarial?",
            tooltip="from this photo, without and with regularizers, side by side",
        )
        self._reader = Latest(self._take, self._message.say, delay=0.0)
        menu = parts.classed(parts.row(parts.classed(self._menu, "cb-control"), self._upload), "cb-photo")
        self._photo = parts.row(self._shown, self.compare)
        super().__init__([menu, self._photo, self._note, self._message])
        self._menu.observe(lambda change: change.new and self._choose(), "value")
        self._upload.observe(lambda change: change.new and self._receive(change.new[0]), "value")
        self._show()
        if chosen != recipe.photo and recipe.photo:
            self._message.say(f"there is no sample photo {recipe.photo!r}; choose one from the menu")

    def read(self) -> dict:
        """The fields of a `Recipe` that these controls hold."""
        name = self._menu.value
        return {"photo": "" if name in (None, _NOISE) else name, "upload": self._own}

    def choose(self, name: str) -> None:
        """Start from a shipped photo."""
        self._menu.value = name

    def _choose(self) -> None:
        self._reader.drop()
        self._own = None
        self._message.say("")
        self._note.say("")
        self._show()

    def _receive(self, upload) -> None:
        self._note.say(f"reading {upload.name} …")
        self._reader.ask(lambda: read_upload(upload.name, upload.size, bytes(upload.content)))
        self._upload.value = ()

    def _take(self, picked: Picked) -> None:
        self._menu.value = None
        self._own = Original(picked.image)
        self._message.say("")
        self._note.say(picked.name)
        self._show()

    def _show(self) -> None:
        shipped = next((each for each in samples() if each.name == self._menu.value), None)
        image = self._own.image if self._own is not None else shipped and shipped.image
        self._photo.layout.display = None if image else "none"
        if image:
            self._shown.show(pictures.thumbnail(image, 192), "photo to start from")
        self.changed += 1
