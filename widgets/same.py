"""One picture in the eyes of two to four models: as it is, with a word on it, and the word alone."""

import html
import shlex
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence

import ipywidgets as w
from PIL import Image

import clipbench as cb
from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel
from clipbench.results import Provenance
from clipbench.stimuli import sample
from clipbench.streams import Progress
from clipbench.studies.side_by_side import Taken, taken_for
from widgets import parts, pictures
from widgets.worker import Worker

_HEADS = ("the photo", "with the word on it", "the word alone")


class SamePicture(parts.Fold):
    """A photo and a word to choose, and what each model takes the three pictures for.

    Args:
        models: gives what loads the models, or None where their names mean nothing.
    """

    def __init__(self, models: Callable[[], Callable[[], list[ImageModel]] | None]):
        self._models, self._shown, self._asked = models, [], []
        photos = [one.name for one in cb.samples() if not one.labelled]
        self._photo = parts.classed(w.Dropdown(options=photos, description="photo"), "cb-control")
        self._text = parts.Field("word", "iPod", _word)
        self._worker = Worker("Ask them all", self._work, self._take, _progress)
        self._table, self._captions = w.HTML(), w.VBox()
        super().__init__(self._photo, self._text, self._worker, self._table, self._captions)
        self.say("The same picture, with a word on it")

    def _work(self) -> Callable[[], Iterator[Progress[tuple[Taken, ...]]]] | None:
        load, text = self._models(), self._text.meaning
        if load is None or text is None:
            return None
        photo = sample(self._photo.value)
        self._shown = shown = [photo.image, cb.paper(photo.image, text), cb.written(text)]
        self._asked = ["--image", str(photo.path), "--text", text]
        return lambda: taken_for(load(), shown)

    def _take(self, progress: Progress[tuple[Taken, ...]]) -> None:
        if progress.result is None:
            return
        self._table.value = _table(self._shown, progress.result)
        first, *others = (one.model for one in progress.result)
        command = shlex.join(["clipbench", "side-by-side", *others, "--model", first, *self._asked])
        sources = [one.provenance for one in progress.result]
        self._captions.children = captions(sources, "paper tag half as wide as the photo", command)


def captions(sources: Sequence[Provenance], recipe: str, command: str) -> tuple[parts.Caption, ...]:
    """A line for each model, and one for what was done with all of them and for the command."""
    lines = [(source.caption(), "", parts.about(source.model)) for source in sources]
    made = tuple(parts.Caption() for _ in range(len(lines) + 1))
    for caption, line in zip(made, [*lines, (recipe, command)], strict=True):
        caption.show(*line)
    return made


def _word(text: str) -> str:
    """A word that can be drawn."""
    if not text.strip():
        raise ClipbenchError("there is no word; write one, such as iPod")
    cb.written(text.strip())
    return text.strip()


def _table(shown: list[Image.Image], told: tuple[Taken, ...]) -> str:
    heads = "".join(
        f'<th><img src="data:image/jpeg;base64,{b64encode(pictures.thumbnail(image)).decode()}" '
        f'alt=""><br>{head}</th>'
        for head, image in zip(_HEADS, shown, strict=True)
    )
    rows = "".join(
        f"<tr><td>{html.escape(one.provenance.source)}</td>"
        + "".join(f"<td>{html.escape(label)} {share:.0%}</td>" for label, share in one.answers)
        + "</tr>"
        for one in told
    )
    return f'<div class="cb-scroll"><table class="cb-table"><tr><th></th>{heads}</tr>{rows}</table></div>'


def _progress(progress: Progress[tuple[Taken, ...]]) -> str:
    return f"{progress.done} of {progress.total} models"
