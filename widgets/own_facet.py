"""A facet of the user's own: two kinds of pictures, and how well a model's layers tell them apart."""

import ipywidgets as w
import traitlets
from PIL import Image

import clipbench as cb
from clipbench.errors import ClipbenchError
from clipbench.optvis.probes import LEAST_ACCURACY, LEAST_PICTURES, Facet, train_facet
from clipbench.stimuli import picture_files
from widgets import parts
from widgets.jobs import Latest, guarded
from widgets.photos import read_upload, unlabelled
from widgets.workbench import Workbench

_LAYERS = 2  # the last ones but one, below the layer whose units are looked at
_MOST = 200  # pictures that are read of a folder
_ABOUT = (
    f"A folder of pictures of a theme and one of others, or uploads, {LEAST_PICTURES} at least of each. "
    "Without a background, the shipped photos are it. A quarter is held out, and "
    f"{LEAST_ACCURACY:.0%} of it have to be told right."
)


class OwnFacet(w.VBox):
    """Fields for a name and two kinds of pictures, a button, and what came of it.

    Args:
        bench: whose model learns.
    """

    trained = traitlets.Instance(Facet, allow_none=True, help="the facet, or None before one has passed")

    def __init__(self, bench: Workbench):
        self._bench = bench
        self._name = parts.classed(w.Text("theme", description="name"), "cb-control")
        self._theme, self._background = _Pictures("theme"), _Pictures("background")
        self._train = w.Button(description="Train the facet")
        self._message, self._note = parts.Message(), parts.Note()
        about = parts.prose(_ABOUT, kind="cb-note")
        self._trainer = Latest(self._take, self._refuse, delay=0.0)
        super().__init__(
            [about, self._name, self._theme, self._background, self._train, self._message, self._note]
        )
        self._train.on_click(guarded(lambda _: self._ask(), self._refuse))
        bench.observe(lambda _: self._forget(), "model")

    def _ask(self) -> None:
        name, theme, background = self._name.value.strip(), self._theme.given(), self._background.given()
        if not name:
            raise ClipbenchError("the facet has no name; write one")
        self._message.say("")
        self._note.say("training …")

        def train() -> Facet:
            model = self._bench.loaded()
            others = background() or [photo.image for photo in unlabelled()]
            return train_facet(model, list(model.layers)[-1 - _LAYERS : -1], theme(), others, name)

        self._trainer.ask(train)

    def _take(self, facet: Facet) -> None:
        told = ", ".join(f"{share:.0%} in {layer}" for layer, share in facet.accuracy.items())
        self._note.say(
            f"{facet.name}: {told} of held-out pictures told right, n = {facet.n[0]} + {facet.n[1]}"
        )
        self.trained = facet

    def _refuse(self, sentence: str) -> None:
        self._note.say("")
        self._message.say(sentence)

    def _forget(self) -> None:
        """Another model has other layers."""
        self._note.say("")
        self.trained = None


class _Pictures(w.HBox):
    """A folder to name, or pictures to upload."""

    def __init__(self, kind: str):
        self._folder = parts.classed(w.Text(description=kind, placeholder="path of a folder"), "cb-control")
        self._upload = w.FileUpload(accept="image/*", description="or upload", multiple=True)
        super().__init__([self._folder, self._upload])
        parts.classed(self, "cb-row")

    def given(self):
        """A function that reads the pictures that are given now, none if none are; for a worker."""
        folder = self._folder.value.strip()
        files = [(each.name, each.size, bytes(each.content)) for each in self._upload.value]

        def read() -> list[Image.Image]:
            if files:
                return [read_upload(*file).image for file in files]
            return [cb.read_image(path).image for path in picture_files(folder)[:_MOST]] if folder else []

        return read
