"""The drawings that are shipped, and the concepts that they make with the shipped photos."""

import json
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from clipbench.stimuli.concepts import Concept, written
from clipbench.stimuli.images import rgb
from clipbench.stimuli.samples import Sample, samples

_FOLDER = Path(__file__).parent / "drawings"
WRITTEN_IN = ("DejaVu Sans", "DejaVu Serif")


@dataclass(frozen=True)
class Drawing:
    """A shipped drawing; `tools/make_drawings.py` makes them all and says what it takes for one of a thing.

    Args:
        name: what its maker calls it, such as "cat face".
        concept: what it shows, the `truth` of at least one shipped photo.
        author: who drew it.
        licence: an SPDX-like name such as "CC-BY-SA-4.0".
        source: where it comes from.
        file: its name in the folder of drawings.
    """

    name: str
    concept: str
    author: str
    licence: str
    source: str
    file: str

    @property
    def path(self) -> Path:
        """Its file."""
        return _FOLDER / self.file

    @property
    def image(self) -> Image.Image:
        """A new RGB image of 144 × 144 pixels on white, read from the file when asked for."""
        with Image.open(self.path) as image:
            return rgb(image)


def drawings() -> list[Drawing]:
    """All shipped drawings."""
    return [Drawing(**row) for row in json.loads((_FOLDER / "drawings.json").read_text(encoding="utf-8"))]


def concepts() -> list[Concept]:
    """All things of which photos and drawings are shipped, with their names written.

    Photos that bear a label are left out, because they show a word, too.

    Returns:
        k concepts in the order of the photos, each with one to a few photos, one or two drawings, and its
        name in the fonts of `WRITTEN_IN`.
    """
    drawn = drawings()
    things = dict.fromkeys(drawing.concept for drawing in drawn)
    photos = [sample for sample in samples() if not _labelled(sample)]
    return [
        Concept(
            thing,
            [photo.image for photo in photos if photo.truth == thing],
            [drawing.image for drawing in drawn if drawing.concept == thing],
            [written(thing, font) for font in WRITTEN_IN],
        )
        for thing in things
    ]


def _labelled(sample: Sample) -> bool:
    return sample.name.endswith(" label")
