"""Which photo: one that is shipped, one of the user's, or one by the camera."""

from dataclasses import dataclass
from functools import partial

import ipywidgets as w
import traitlets
from PIL import Image

import clipbench as cb
from clipbench.stimuli import MAX_UPLOAD_BYTES, Sample, sample
from widgets import parts, pictures
from widgets.camera import Camera
from widgets.jobs import Latest

STRIP = ("apple", "laptop", "mug", "flower", "chair", "cat")


@dataclass(frozen=True, eq=False)
class Picked:
    """The photo in use: its picture, its name, the path of its file, and whether it is a shipped one."""

    image: Image.Image
    name: str
    path: str
    shipped: bool


class Photos(w.VBox):
    """A strip of shipped photos, a menu of all of them, an upload, and a camera.

    Args:
        name: the shipped photo to begin with.
        hint: what to do with a photo of one's own, said when one has been read.
    """

    picked = traitlets.Instance(Picked)

    def __init__(self, name: str, hint: str = ""):
        self._hint = hint
        self._strip = parts.Strip(lambda place: self.choose(STRIP[place]), width=52)
        self._strip.show([(each, pictures.thumbnail(sample(each).image)) for each in STRIP])
        names = [each.name for each in cb.samples()]
        self._menu = w.Dropdown(options=names, value=name, tooltip="photo")
        self._upload = w.FileUpload(accept="image/*", description="Upload")
        self._message, self._note = parts.Message(), parts.Note()
        self._reader = Latest(self._show, self._message.say, delay=0.0)
        camera = Camera(self._take, self._message.say)
        menu = parts.row(parts.classed(self._menu, "cb-control"), self._upload, camera)
        parts.classed(menu, "cb-photo")
        super().__init__([self._strip, menu, self._message, self._note])
        self.choose(name)
        self._menu.observe(lambda change: change.new and self.choose(change.new), "value")
        self._upload.observe(lambda change: change.new and self._receive(change.new[0]), "value")

    def choose(self, name: str) -> None:
        """Take a shipped photo."""
        self._reader.drop()
        chosen = sample(name)
        self._show(Picked(chosen.image, name, str(chosen.path), shipped=True))

    def _receive(self, upload) -> None:
        self._read(upload.name, upload.size, bytes(upload.content))
        self._upload.value = ()

    def _take(self, content: bytes) -> None:
        self._read("photo by the camera", len(content), content)

    def _read(self, name: str, size: int, content: bytes) -> None:
        self._note.say(f"reading {name} …")
        self._reader.ask(partial(read_upload, name, size, content))

    def _show(self, picked: Picked) -> None:
        self._message.say("")
        self._note.say("" if picked.shipped else f"{picked.name}{self._hint}")
        self._strip.mark(STRIP.index(picked.name) if picked.shipped and picked.name in STRIP else None)
        self._menu.value = picked.name if picked.shipped else None
        self.picked = picked


def unlabelled() -> list[Sample]:
    """The shipped photos without those of the article's that have a word on them."""
    return [photo for photo in cb.samples() if not photo.labelled]


def read_upload(name: str, size: int, content: bytes) -> Picked:
    """A photo of the user.

    Raises:
        ClipbenchError: a file that is too large or no picture.
    """
    if size > MAX_UPLOAD_BYTES:
        megabytes = f"{size / 2**20:.0f} MB; at most {MAX_UPLOAD_BYTES / 2**20:.0f} MB can be read"
        raise cb.ClipbenchError(f"{name!r} has {megabytes}, so make it smaller first")
    photo = cb.read_image(content, name)
    return Picked(photo.image, photo.name, photo.name, shipped=False)
