"""How a label looks, as values that compare, hash and print themselves: one for print, one for paper."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from PIL import ImageColor

from clipbench.errors import ClipbenchError

ARTICLE_SIDE = 288  # pixels of the article's pictures: what RN50x4 sees

# Text origins on that picture. The renderer of 2021 put the outline's corner at (20, 20), (70, 45), …;
# the letters start one outline further, and stay there when the outline's width is varied.
ARTICLE_PLACES = tuple(
    (x + 2, y + 2)
    for x, y in ((20, 20), (70, 45), (20, 70), (70, 95), (120, 120), (170, 145), (120, 170), (170, 195))
)

Place = tuple[float, float]


@dataclass(frozen=True)
class Recipe:
    """How a text is laid on a picture; the defaults are the article's.

    Lengths are pixels on a picture whose shorter side is 288, and grow with that side.

    Args:
        font: a name in `lettering.FONTS`, or the path of a font file.
        size: pixels to the em, above 0, at most 288.
        colour: of the letters; any colour name or "#rrggbb".
        opacity: of letters and outline together, 0 … 1.
        outline_colour: of the outline.
        outline_width: 0 … 288; 0 draws none.
        places: "article", its eight places in the central square of the picture, which is what a model
            that crops sees; or the centre of one label, or of several, as fractions of the picture's
            width and height.
        rotation: degrees, counter-clockwise, each label about its centre.
        copies: how many of the places are used, the first ones; None uses all.
        blur: standard deviation in pixels of a Gaussian over letters and outline, 0 … 288.
        jpeg: quality, 1 … 100, at which the labelled picture is saved and read again; None for not.
        shrink: make a text smaller that would be wider than the picture.

    Raises:
        ClipbenchError: a value out of its range, a colour or font that does not exist.
    """

    font: str | Path = "DejaVu Sans"
    size: float = 20
    colour: str = "white"
    opacity: float = 1
    outline_colour: str = "black"
    outline_width: float = 2
    places: str | Place | Sequence[Place] = "article"
    rotation: float = 0
    copies: int | None = None
    blur: float = 0
    jpeg: int | None = None
    shrink: bool = False

    def __post_init__(self):
        object.__setattr__(self, "font", str(self.font))
        object.__setattr__(self, "places", _places(self.places))
        check_range("size", self.size, 0, ARTICLE_SIDE, above=True)
        check_range("outline width", self.outline_width, 0, ARTICLE_SIDE)
        check_range("opacity", self.opacity, 0, 1)
        check_range("rotation", self.rotation, -360, 360)
        check_range("blur", self.blur, 0, ARTICLE_SIDE)
        if self.copies is not None:
            _check_whole(
                "copies", self.copies, len(ARTICLE_PLACES if self.places == "article" else self.places)
            )
        if self.jpeg is not None:
            _check_whole("JPEG quality", self.jpeg, 100)
        check_colour(self.colour)
        check_colour(self.outline_colour)

    def __str__(self) -> str:
        return _as_text("overlay", self)


@dataclass(frozen=True)
class Tag:
    """How a paper tag is laid on a picture.

    Args:
        font: a name in `lettering.FONTS`, or the path of a font file.
        place: centre of the tag, as fractions of the picture's width and height.
        width: share of the picture's width, above 0, at most 1.
        height: share of the picture's height; None fits it to the text.
        opacity: 0 … 1.
        rotation: degrees, counter-clockwise.
        colour: of the letters.
        paper_colour: of the paper.

    Raises:
        ClipbenchError: a value out of its range, a colour that does not exist.
    """

    font: str | Path = "DejaVu Sans"
    place: Place = (0.5, 0.5)
    width: float = 0.5
    height: float | None = None
    opacity: float = 1
    rotation: float = 0
    colour: str = "#1b1b1f"
    paper_colour: str = "#f6f4ef"

    def __post_init__(self):
        object.__setattr__(self, "font", str(self.font))
        object.__setattr__(self, "place", _places([self.place])[0])
        check_range("width", self.width, 0, 1, above=True)
        if self.height is not None:
            check_range("height", self.height, 0, 1, above=True)
        check_range("opacity", self.opacity, 0, 1)
        check_range("rotation", self.rotation, -360, 360)
        check_colour(self.colour)
        check_colour(self.paper_colour)

    def __str__(self) -> str:
        return _as_text("paper", self)


def _places(places) -> str | tuple[Place, ...]:
    if isinstance(places, str) and places == "article":
        return places
    try:
        rows = np.atleast_2d(np.array(places, dtype=float))
    except (TypeError, ValueError):
        rows = np.empty(0)
    if rows.ndim != 2 or rows.shape[1] != 2 or not len(rows) or not ((rows >= 0) & (rows <= 1)).all():
        wanted = "'article', one (x, y) or several, fractions of the picture from 0 to 1"
        raise ClipbenchError(f"places must be {wanted}, not {places!r}")
    return tuple((float(x), float(y)) for x, y in rows)


def check_range(what: str, value: float, low: float, high: float, above: bool = False) -> None:
    """Raise a ClipbenchError unless low <= value <= high; with `above`, unless low < value."""
    enough = isinstance(value, int | float) and (low < value if above else low <= value)
    if not enough or not value <= high:  # so that nan is refused, too
        least = f"above {low}" if above else f"at least {low}"
        raise ClipbenchError(f"{what} must be {least} and at most {high}, not {value!r}")


def _check_whole(what: str, value: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ClipbenchError(f"{what} must be a whole number, not {value!r}")
    check_range(what, value, 1, high)


def check_colour(colour: str) -> None:
    """Raise a ClipbenchError unless Pillow knows the colour."""
    try:
        ImageColor.getrgb(colour)
    except (ValueError, AttributeError, TypeError) as error:
        raise ClipbenchError(f"unknown colour {colour!r}; use a name such as 'white' or '#rrggbb'") from error


def _as_text(what: str, recipe: Recipe | Tag) -> str:
    parts = (f"{field.name.replace('_', ' ')} {getattr(recipe, field.name)}" for field in fields(recipe))
    return f"{what}: {', '.join(parts)}"


ARTICLE = Recipe()
TAG = Tag()
BAND = Tag(width=1, height=0.5)
