"""One line of text as ink: fonts, what they can draw, and masks in the manner of the article's renderer."""

import math
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFont

from clipbench.errors import ClipbenchError, unknown

_FOLDER = Path(__file__).parent / "fonts"
FONTS = {
    "DejaVu Sans": _FOLDER / "DejaVuSans.ttf",
    "DejaVu Sans Bold": _FOLDER / "DejaVuSans-Bold.ttf",
    "DejaVu Sans Mono": _FOLDER / "DejaVuSansMono.ttf",
    "DejaVu Serif": _FOLDER / "DejaVuSerif.ttf",
}
MAX_LETTERS = 200  # no label is longer
MAX_AREA = 16_000_000  # pixels of one label: a text as large as any picture that a screen shows
_NO_CHARACTER = "\U0010ffff"  # Unicode promises never to use it, so a font draws its box for "missing"


@dataclass(frozen=True)
class Ink:
    """Masks (mode L, 255 = full ink) of one line of text, both of one size.

    Args:
        fill: the letters.
        outline: the letters grown by the width of the outline.
        corner: where the masks' top left corner lies from the text's origin, which is the pen's start
            at the height of the font's ascender; in pixels.
    """

    fill: Image.Image
    outline: Image.Image
    corner: tuple[int, int]


@lru_cache(maxsize=64)
def ink(text: str, font: str, size: float, outline: float = 0) -> Ink:
    """Draw one line of text.

    Each letter is drawn alone and the darker ink wins where two overlap, as in the Pillow of 2021 that
    made the article's pictures; today's blends there, and on the published one is off by up to 38 of 255.

    Args:
        text: 1 to `MAX_LETTERS` characters, left to right.
        font: a name in `FONTS`, or the path of a TrueType or OpenType file.
        size: pixels to the em, at least 1.
        outline: width of the outline in pixels, at least 0.

    Raises:
        ClipbenchError: no text, too long, too large or too small a text, characters that the font
            cannot draw, no such font.
    """
    _check(text, font)
    if size < 1:
        raise ClipbenchError(f"letters of {size:.2g} pixels cannot be drawn; use a larger size or picture")
    face = load_font(font, size)
    left, top, right, bottom = _whole_pixels(face, text, outline)
    width, height = right - left, bottom - top
    if width * height > MAX_AREA:
        raise ClipbenchError(f"the label would be {width} × {height} pixels; make it shorter or smaller")
    grown = _mask(text, face, (left, top, right, bottom), outline)
    box = grown.getbbox() or (0, 0, 1, 1)
    fill = _mask(text, face, (left, top, right, bottom), 0).crop(box) if outline else grown.crop(box)
    return Ink(fill, grown.crop(box), (box[0] + left, box[1] + top))


def fitted(text: str, font: str, room: tuple[float, float]) -> Ink:
    """The text in the largest size that fits into a room of (width, height) pixels.

    Raises:
        ClipbenchError: text or font that `ink` refuses, or a room too small to tell its letters apart.
    """
    trial = ink(text, font, 100.0).fill.size
    size = 100 * min(have / need for have, need in zip(room, trial, strict=True))
    if size < 5:  # below five pixels to the em no letter can be told from another
        raise ClipbenchError(f"the room for {text!r} is too small; make it wider or the text shorter")
    return ink(text, font, size)


@lru_cache(maxsize=64)
def load_font(font: str, size: float) -> ImageFont.FreeTypeFont:
    """A font of `FONTS`, or from a file, laid out without libraqm, so that every machine draws the same.

    Raises:
        ClipbenchError: no such font, or a file that is none.
    """
    path = FONTS.get(font, Path(font))
    if not path.is_file():
        if path.suffix or path.name != font:  # it was meant as a path
            raise ClipbenchError(f"there is no font file {font!r}; the shipped fonts are {', '.join(FONTS)}")
        raise unknown("font", font, FONTS)
    try:
        # not ImageFont.truetype, which would look for a namesake among the system's fonts
        return ImageFont.FreeTypeFont(path, size, layout_engine=ImageFont.Layout.BASIC)
    except OSError as error:
        raise ClipbenchError(f"{font!r} is not a font that can be read; use a .ttf or .otf file") from error


def _check(text: str, font: str) -> None:
    if not text.strip():
        raise ClipbenchError("the label has no text; write at least one letter")
    if len(text) > MAX_LETTERS:
        raise ClipbenchError(f"the label has {len(text)} characters; {MAX_LETTERS} at most can be drawn")
    missing = "".join(dict.fromkeys(letter for letter in text if not _draws(font, letter)))
    if missing:
        raise ClipbenchError(f"{font} cannot draw {missing!r}; leave it out or choose another font")
    if any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text):
        raise ClipbenchError(f"{text!r} runs from right to left; only text from left to right can be drawn")


@lru_cache(maxsize=4096)
def _draws(font: str, letter: str) -> bool:
    if letter == " ":
        return True
    face = load_font(font, 32.0)
    mask, box = face.getmask(letter), face.getmask(_NO_CHARACTER)
    return any(mask) and (mask.size != box.size or bytes(mask) != bytes(box))


def _mask(text: str, face: ImageFont.FreeTypeFont, box: tuple[int, ...], outline: float) -> Image.Image:
    """Ink within a box around the text's origin, letter by letter, the darker ink on top."""
    left, top, right, bottom = box
    mask = Image.new("L", (right - left, bottom - top))
    for place, letter in enumerate(text):
        pen = round(face.getlength(text[: place + 1]) - face.getlength(letter))
        x0, y0, x1, y1 = _whole_pixels(face, letter, outline)
        alone = Image.new("L", (x1 - x0, y1 - y0))
        ImageDraw.Draw(alone).text((-x0, -y0), letter, 255, face, stroke_width=outline, stroke_fill=255)
        corner = (pen + x0 - left, y0 - top)
        under = mask.crop((*corner, corner[0] + alone.width, corner[1] + alone.height))
        mask.paste(ImageChops.lighter(under, alone), corner)
    return mask


def _whole_pixels(face: ImageFont.FreeTypeFont, text: str, outline: float) -> tuple[int, int, int, int]:
    """A box of whole pixels that holds all ink of a text, from its origin."""
    left, top, right, bottom = face.getbbox(text, stroke_width=outline)
    return math.floor(left) - 1, math.floor(top) - 1, math.ceil(right) + 1, math.ceil(bottom) + 1
