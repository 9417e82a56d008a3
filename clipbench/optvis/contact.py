"""A contact sheet: small pictures in rows, a name below each, and where they come from below all."""

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from clipbench.results import on_white
from clipbench.stimuli import FONTS

_SIDE, _GAP = 160, 8  # of a picture, and between two; all sizes are in pixels
_LETTERS, _LINE = 11, 15  # height of letters, and of a line of them
_WIDTH = 6.6  # mean width of such a letter of DejaVu Sans, rounded up
_MOST = 8  # pictures in a row
_INK = "#444444"


def contact_sheet(pictures: Sequence[tuple[str, Path]], caption: str) -> Image.Image:
    """One picture of many.

    Args:
        pictures: name and file of each.
        caption: one line, broken where it is too long.
    """
    columns = min(_MOST, math.ceil(math.sqrt(len(pictures))))
    rows = math.ceil(len(pictures) / columns)
    width, high = columns * (_SIDE + _GAP) + _GAP, _SIDE + _LINE + _GAP
    lines = textwrap.wrap(caption, int((width - 2 * _GAP) / _WIDTH))
    sheet = Image.new("RGB", (width, rows * high + _GAP + len(lines) * _LINE + _GAP), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.truetype(FONTS["DejaVu Sans"], _LETTERS)
    for place, (name, path) in enumerate(pictures):
        row, column = divmod(place, columns)
        left, top = _GAP + column * (_SIDE + _GAP), _GAP + row * high
        with Image.open(path) as picture:
            small = on_white(picture).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
        sheet.paste(small, (left, top))
        short = textwrap.shorten(name, int(_SIDE / _WIDTH), placeholder="…") or name[: int(_SIDE / _WIDTH)]
        pen.text((left, top + _SIDE), short, fill=_INK, font=font)
    for number, line in enumerate(lines):
        pen.text((_GAP, rows * high + _GAP + number * _LINE), line, fill=_INK, font=font)
    return sheet
