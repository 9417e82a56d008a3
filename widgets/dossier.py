"""The panel "One unit, everything": all that is known of a unit on one page, and that page as a file."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import ipywidgets as w

import clipbench as cb
from clipbench.optvis.themes import shipped_facets
from clipbench.report import Building, Desk, Dossier, build
from widgets import parts
from widgets.kept import folder_for
from widgets.stores import SHIPPED, Preparing, prepared, read_store
from widgets.workbench import Workbench
from widgets.worker import Worker

EXAMPLE = Path(__file__).parent / "examples" / "dossier"
_ABOUT = (
    "Pictures, photos, words, what builds the unit and what it does: this takes about a minute, goes on "
    "where it was stopped, and becomes one file that opens anywhere."
)


class Panel(parts.Page):
    """Choose a unit and what it was shown, compile its page, read it, save it.

    Args:
        bench: the shared state.
        query: the parsed address of the page, such as {"unit": "conv_head:550", "store": "DIR"}; a unit
            other than the example's is compiled at once.
    """

    def __init__(self, bench: Workbench, query: Mapping[str, str] | None = None):
        query, example = query or {}, Dossier.load(EXAMPLE)
        self._bench = bench
        self._unit = parts.Field("unit", query.get("unit", example.unit), self._read_unit)
        self._store = parts.Field("store", query.get("store", SHIPPED), read_store)
        self._worker = Worker("Compile", self._work, self._take, _progress)
        self._page, self._save = w.HTML(), w.HTML()
        told = [parts.prose(_ABOUT, kind="cb-note"), self._worker, self._save]
        super().__init__(parts.columns([self._unit, self._store], told), self._page)
        self._show(example)
        bench.observe(lambda _: self._unit.check(), "model")
        bench.observe(lambda change: self._follow(change.new), "unit")
        for field in (self._unit, self._store):
            parts.entered(field.line, self._worker.start)
        if self._unit.line.value != example.unit or self._store.line.value != SHIPPED:
            self._worker.start()

    def _read_unit(self, text: str) -> str:
        model = self._bench.model
        return text.strip() if model is None else str(cb.Unit.parse(text, model))

    def _follow(self, address: str) -> None:
        """Another panel has chosen a unit."""
        if address:
            self._unit.line.value = address.partition("@")[0]

    def _work(self) -> Callable[[], Iterator[Building | Preparing]] | None:
        address, path = self._unit.meaning, self._store.meaning
        if address is None or path is None:  # the field that is wrong says so
            return None

        def work() -> Iterator[Building | Preparing]:
            model = self._bench.loaded()
            unit = cb.Unit.parse(address, model)
            store, words = yield from prepared(path, model, unit.layer)
            place = folder_for("dossiers", model.weights_hash)
            facets = tuple(shipped_facets(model).values())
            desk = Desk(model, cb.Unit(unit.layer, unit.channel), store, place, words, facets)
            yield from build(desk, place / store.key / f"{unit.layer}-{unit.channel}")

        return work

    def _take(self, step: Building | Preparing) -> None:
        if isinstance(step, Building) and step.result is not None:
            self._show(step.result)

    def _show(self, dossier: Dossier) -> None:
        self._page.value = dossier.fragment()
        data = b64encode(dossier.html().encode()).decode()
        self._save.value = (
            f'<a class="cb-link" href="data:text/html;base64,{data}" download="{dossier.file}">'
            "Save as one file</a>"
        )


def _progress(step: Building | Preparing) -> str:
    if isinstance(step, Preparing):
        return f"{step.done} of {step.total} photos swept"
    if step.result is not None:
        return f"{step.total} sections"
    return f"{step.section}, section {step.done + 1} of {step.total}"
