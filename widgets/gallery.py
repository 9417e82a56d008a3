"""Which photos: a few of those that are shipped, and of the user's own."""

import ipywidgets as w
import traitlets

import clipbench as cb
from clipbench.stimuli import sample
from widgets import parts, pictures
from widgets.jobs import Latest, guarded
from widgets.matching import check_number
from widgets.photos import Picked, read_upload

_ADD = "add a photo …"


class Gallery(w.VBox):
    """The chosen photos in a strip, a menu of the shipped ones, and an upload.

    Args:
        names: the shipped photos to begin with.
    """

    chosen = traitlets.Tuple(help="the photos, each a Picked")

    def __init__(self, names: tuple[str, ...]):
        self._strip = parts.Strip(self._take_away, width=52)
        names_of_all = [each.name for each in cb.samples()]
        self._menu = w.Dropdown(options=[_ADD, *names_of_all], tooltip="add a photo")
        self._upload = w.FileUpload(accept="image/*", description="Upload", multiple=True)
        self._message, note = parts.Message(), parts.Note()
        note.say("press a photo to take it away")
        self._reader = Latest(self._add, self._message.say, delay=0.0)
        menu = parts.classed(parts.row(parts.classed(self._menu, "cb-control"), self._upload), "cb-photo")
        super().__init__([self._strip, note, menu, self._message])
        self._show(tuple(_shipped(name) for name in names))
        self._menu.observe(lambda change: self._add_shipped(change.new), "value")
        self._upload.observe(lambda change: change.new and self._receive(change.new), "value")

    @property
    def names(self) -> tuple[str, ...]:
        """Those of the shipped photos among the chosen."""
        return tuple(photo.name for photo in self.chosen if photo.shipped)

    def _add_shipped(self, name: str) -> None:
        if name != _ADD:
            self._menu.value = _ADD
            guarded(self._add, self._message.say)([_shipped(name)])

    def _receive(self, uploads: tuple) -> None:
        files = [(each.name, each.size, bytes(each.content)) for each in uploads]
        self._reader.ask(lambda: [read_upload(*file) for file in files])
        self._upload.value = ()

    def _add(self, photos: list[Picked]) -> None:
        check_number(len(self.chosen) + len(photos))
        self._show((*self.chosen, *photos))

    def _take_away(self, place: int) -> None:
        self._show((*self.chosen[:place], *self.chosen[place + 1 :]))

    def _show(self, photos: tuple[Picked, ...]) -> None:
        self._message.say("")
        self._strip.show([(photo.name, pictures.thumbnail(photo.image)) for photo in photos])
        self.chosen = photos
        guarded(check_number, self._message.say)(len(photos))


def _shipped(name: str) -> Picked:
    one = sample(name)
    return Picked(one.image, name, str(one.path), shipped=True)
