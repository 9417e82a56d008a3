"""The labelling bench: one picture at a time, blind to the activation, a key for each label."""

import getpass
import os
import re
from collections.abc import Sequence
from pathlib import Path

import ipywidgets as w
from PIL import Image

from clipbench import figures
from clipbench.errors import ClipbenchError
from clipbench.results import Provenance, made_folder
from clipbench.studies.conditional import Sample, conditional
from clipbench.studies.labelling import Labelling, checked_rater
from widgets import parts, pictures
from widgets.chart import Place
from widgets.frame import Frame
from widgets.jobs import guarded
from widgets.keys import Keys

_SIDE = 228  # pixels of a picture, as on the article's bench
_LABELS = "photo, drawing, word"
_UNDO = ("u", "Backspace")
_MOST = 9  # labels, one for each digit


class Bench(w.VBox):
    """Label what was drawn, in the drawn order; each label is in the file before the next picture shows.

    Args:
        shown: the m pictures.
        sample: how they were drawn.
        provenance: whose unit it is.
    """

    def __init__(self, shown: Sequence[Image.Image], sample: Sample, provenance: Provenance):
        self._pictures, self._sample, self._provenance = shown, sample, provenance
        self._labelling: Labelling | None = None
        self._who = ""  # labels now; the line may say another name before it is begun with
        self._labels = parts.classed(w.Text(_LABELS, description="labels"), "cb-control")
        self._rater = parts.classed(w.Text(_whoami(), description="rater"), "cb-control")
        self._file = parts.classed(w.Text(str(_home(provenance)), description="file"), "cb-control")
        self._open = w.Button(description="Begin, or go on", button_style="primary")
        self._message, self._told = parts.Message(), parts.Note()
        self._frame, self._keys = Frame(width=_SIDE), Keys(guarded(self._press, self._message.say))
        self._plot, self._caption = Place(), parts.Caption()
        self._work = w.VBox([self._frame, self._keys], layout={"display": "none"})
        controls = [self._labels, self._rater, self._file, parts.row(self._open), self._message, self._told]
        fold = parts.Fold(parts.columns(controls, [self._work, self._plot, self._caption]))
        fold.say("Label them yourself, blind")
        super().__init__([fold])
        self._open.on_click(guarded(lambda _: self._begin(), self._message.say))

    def _begin(self) -> None:
        self._message.say("")
        self._labelling, self._work.layout.display = None, "none"
        self._told.say("")
        path, told = Path(self._file.value.strip()).expanduser(), self._provenance
        self._who = checked_rater(self._rater.value)
        subject = f"{told.model} {told.weights_hash} {told.unit} seed {told.seed}"
        labels = [label for label in self._labels.value.split(",") if label.strip()]
        if len(labels) > _MOST:
            raise ClipbenchError(f"there are {len(labels)} labels and {_MOST} keys for them; leave some out")
        made_folder(path.parent)
        self._labelling = Labelling.open(path, subject, labels, len(self._pictures))
        self._work.layout.display = None
        choices = " · ".join(
            f"{place} {label}" for place, label in enumerate(self._labelling.labels, start=1)
        )
        self._keys.hint = f"press here, then: {choices} · u takes the last one back"
        self._next()

    def _press(self, key: str) -> None:
        bench, rater = self._labelling, self._who
        if bench is None:
            return
        self._message.say("")
        if key in _UNDO:
            self._labelling = bench.undo(rater)
        elif key.isdecimal() and 1 <= int(key) <= len(bench.labels):
            self._labelling = bench.mark(rater, bench.labels[int(key) - 1])
        self._next()

    def _next(self) -> None:
        """Show the next picture, or what came of all of them."""
        bench, rater = self._labelling, self._who
        done = len(bench.given.get(rater, ()))
        others = [name for name in bench.given if name != rater and bench.given[name]]
        agreed = [f"Cohen's κ with {name}: {bench.kappa(rater, name):.2f}" for name in others if done]
        saved = f"{done} of {bench.pictures} labelled, all saved"
        self._told.say(" · ".join([f"{rater}: {saved}", *agreed]))
        place = bench.place(rater)
        if place is not None:
            self._frame.show(pictures.thumbnail(self._pictures[place], _SIDE), "the picture to label")
            return
        result = conditional(self._sample, bench.given[rater], self._provenance)
        self._plot.children = ()
        self._plot.show(figures.conditional(result, at="middle"))
        self._caption.show(f"{self._provenance.caption()} · labelled by {rater}")


def _home(provenance: Provenance) -> Path:
    """Where labels lie unless the user names another file."""
    folder = Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "clipbench" / "labels"
    name = re.sub(r"[^\w.-]+", "-", f"{provenance.model}-{provenance.unit}")
    return folder / f"{name}.json"


def _whoami() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "me"
