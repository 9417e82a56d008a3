"""A wall of photos with words on them, the answer below each, flips marked: the article's photos or ours."""

import html
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import ipywidgets as w

from clipbench import attacks
from clipbench.attacks import WildPhoto, WildTable, wild_photos
from clipbench.attacks.wild import CREDIT
from clipbench.errors import ClipbenchError
from clipbench.figures import percent
from clipbench.intervals import Rate
from clipbench.models import ImageModel
from clipbench.stimuli import TAG, paper, read_image, sample
from widgets import parts, pictures
from widgets.links import links
from widgets.workbench import Workbench
from widgets.worker import Worker

_THUMB = 120  # pixels of a photo's longer side
_THINGS = ("apple", "laptop", "mug", "flower", "chair", "cat")  # shipped photos
_WORDS = ("iPod", "library", "pizza", "rifle", "toaster")
_AT_ONCE = 10  # photos that are hung at once: the wall is sent anew each time
_ALL, _BARE = "all", "no word"
_CREDIT = f"All of them are on this machine: {CREDIT}."
_MISSING = (
    "The article's 171 photos are not on this machine; “clipbench fetch in-the-wild” brings them (4 MB, "
    "CC-BY 4.0). Until then the same is tried with shipped photos and words on a paper tag."
)


@dataclass(frozen=True, eq=False)
class Cell:
    """One photo of the wall.

    Args:
        picture: the photo with its word, small.
        thing: what it shows.
        word: what stands on it; "" for nothing.
        answer: what it is taken for.
        share: the probability of that.
        known: whether the answer is the thing.
        flip: whether the word won and the thing is known without it.
    """

    picture: bytes
    thing: str
    word: str
    answer: str
    share: float
    known: bool
    flip: bool


@dataclass(frozen=True, eq=False)
class Hanging:
    """The wall so far.

    Args:
        total: photos.
        cells: of those so far.
        table: what was measured of them.
    """

    total: int
    cells: tuple[Cell, ...]
    table: WildTable

    @property
    def done(self) -> int:
        """Photos so far."""
        return len(self.cells)


def of_the_article(model: ImageModel, photos: Sequence[WildPhoto]) -> Iterator[Hanging]:
    """The article's photos in the wild, as a model sees them; whoever stops reading stops it.

    Of each thing the photo without a word comes first: by it, the others are counted.
    """
    photos = sorted(photos, key=lambda photo: (photo.item, photo.word))
    for table in attacks.look(model, photos):
        if len(table.rows) % _AT_ONCE and len(table.rows) < len(photos):
            continue
        yield _hung(table, len(photos), lambda photo: _small(photo.path, photo.path.stat().st_mtime_ns))


def of_ours(model: ImageModel) -> Iterator[Hanging]:
    """Shipped photos with words on a paper tag, as a model sees them: the same experiment, in small."""
    photos = [sample(name) for name in _THINGS]
    for table in attacks.on_paper(model, photos, _WORDS):
        yield _hung(table, len(photos) * (1 + len(_WORDS)), _tagged)


def _hung(table: WildTable, total: int, picture: Callable[[WildPhoto], bytes]) -> Hanging:
    flipped = table.flipped
    cells = [
        Cell(
            picture=picture(row.photo),
            thing=row.photo.item,
            word=row.photo.word,
            answer=row.seen,
            share=float(row.shares.max()),
            known=row.seen == row.truth,
            flip=row in flipped,
        )
        for row in table.rows
    ]
    return Hanging(total, tuple(cells), table)


@lru_cache(maxsize=256)
def _tagged(photo: WildPhoto) -> bytes:
    """A shipped photo, small, with the word on paper."""
    plain = read_image(photo.path).image
    return pictures.thumbnail(paper(plain, photo.word, TAG) if photo.word else plain, _THUMB)


@lru_cache(maxsize=256)
def _small(path: Path, _changed: int) -> bytes:
    return pictures.thumbnail(read_image(path).image, _THUMB)


class Wall(w.VBox):
    """Start, what to see of the wall, and the wall.

    Args:
        bench: the shared state.
    """

    def __init__(self, bench: Workbench):
        self._bench, self._hanging = bench, None
        self._worker = Worker("Look at them all", self._work, self._take, _progress)
        self._thing, self._word = (_menu(name) for name in ("thing", "word"))
        self._only = w.Checkbox(description="only those whose word won", indent=False)
        self._told, self._wall, self._caption = parts.Note(), w.HTML(), parts.Caption()
        self._files = w.HTML()
        self._choice = parts.row(self._thing, self._word, self._only)
        self._choice.layout.display = "none"
        text = parts.prose(
            "The article wrote 18 words on paper and held each before 9 things. A photo is framed in "
            "vermilion if its word won while the thing is known without it, in green if the thing is still "
            "seen."
        )
        whose = parts.prose(_CREDIT if _photos() else _MISSING, kind="cb-note")
        body = [self._worker, self._choice, self._told, self._wall, self._files, self._caption]
        super().__init__([parts.prose("Things in the wild", "h2"), text, whose, *body])
        for menu in (self._thing, self._word, self._only):
            menu.observe(lambda _: self._draw(), "value")

    def _work(self) -> Callable[[], Iterator[Hanging]]:
        photos = _photos()

        def work() -> Iterator[Hanging]:
            model = self._bench.loaded()
            return of_the_article(model, photos) if photos else of_ours(model)

        return work

    def _take(self, hanging: Hanging) -> None:
        self._hanging = hanging
        self._choice.layout.display = None
        _offer(self._thing, [cell.thing for cell in hanging.cells])
        _offer(self._word, [cell.word or _BARE for cell in hanging.cells])
        table = hanging.table
        self._told.say(_told(table.flips))
        self._files.value = links(table, "photos") if hanging.done == hanging.total else ""
        self._caption.show(table.provenance.caption(), about=parts.about(table.provenance.model))
        self._draw()

    def _draw(self) -> None:
        if self._hanging is None:
            return
        cells = [
            cell
            for cell in self._hanging.cells
            if self._thing.value in (_ALL, cell.thing)
            and self._word.value in (_ALL, cell.word or _BARE)
            and (cell.flip or not self._only.value)
        ]
        self._wall.value = "".join(
            f'<p class="cb-note">{html.escape(_of_thing(thing, self._hanging.cells))}</p>'
            f'<div class="cb-wall">{"".join(map(_figure, group))}</div>'
            for thing, group in groupby(cells, key=lambda cell: cell.thing)
        )


def _photos() -> list[WildPhoto]:
    """The article's photos, if they have been fetched."""
    try:
        return wild_photos()
    except ClipbenchError:
        return []


def _menu(name: str) -> w.Dropdown:
    return parts.classed(w.Dropdown(options=[_ALL], description=name), "cb-control")


def _offer(menu: w.Dropdown, values: Sequence[str]) -> None:
    options = (_ALL, *dict.fromkeys(values))
    if tuple(menu.options) != options:
        kept = menu.value
        menu.options = options
        menu.value = kept if kept in options else _ALL


def _figure(cell: Cell) -> str:
    kind = "cb-flip" if cell.flip else "cb-kept" if cell.known else ""
    shown = f"“{cell.word}”" if cell.word else "no word"
    answer = html.escape(f"{cell.answer} {percent(cell.share)}")
    source = f"data:image/jpeg;base64,{b64encode(cell.picture).decode()}"
    return (
        f'<figure class="{kind}"><img src="{source}" alt="{html.escape(f"{cell.thing}, {shown}")}"/>'
        f"<figcaption>{html.escape(shown)}<br>{'→ ' if cell.flip else ''}{answer}</figcaption></figure>"
    )


def _of_thing(thing: str, cells: Sequence[Cell]) -> str:
    """What the photos of a thing came to so far, in a line above them."""
    own = [cell for cell in cells if cell.thing == thing]
    bare = next((cell for cell in own if not cell.word), None)
    if bare is None:
        return thing
    told = f"{thing}: taken for {bare.answer} ({percent(bare.share)}) without a word"
    if not bare.known:
        return f"{told}, so none of its words counts"
    return f"{told}; the word won on {sum(cell.flip for cell in own)} of the others"


def _told(flips: Rate | None) -> str:
    if flips is None:
        return "No thing is known without a word, so no word can be said to have won."
    low, high = (percent(end) for end in flips.interval)
    won = f"The word won on {flips.hits} of {flips.n} photos whose thing is known without it"
    return f"{won}, 95 % interval {low} to {high}."


def _progress(hanging: Hanging) -> str:
    return f"{hanging.done} of {hanging.total} photos"
