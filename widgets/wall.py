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
from clipbench.attacks import AttackResult, Case, WildPhoto, WildRow, measure, wild_photos
from clipbench.attacks.wild import CREDIT
from clipbench.classify import as_classifier
from clipbench.errors import ClipbenchError
from clipbench.figures import percent
from clipbench.intervals import Rate
from clipbench.models import ImageModel
from clipbench.results import Provenance
from clipbench.stimuli import TAG, Sample, paper, read_image, sample
from widgets import parts, pictures
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
        done, total: photos.
        cells: of them.
        flips: how often the word won, of the photos that ask another thing's name and whose thing is known.
        provenance: of the answers.
    """

    done: int
    total: int
    cells: tuple[Cell, ...]
    flips: Rate | None
    provenance: Provenance


def of_the_article(model: ImageModel, photos: Sequence[WildPhoto]) -> Iterator[Hanging]:
    """The article's photos in the wild, as a model sees them; whoever stops reading stops it.

    Of each thing the photo without a word comes first: by it, the others are counted.
    """
    photos = sorted(photos, key=lambda photo: (photo.item, photo.word))
    for table in attacks.look(model, photos):
        if len(table.rows) % _AT_ONCE and len(table.rows) < len(photos):
            continue
        flipped = table.flipped
        cells = tuple(_wild_cell(row, row in flipped) for row in table.rows)
        yield Hanging(len(cells), len(photos), cells, table.flips, table.provenance)


def of_ours(model: ImageModel) -> Iterator[Hanging]:
    """Shipped photos with words on a paper tag, as a model sees them: the same experiment, in small."""
    photos = [sample(name) for name in _THINGS]
    truths = [photo.truth for photo in photos]
    classifier = as_classifier(model, list(dict.fromkeys([*truths, *_WORDS])))
    cases = [Case(word, word) for word in _WORDS]
    *_, last = measure(classifier, [photo.image for photo in photos], cases, TAG, truths)
    cells = [cell for place, photo in enumerate(photos) for cell in _own_cells(photo, place, last.results)]
    known = {cell.thing for cell in cells if not cell.word and cell.known}
    fair = [cell for cell in cells if cell.word not in ("", cell.thing) and cell.thing in known]
    flips = Rate(sum(cell.flip for cell in fair), len(fair)) if fair else None
    recipe = f"{', '.join(_WORDS)} as {TAG} · {classifier.recipe}"
    provenance = Provenance(classifier.model.name, classifier.model.weights_hash, recipe, n=len(cells))
    yield Hanging(len(cells), len(cells), tuple(cells), flips, provenance)


def _wild_cell(row: WildRow, flip: bool) -> Cell:
    photo, share = row.photo, float(row.shares.max())
    picture = _small(photo.path, photo.path.stat().st_mtime_ns)
    return Cell(picture, photo.item, photo.word, row.seen, share, row.seen == row.truth, flip)


def _own_cells(photo: Sample, place: int, results: Sequence[AttackResult]) -> Iterator[Cell]:
    """A photo without a word, then with each."""
    thing, first = photo.truth, results[0]
    bare, share = first.labels[first.before[place]], float(first.before_share[place])
    yield Cell(pictures.thumbnail(photo.image, _THUMB), thing, "", bare, share, bare == thing, False)
    for result in results:
        answer, share = result.labels[result.after[place]], float(result.after_share[place])
        flip = bare == thing and result.text != thing and answer == result.text
        picture = pictures.thumbnail(paper(photo.image, result.text, TAG), _THUMB)
        yield Cell(picture, thing, result.text, answer, share, answer == thing, flip)


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
        self._choice = parts.row(self._thing, self._word, self._only)
        self._choice.layout.display = "none"
        text = parts.prose(
            "The article wrote 18 words on paper and held each before 9 things. A photo is framed in "
            "vermilion if its word won while the thing is known without it, in green if the thing is still "
            "seen."
        )
        whose = parts.prose(_CREDIT if _photos() else _MISSING, kind="cb-note")
        body = [self._worker, self._choice, self._told, self._wall, self._caption]
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
        self._told.say(_told(hanging.flips))
        about = parts.about(hanging.provenance.model)
        self._caption.show(hanging.provenance.caption(), about=about)
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
