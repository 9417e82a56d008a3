"""The drawings that are shipped, and the concepts that they make with the shipped photos."""

from dataclasses import dataclass
from pathlib import Path

from clipbench.stimuli.concepts import Concept, written
from clipbench.stimuli.samples import samples
from clipbench.stimuli.shipped import Shipped

WRITTEN_IN = ("DejaVu Sans", "DejaVu Serif")


@dataclass(frozen=True, kw_only=True)
class Drawing(Shipped):
    """A shipped drawing of 144 × 144 pixels on white.

    `scripts/make_drawings.py` makes them all and says what it takes for one of a thing.

    Args:
        name: what its maker calls it, such as "cat face".
        concept: what it shows, the `truth` of at least one shipped photo.
        author, licence, source, file: see `Shipped`.
    """

    folder = Path(__file__).parent / "drawings"
    listed_in = "drawings.json"

    concept: str


def drawings() -> list[Drawing]:
    """All shipped drawings."""
    return Drawing.all()


def concepts() -> list[Concept]:
    """All things of which photos and drawings are shipped, with their names written.

    Photos that bear a label are left out, because they show a word, too.

    Returns:
        k concepts in the order of the photos, each with one to a few photos, one or two drawings, and its
        name in the fonts of `WRITTEN_IN`.
    """
    drawn = drawings()
    things = dict.fromkeys(drawing.concept for drawing in drawn)
    photos = [sample for sample in samples() if not sample.labelled]
    return [
        Concept(
            thing,
            [photo.image for photo in photos if photo.truth == thing],
            [drawing.image for drawing in drawn if drawing.concept == thing],
            [written(thing, font) for font in WRITTEN_IN],
        )
        for thing in things
    ]
