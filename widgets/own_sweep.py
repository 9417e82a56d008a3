"""A sweep of one's own: a folder of pictures or the words, into a store, with pause and resume."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import ipywidgets as w

import clipbench as cb
from clipbench.sweeps import Progress, sweep
from widgets import parts
from widgets.kept import folder_for
from widgets.stores import at_home, photo_files
from widgets.workbench import Workbench
from widgets.worker import Worker

_OVER = "swept"
_ABOUT = (
    "All pictures in a folder of the machine that runs this page are shown to the model once; what every "
    "unit of the layer said is kept. Stop pauses it, Sweep goes on where it was; so does `clipbench sweep`."
)


class OwnSweep(w.VBox):
    """A folder, a store, a layer, Sweep and Stop.

    Args:
        bench: the shared state.
        finished: called with the path of the store when all pictures were swept.
    """

    def __init__(self, bench: Workbench, finished: Callable[[str], None]):
        self._bench, self._finished = bench, finished
        self._folder = parts.Field("pictures", str(photo_files()[0].parent), _read_folder)
        self._place = parts.Field("store", str(folder_for("stores") / "own"), _read_place)
        self._layer = parts.classed(w.Dropdown(description="layer"), "cb-control")
        self._worker = Worker("Sweep", self._work, self._take, _progress)
        self._unread = parts.Note()
        about = parts.prose(_ABOUT, kind="cb-note")
        super().__init__([about, self._folder, self._place, self._layer, self._worker, self._unread])
        bench.observe(lambda _: self._offer_layers(), "model")
        self._offer_layers()

    def _offer_layers(self) -> None:
        if self._bench.model is not None:
            self._layer.options = [*self._bench.model.layers]
            self._layer.value = self._bench.model.last_layer

    def _work(self) -> Callable[[], Iterator[Progress]] | None:
        self._folder.check()  # it may have come or gone
        folder, place, layer = self._folder.meaning, self._place.meaning, self._layer.value
        if folder is None or place is None:  # the field says why
            return None
        return lambda: _written(sweep(self._bench.loaded(), folder, [layer], store=place))

    def _take(self, progress: Progress) -> None:
        wrong = progress.unread
        told = f"{len(wrong)} cannot be read, as {Path(wrong[-1][0]).name}: {wrong[-1][1]}" if wrong else ""
        self._unread.say(told)
        if progress.stage == _OVER:
            self._finished(self._place.meaning)


def _written(steps: Iterator[Progress]) -> Iterator[Progress]:
    """The steps, and one more when all is written: the last picture is seen before its block is kept."""
    for step in steps:
        yield step
    yield replace(step, stage=_OVER)


def _read_folder(text: str) -> Path:
    """A folder; its pictures are looked for when the sweep begins, which may take a while."""
    folder = Path(at_home(text))
    if not text.strip() or not folder.is_dir():
        raise cb.ClipbenchError(f"there is no folder {text!r}; give the path of a folder with pictures")
    return folder


def _read_place(text: str) -> str:
    """A path for a store; a folder that has something else in it is refused when the sweep begins."""
    if not text.strip():
        raise cb.ClipbenchError("there is no place for the store; name a folder")
    return at_home(text)


def _progress(progress: Progress) -> str:
    resumed = f", {progress.resumed} of them before" if progress.resumed else ""
    return f"{progress.stage}: {progress.done} of {progress.total} pictures{resumed}"
