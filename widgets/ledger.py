"""The panel "Parity": the article's published numbers, and what became of each."""

import html
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import ipywidgets as w
import traitlets

from clipbench import figures
from clipbench.parity import STATES, Ledger, Row, parity
from clipbench.parity.ledger import has_units
from clipbench.streams import Progress
from clipbench.studies.records import CREDIT
from widgets import parts
from widgets.chart import Place
from widgets.jobs import Latest, guarded
from widgets.workbench import Workbench
from widgets.worker import Worker

_ALL = "all"
_ROWS = 200  # entries that are listed at once
_PROMISE = (
    "Every number that the article published is an entry. What its records tell is recounted here and now, "
    "by another road than the record's; what takes OpenAI's RN50x4 is measured when that model is loaded, "
    "and told as not run otherwise."
)


class Panel(parts.Page):
    """Counts by topic, the entries, a file to keep and a file to compare with.

    Args:
        bench: the shared state.
        query: the parsed address of the page; "topic" chooses the entries that are listed.
    """

    ready = traitlets.Bool(False, help="whether the records have been recounted")

    def __init__(self, bench: Workbench, query: Mapping[str, str] | None = None):
        self._bench, self._ledger = bench, None
        self._wish = (query or {}).get("topic", "")
        self._message, self._told, self._chart = parts.Message(), parts.Note(), Place()
        self._topic, self._state = _menu("topic"), _menu("state", STATES)
        self._find = parts.classed(
            w.Text(description="find", placeholder="such as Trump or iPod"), "cb-control"
        )
        self._list, self._caption, self._link = w.HTML(), parts.Caption(), w.HTML()
        self._upload = w.FileUpload(accept=".json", description="Compare with a saved ledger")
        self._worker = Worker("Measure what RN50x4 allows", self._work, self._take, _progress)
        self._recounter = Latest(self._take, self._message.say, delay=0.0)
        controls = [self._topic, self._state, self._find, self._worker, self._link, self._upload]
        results = [self._told, self._chart, self._list, self._caption]
        heading = parts.prose("Which published numbers hold?", "h2")
        super().__init__(
            heading, parts.prose(_PROMISE), self._message, parts.columns([*controls], [*results])
        )
        for menu in (self._topic, self._state, self._find):
            menu.observe(lambda _: self._draw(), "value")
        self._upload.observe(guarded(lambda _: self._compare_saved(), self._message.say), "value")
        bench.observe(lambda _: self._follow(), "model")
        self._follow()
        self._told.say("recounting the records …")
        self._recounter.ask(lambda: [*parity()][-1])

    def _follow(self) -> None:
        self._worker.layout.display = None if has_units(self._bench.model) else "none"

    def _work(self) -> Callable[[], Iterator[Progress[Ledger]]]:
        return lambda: parity(self._bench.loaded())

    def _take(self, progress: Progress[Ledger]) -> None:
        self._ledger = ledger = progress.result
        self._told.say(f"{ledger.summary}.")
        self._chart.show(figures.ledger(ledger))
        if len(self._topic.options) == 1:  # offered once, so that a choice stays
            self._topic.options = (_ALL, *ledger.topics)
        if self._wish in ledger.topics:
            self._topic.value, self._wish = self._wish, ""
        self._link.value = _download(ledger)
        self._caption.show(f"{ledger.provenance.caption()} · records: {CREDIT}", "clipbench parity")
        self._draw()
        self.ready = True

    def _draw(self) -> None:
        if self._ledger is None:
            return
        wanted = self._find.value.strip().lower()
        rows = [
            row
            for row in self._ledger.rows
            if self._topic.value in (_ALL, row.claim.topic)
            and self._state.value in (_ALL, row.state)
            and wanted in f"{row.claim.what} {_cell(row.claim.published)}".lower()
        ]
        rows.sort(key=lambda row: row.state == "not run")  # what was run comes first
        self._list.value = _table(rows)

    def _compare_saved(self) -> None:
        self._message.say("")
        if not self._upload.value or self._ledger is None:
            return
        (saved,) = self._upload.value
        other = Ledger.read(bytes(saved["content"]), saved["name"])
        pairs = self._ledger.compare(other)
        whose = other.provenance.model
        told = "; ".join(
            f"{own.claim.what}: {own.state} here, {theirs.state} there" for own, theirs in pairs[:5]
        )
        self._told.say(f"{len(pairs)} entries differ from the saved ledger of {whose}. {told}")


def _menu(name: str, options: tuple[str, ...] = ()) -> w.Dropdown:
    return parts.classed(w.Dropdown(options=(_ALL, *options), description=name), "cb-control")


def _download(ledger: Ledger) -> str:
    with TemporaryDirectory() as folder:
        content = ledger.save(Path(folder) / "ledger.json").read_bytes()
    data = b64encode(content).decode()
    address = f"data:application/json;base64,{data}"
    return f'<a class="cb-link" href="{address}" download="ledger.json">Save ledger</a>'


def _table(rows: list[Row]) -> str:
    lines = "".join(
        f"<tr><td>{html.escape(row.claim.what)}</td><td>{_short(row.claim.published)}</td>"
        f"<td>{'' if row.found is None else _short(row.found)}</td><td>{row.state}</td>"
        f'<td title="{html.escape(row.claim.method, quote=True)}">{html.escape(row.reason)}</td></tr>'
        for row in rows[:_ROWS]
    )
    more = f'<p class="cb-note">{len(rows):,} entries, {_ROWS} are shown.</p>' if len(rows) > _ROWS else ""
    head = "<tr><th>what</th><th>published</th><th>found</th><th></th><th></th></tr>"
    return f'<div class="cb-scroll"><table class="cb-table">{head}{lines}</table></div>{more}'


def _short(value) -> str:
    return html.escape(_cell(value))


def _cell(value) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _progress(progress: Progress[Ledger]) -> str:
    return f"{progress.done} of {progress.total} entries"
