"""A whole folder under attack: the text on every picture of a folder, as a table and as files."""

import hashlib
import html
import json
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path

import ipywidgets as w

from clipbench.attacks import AttackResult, Case, Progress, measure
from clipbench.classify import Classifier, as_classifier
from clipbench.errors import ClipbenchError
from clipbench.figures import percent
from clipbench.stimuli import picture_files, samples
from widgets import parts
from widgets.kept import folder_for
from widgets.links import links
from widgets.scene import Drawing, Scene
from widgets.search import offer
from widgets.workbench import Workbench
from widgets.worker import Worker

_ROWS = 200  # of the table that are shown; all are in the files
_COLUMNS = ("picture", "without text", "with text", "outcome")
_ABOUT = (
    "The text above, as it lies on the photo, on all pictures of a folder of the machine that runs this "
    "page. What was measured is kept: after a stop, the same folder goes on where it ended."
)


class Folder(w.VBox):
    """A folder, a target, Start and Stop; rates with their intervals, a table, files.

    Args:
        bench: the shared state.
    """

    def __init__(self, bench: Workbench):
        self._bench, self._drawing, self._command = bench, None, ""
        self._folder = parts.Field("folder", str(samples()[0].path.parent), _read)
        self._target = parts.classed(w.Dropdown(description="target"), "cb-control")
        self._worker = Worker("Attack them all", self._work, self._take, _progress)
        self._rates, self._table, self._files, self._caption = (w.HTML(), w.HTML(), w.HTML(), parts.Caption())
        about = parts.prose(_ABOUT, kind="cb-note")
        results = [self._rates, self._files, self._caption, self._table]
        super().__init__([about, self._folder, self._target, self._worker, *results])
        parts.entered(self._folder.line, self._worker.start)

    def follow(self, drawing: Drawing) -> None:
        """Take over label and labels of a drawing; from any thread."""
        offer(self._target, drawing)
        self._drawing = drawing

    def _work(self) -> Callable[[], Iterable[Progress]] | None:
        self._folder.check()  # it may have gone
        folder = self._folder.meaning
        if folder is None:  # the field says why
            return None
        scene, target = self._drawing.scene, self._target.value

        def work() -> Iterable[Progress]:
            files, classifier = picture_files(folder), as_classifier(self._bench.loaded(), scene.asked)
            case = Case(target, scene.text, scene.recipe)
            self._command = command(str(folder), scene, target, classifier.model.name)
            return measure(classifier, files, [case], journal=journal(classifier, case, files))

        return work

    def _take(self, progress: Progress) -> None:
        if not progress.rows and progress.done < progress.total:
            return  # those so far cannot be read
        (result,) = progress.results
        self._rates.value = _rates(result)
        over = progress.done == progress.total
        about = parts.about(result.provenance.model)
        self._caption.show(result.provenance.caption(), self._command, about)
        self._table.value = _table(result)
        self._files.value = links(result, "attack") if over else ""


def _read(text: str) -> Path:
    """A folder; what is in it is looked up when the work starts, as somebody may be typing still."""
    folder = Path(text.strip()).expanduser()
    if not text.strip() or not folder.is_dir():
        raise ClipbenchError(f"there is no folder {text!r}; give the path of a folder with pictures")
    return folder


def journal(classifier: Classifier, case: Case, files: list[Path]) -> Path:
    """Where the outcomes of a run are kept: a file of its own for all that decides them."""
    told = [classifier.model.weights_hash, classifier.recipe, classifier.labels, case.target, case.text]
    key = json.dumps([*told, str(case.recipe), [str(file) for file in files]])
    return folder_for("attacks") / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.jsonl"


def command(folder: str, scene: Scene, target: str, model: str) -> str:
    """What to type in a terminal for the same."""
    words = ["clipbench", "attack", folder, f"--target={target}", f"--text={scene.text}"]
    words += [f"--labels={','.join(scene.asked)}", "--opacity", f"{scene.opacity:g}"]
    if scene.label == "printed":
        return shlex.join([*words, "--size", f"{scene.recipe.size:g}", "--model", model])
    place = ["--place", f"{scene.x:g}", f"{scene.y:g}"]
    return shlex.join([*words, "--paper", "--width", f"{scene.size:g}", *place, "--model", model])


def _progress(progress: Progress) -> str:
    unread = f" · {len(progress.unread)} cannot be read" if progress.unread else ""
    return f"{progress.done} of {progress.total} pictures{unread}"


def _rates(result: AttackResult) -> str:
    rows = "".join(
        f"<tr><td>{html.escape(outcome)}</td><td class='cb-number'>{rate.hits}</td>"
        f"<td class='cb-number'>{percent(rate.share)}</td>"
        f"<td class='cb-number'>{' to '.join(percent(end) for end in rate.interval)}</td></tr>"
        for outcome, rate in result.rates.items()
    )
    said = [*result.notes, *(f"{Path(name).name}: {reason}" for name, reason in result.unread)]
    notes = "".join(f'<p class="cb-note">{html.escape(each)}</p>' for each in said)
    heads = "".join(f"<th>{head}</th>" for head in ("outcome", "pictures", "share", "95 % interval"))
    cover = f'<p class="cb-note">{percent(result.mean_cover)} of the pixels covered, on average</p>'
    return f'<table class="cb-table"><tr>{heads}</tr>{rows}</table>{cover}{notes}'


def _table(result: AttackResult) -> str:
    rows = []
    for place in range(min(result.n, _ROWS)):
        before, after = result.labels[result.before[place]], result.labels[result.after[place]]
        cells = (
            Path(result.names[place]).name,
            f"{before} {percent(float(result.before_share[place]))}",
            f"{after} {percent(float(result.after_share[place]))}",
            result.outcomes[place],
        )
        rows.append("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>")
    heads = "".join(f"<th>{head}</th>" for head in _COLUMNS)
    more = f"<p class='cb-note'>the first {_ROWS} of {result.n}</p>" if result.n > _ROWS else ""
    table = f'<table class="cb-table"><tr>{heads}</tr>{"".join(rows)}</table>'
    return f'<div class="cb-scroll" tabindex="0">{table}</div>{more}'
