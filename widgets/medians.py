"""What a unit answers to the photos of each label: the article's eleven people, and photos of the user."""

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import ipywidgets as w
from PIL import Image

from clipbench import figures
from clipbench.errors import ClipbenchError
from clipbench.streams import Progress
from clipbench.studies.label_medians import (
    LabelMedians,
    label_medians,
    labelled_files,
    published_people,
)
from widgets import parts, pictures
from widgets.chart import Place
from widgets.jobs import Latest, guarded
from widgets.links import links
from widgets.photos import read_upload
from widgets.unit_field import UnitField
from widgets.workbench import Workbench
from widgets.worker import Worker

_ABOUT = (
    "Name a folder of the machine that runs this page, with a subfolder for each label, such as a person; or "
    "upload photos, a label at a time; or both."
)


class Medians(w.VBox):
    """The published bars, and beside them those of the unit of the page.

    Args:
        bench: the shared state.
        unit: the line that says which unit.
    """

    def __init__(self, bench: Workbench, unit: UnitField):
        self._bench, self._unit, self._command = bench, unit, ""
        self._folder = parts.Field("folder", "", _folder)
        self._folder.line.placeholder = "path of a folder of folders"
        self._uploads = Uploads()
        self._worker = Worker("Ask the unit about them", self._work, self._take, _progress)
        self._place, self._files = Place(), w.HTML()
        self._unread, self._caption = parts.Note(), parts.Caption()
        published, credit = Place(), parts.Caption()
        people = published_people()
        published.show(figures.label_medians(people))
        credit.show(people.provenance.caption())
        left = w.VBox([parts.prose("published: unit 89, Donald Trump", "h3"), published, credit])
        about = parts.prose(_ABOUT, kind="cb-note")
        asked = [about, self._folder, self._uploads, self._worker]
        told = [self._place, self._unread, self._files, self._caption]
        right = w.VBox([parts.prose("this model, your photos", "h3"), *asked, *told])
        super().__init__([parts.beside(left, right)])
        bench.observe(lambda _: self._forget(), "model")
        parts.entered(self._folder.line, self._worker.start)

    def _work(self) -> Callable[[], Iterator[Progress[LabelMedians]]] | None:
        self._folder.check()  # it may have gone
        folder, unit, own = self._folder.meaning, self._unit.line.value, self._uploads.pictures
        if folder is None or self._unit.wrong:  # the line says why
            return None

        def work() -> Iterator[Progress[LabelMedians]]:
            model, files = self._bench.loaded(), labelled_files(folder) if folder else []
            words = ["clipbench", "medians", str(folder), unit, "--model", model.name]
            self._command = "" if own else shlex.join(words)
            return label_medians(model, [*files, *own], unit)

        return work

    def _take(self, progress: Progress[LabelMedians]) -> None:
        found = progress.result
        if found is None:
            return
        self._place.show(figures.label_medians(found))
        wrong = found.unread
        self._unread.say(f"{len(wrong)} cannot be read, as {Path(wrong[0]).name}" if wrong else "")
        self._files.value = links(found, "medians")
        source = found.provenance
        self._caption.show(source.caption(), self._command, parts.about(source.model))

    def _forget(self) -> None:
        self._place.children, self._files.value, self._caption.value = (), "", ""
        self._unread.say("")


class Uploads(w.VBox):
    """Photos of the user, a label at a time; pressing a label takes it away."""

    def __init__(self):
        self._own: dict[str, list[Image.Image]] = {}
        self._label = parts.classed(w.Text(description="label"), "cb-control")
        self._upload = w.FileUpload(accept="image/*", description="Photos", multiple=True)
        self._add = w.Button(description="Add")
        self._message, self._strip = parts.Message(), parts.Strip(self._take_away)
        self._reader = Latest(lambda read: self._take(*read), self._message.say, delay=0.0)
        row = parts.row(self._label, self._upload, self._add)
        super().__init__([row, self._message, self._strip])
        self._add.on_click(guarded(lambda _: self._read(), self._message.say))

    @property
    def pictures(self) -> list[tuple[Image.Image, str]]:
        """All that were uploaded, each with its label."""
        return [(image, label) for label, images in self._own.items() for image in images]

    def _read(self) -> None:
        label = self._label.value.strip()
        if not label:
            raise ClipbenchError("the photos have no label; write one, such as a name")
        if not self._upload.value:
            raise ClipbenchError(f"there is no photo of {label!r} yet; upload at least one")
        files = [(each.name, each.size, bytes(each.content)) for each in self._upload.value]
        self._message.say("")
        self._reader.ask(lambda: (label, [read_upload(*file).image for file in files]))

    def _take(self, label: str, images: list[Image.Image]) -> None:
        self._own = {**self._own, label: [*self._own.get(label, ()), *images]}
        self._label.value, self._upload.value = "", ()
        self._show()

    def _take_away(self, place: int) -> None:
        gone = [*self._own][place]
        self._own = {label: images for label, images in self._own.items() if label != gone}
        self._show()

    def _show(self) -> None:
        told = [(f"{label} · {len(own)}", pictures.thumbnail(own[0])) for label, own in self._own.items()]
        self._strip.show(told)


def _folder(text: str) -> Path | str:
    """A folder; nothing where only uploads are meant. What is in it is looked up when the work starts."""
    folder = Path(text.strip()).expanduser()
    if text.strip() and not folder.is_dir():
        raise ClipbenchError(f"there is no folder {text!r}; name one with a subfolder for each label")
    return folder if text.strip() else ""


def _progress(progress: Progress[LabelMedians]) -> str:
    return f"{progress.done} of {progress.total} photos"
