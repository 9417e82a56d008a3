"""Concepts in the article's three modalities: photos, drawings, and the written word."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from PIL import Image

from clipbench.errors import ClipbenchError
from clipbench.stimuli.images import MAX_SIDE
from clipbench.stimuli.lettering import fitted
from clipbench.stimuli.recipes import ARTICLE_SIDE, Place, check_colour, check_range

MODALITIES = ("photos", "drawings", "words")


@dataclass(frozen=True, eq=False)
class Concept:
    """One thing, seen three ways.

    Args:
        name: what it is called.
        photos: at least one PIL image of it.
        drawings: likewise.
        words: pictures of its written name, such as `written` makes; likewise.

    Raises:
        ClipbenchError: a modality without images, or with something that is no image.
    """

    name: str
    photos: Sequence[Image.Image]
    drawings: Sequence[Image.Image]
    words: Sequence[Image.Image]

    def __post_init__(self):
        for modality, images in zip(MODALITIES, self.modalities, strict=True):
            listed = isinstance(images, Sequence) and len(images) > 0
            if not listed or not all(isinstance(image, Image.Image) for image in images):
                raise ClipbenchError(f"{modality} of {self.name!r} must be a list of at least one PIL image")
            object.__setattr__(self, modality, tuple(images))

    @property
    def modalities(self) -> tuple[Sequence[Image.Image], ...]:
        """Its images in the order of `MODALITIES`."""
        return self.photos, self.drawings, self.words


def written(
    word: str,
    font: str = "DejaVu Sans",
    size: float = 0.8,
    colour: str = "black",
    ground: str = "white",
    side: int = ARTICLE_SIDE,
    place: Place = (0.5, 0.5),
) -> Image.Image:
    """A word and nothing else: in the middle of a plain square, or elsewhere on it.

    Args:
        word: one line, from left to right.
        font: a name in `FONTS`, or the path of a font file.
        size: share of the square's side, above 0, at most 1, that the ink spans, in width or, for the
            shortest words, in height; to some pixels, as each letter starts at a whole one.
        colour: of the letters; any colour name or "#rrggbb".
        ground: of everything else.
        side: whole pixels, 1 … `MAX_SIDE`.
        place: of the centre of the ink, as fractions of the side; what lies outside is cut off.

    Returns:
        A new RGB image of side × side pixels.

    Raises:
        ClipbenchError: text that cannot be drawn, too little room for it, a size out of its range, a
            colour or font that does not exist.
    """
    check_range("size", size, 0, 1, above=True)
    check_range("side", side, 1, MAX_SIDE)
    check_colour(colour)
    check_colour(ground)
    letters = fitted(word, str(font), (size * side, size * side)).fill
    picture = Image.new("RGB", (side, side), ground)
    left, top = (floor(at * side - own / 2) for at, own in zip(place, letters.size, strict=True))
    picture.paste(colour, (left, top), letters)
    return picture
