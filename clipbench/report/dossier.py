"""One unit on one page: sections are made one after another and kept, so that a stop costs little."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from clipbench.errors import ClipbenchError
from clipbench.report import named, own, seen, studied
from clipbench.report.desk import Desk
from clipbench.report.page import data_uris, render
from clipbench.report.part import Part, key_of
from clipbench.results import UNREADABLE, check_path, made_folder, read_json, save_bytes, save_json, versions

_HEAD = "dossier.json"
_TOLD = ("unit", "model", "weights_hash", "label", "stimuli")  # in it

MAX_BYTES = 6 * 2**20  # of the page, so that it can be mailed

SECTIONS: Mapping[str, Callable[[Desk], Iterator[object]]] = {
    "photos": seen.photos,
    "words": seen.words,
    "search": named.search,
    "pictures": own.pictures,
    "neighbours": seen.neighbours,
    "circuit": own.circuit,
    "effect": own.effect,
    "multimodal": studied.multimodal,
    "regions": studied.regions,
    "feelings": studied.feelings,
    "activation": studied.activation,
    "text": studied.text,
}


@dataclass(frozen=True, eq=False)
class Dossier:
    """All that is known of one unit.

    Args:
        unit: its address.
        model, weights_hash: whose it is.
        label: what the unit is called and how sure that is, as `cb.labels` says it.
        stimuli: what it was shown.
        parts: name of a section -> the section; None where there is nothing to say.
    """

    unit: str
    model: str
    weights_hash: str
    label: Mapping
    stimuli: str
    parts: Mapping[str, Part | None]

    @classmethod
    def load(cls, folder: Path) -> "Dossier":
        """What `build` has kept in a folder.

        Raises:
            ClipbenchError: it has not been finished there.
        """
        try:
            told = read_json(folder / _HEAD)
            sections = {name: Part.load(folder / f"{name}.json") for name in SECTIONS}
            parts = {name: part if part.content else None for name, part in sections.items()}
            return cls(**{name: told[name] for name in _TOLD}, parts=parts)
        except (*UNREADABLE, AttributeError) as error:
            raise ClipbenchError(f"there is no finished dossier in {str(folder)!r}; make one") from error

    @property
    def title(self) -> str:
        """Its label in quotation marks, or its address."""
        return f"“{self.label['name']}”" if self.label["name"] else self.unit

    @property
    def file(self) -> str:
        """What its page is called among others of the same model."""
        return f"{self.unit.replace(':', '-')}.html"

    def as_dict(self) -> dict:
        """The same as plain JSON types; pictures are only named."""
        told = {name: getattr(self, name) for name in _TOLD}
        parts = {name: part and part.content for name, part in self.parts.items()}
        return {**told, "parts": parts, "versions": versions()}

    def fragment(self, links: Mapping[str, str] | None = None) -> str:
        """The page without its head, to stand among other things; see `html`."""
        return render("fragment.html", **self._values(links))

    def html(self, links: Mapping[str, str] | None = None) -> str:
        """The whole page, which needs nothing else.

        Args:
            links: address of another unit -> where its page is, relative to this one.
        """
        return render("dossier.html", **self._values(links))

    def save(self, path: str | Path) -> Path:
        """Write the page, and beside it its data as JSON; units that have pages beside it become links.

        Raises:
            ClipbenchError: the folder is missing, not writable or full, or the page is larger than 6 MB.
        """
        path = check_path(path, (".html",))
        beside = {other.stem.replace("-", ":"): other.name for other in path.parent.glob("*-*.html")}
        page = self.html(beside).encode()
        if len(page) > MAX_BYTES:
            raise ClipbenchError(f"the page has {len(page):,} bytes, {MAX_BYTES:,} at most; leave facets out")
        save_json(self.as_dict(), path.with_suffix(".json"))
        return save_bytes(page, path)

    def _values(self, links: Mapping[str, str] | None) -> dict:
        parts = {name: part and part.content for name, part in self.parts.items()}
        files = {name: file for part in self.parts.values() if part for name, file in part.pictures.items()}
        told = {name: getattr(self, name) for name in ("title", "unit", "model", "weights_hash", "stimuli")}
        about = "a small but real CLIP that comes with clipbench" if self.model == "mini" else ""
        command = f"clipbench dossier {self.unit} --model {self.model} --store DIR --out {self.file}"
        told |= {"about": about, "label": self.label["told"], "command": command, "versions": versions()}
        return {**told, "parts": parts, "pictures": data_uris(files), "links": links or {}}


@dataclass(frozen=True)
class Building:
    """How far `build` has come.

    Args:
        section: name of the one under way, or of the last one.
        done: sections that are finished.
        total: all of them.
        result: None until then.
    """

    section: str
    done: int
    total: int
    result: Dossier | None = None


def build(desk: Desk, folder: Path) -> Iterator[Building]:
    """Make the sections of a unit's dossier; whoever stops reading stops the work.

    Args:
        desk: the unit and what there is to know about it.
        folder: where finished sections are kept, so that the same call goes on after a stop; a section made
            by other weights, from other stimuli or by another version is made anew.

    Yields:
        Several times a second how far it has come; the last one, and only that, with the result.

    Raises:
        ClipbenchError: the folder cannot be written to.
    """
    made_folder(folder)
    parts: dict[str, Part | None] = {}
    for name, make in SECTIONS.items():
        yield Building(name, len(parts), len(SECTIONS))
        key = key_of(name, version("clipbench"), desk.key, *desk.given(name))
        part = Part.load(folder / f"{name}.json", key)
        if part is None:
            for step in make(desk):
                yield Building(name, len(parts), len(SECTIONS))
                part = step
            part.save(folder / f"{name}.json", key)
        parts[name] = part if part.content else None
    found = Dossier(str(desk.unit), desk.model.name, desk.model.weights_hash, desk.label, desk.stimuli, parts)
    save_json({name: getattr(found, name) for name in _TOLD}, folder / _HEAD)
    yield Building(name, len(parts), len(SECTIONS), found)
