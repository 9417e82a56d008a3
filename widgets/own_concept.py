"""A concept of the user's own: uploaded photos and drawings, and its name written."""

from collections.abc import Callable

import ipywidgets as w

import clipbench as cb
from clipbench.errors import ClipbenchError
from clipbench.stimuli.drawings import WRITTEN_IN
from widgets import parts, pictures
from widgets.jobs import Latest, guarded
from widgets.photos import read_upload
from widgets.study import Study


class OwnConcept(w.VBox):
    """Fields for a name, photos and drawings, and the concepts that were made of them.

    Args:
        study: what they are added to.
        changed: called when one was added or taken away.
    """

    def __init__(self, study: Study, changed: Callable[[], None]):
        self._study, self._changed = study, changed
        self._name = parts.classed(w.Text(description="name"), "cb-control")
        self._photos, self._drawings = (
            w.FileUpload(accept="image/*", description=kind, multiple=True) for kind in ("Photos", "Drawings")
        )
        self._add = w.Button(description="Add and measure")
        self._message, note = parts.Message(), parts.Note()
        note.say(
            "A unit is asked about photos, drawings and the written name, so it takes at least one picture "
            "of each; the name is written for you."
        )
        self._strip = parts.Strip(self._take_away)
        self._reader = Latest(self._take, self._message.say, delay=0.0)
        super().__init__(
            [note, self._name, parts.row(self._photos, self._drawings, self._add), self._message, self._strip]
        )
        self._add.on_click(guarded(lambda _: self._read(), self._message.say))
        parts.entered(self._name, guarded(self._read, self._message.say))

    def _read(self) -> None:
        name = self._name.value.strip()
        if not name:
            raise ClipbenchError("the concept has no name; write one")
        for kind, upload in (("photo", self._photos), ("drawing", self._drawings)):
            if not upload.value:
                raise ClipbenchError(f"there is no {kind} of {name!r} yet; upload at least one")
        files = [
            [(each.name, each.size, bytes(each.content)) for each in upload.value]
            for upload in (self._photos, self._drawings)
        ]
        self._message.say("")
        self._reader.ask(lambda: _concept(name, *files))

    def _take(self, concept: cb.Concept) -> None:
        self._study.add(concept)
        self._name.value, self._photos.value, self._drawings.value = "", (), ()
        self._show()

    def _take_away(self, place: int) -> None:
        self._study.take_away(place)
        self._show()

    def _show(self) -> None:
        self._message.say("")
        self._strip.show([(each.name, pictures.thumbnail(each.photos[0])) for each in self._study.own])
        self._changed()


def _concept(name: str, photos: list[tuple], drawings: list[tuple]) -> cb.Concept:
    shown = [[read_upload(*file).image for file in files] for files in (photos, drawings)]
    return cb.Concept(name, *shown, [cb.written(name, font) for font in WRITTEN_IN])
