"""Pictures on their way to the browser."""

import html
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from clipbench.figures import AFTER
from clipbench.optvis import Step
from clipbench.optvis.frames import as_bytes, side_by_side

_CURVE = (384, 56)  # width and height of a curve in its own units
_POINTS = 100  # of a curve; it is drawn anew with every frame
_MAP = 384  # pixels of a map, twice what it takes on the page
_AGAINST, _DENSEST = "#0072B2", 200  # colour below zero, of Okabe and Ito's; and how dense it gets, of 255
_RAMP = (
    (0, 124, 255),
    (32, 123, 234),
    (77, 120, 70),
)  # red, green, blue: even steps for colour-blind eyes too


def picture(step: Step) -> Image.Image:
    """The pictures of a step of an optimisation, side by side, row by row in a nearly square grid."""
    return side_by_side(as_bytes(step.images))


def jpeg(image: Image.Image) -> bytes:
    """A JPEG file without visible losses: quality 92, colour at full resolution."""
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=92, subsampling=0)
    return file.getvalue()


def thumbnail(image: Image.Image, side: int = 128) -> bytes:
    """A JPEG file of at most `side` pixels."""
    small = image.copy()
    small.thumbnail((side, side))
    return jpeg(small)


def heat(values: np.ndarray, cell: tuple[int, int] | None = None) -> Image.Image:
    """A map in colours, from its smallest value (dark blue) to its largest (yellow).

    Args:
        values: (h, w).
        cell: (row, column) to outline.
    """
    low, high = float(values.min()), float(values.max())
    shares = (values - low) / ((high - low) or 1)
    colours = np.stack([np.interp(shares, (0, 0.5, 1), stops) for stops in _RAMP], axis=-1)
    small = Image.fromarray(colours.round().astype(np.uint8))
    return outline(small.resize((_MAP, _MAP), Image.Resampling.NEAREST), values.shape, cell)


def outline(image: Image.Image, grid: tuple[int, int], cell: tuple[int, int] | None) -> Image.Image:
    """The picture at the size of a map, with one cell of a (rows, columns) grid outlined."""
    outlined = image.convert("RGB").resize((_MAP, _MAP))
    if cell is not None:
        (row, column), (rows, columns) = cell, grid
        box = [column * _MAP / columns, row * _MAP / rows]
        box += [(column + 1) * _MAP / columns - 1, (row + 1) * _MAP / rows - 1]
        ImageDraw.Draw(outlined).rectangle(box, outline="white", width=4)
        ImageDraw.Draw(outlined).rectangle(box, outline="black", width=2)
    return outlined


def signed(values: np.ndarray, image: Image.Image) -> Image.Image:
    """A picture below a map: vermilion where its values are above zero, blue where below, else clear.

    Args:
        values: (h, w).
        image: of the same form as the map.
    """
    reach = float(np.abs(values).max()) or 1.0
    ground = image.convert("RGB").resize((_MAP, _MAP))
    for colour, part in ((AFTER, values), (_AGAINST, -values)):
        strength = np.uint8(part.clip(0) / reach * _DENSEST)
        ground.paste(colour, (0, 0), Image.fromarray(strength).resize((_MAP, _MAP), Image.Resampling.BICUBIC))
    return ground


def curve(values: Sequence[float], name: str) -> str:
    """Values over their position as a small SVG in the colours of the page, described in words.

    Args:
        values: at least one number.
        name: what they are.
    """
    width, height = _CURVE
    low, high = min(values), max(values)
    stride = -(-len(values) // _POINTS)
    numbers = [*range(0, len(values) - 1, stride), len(values) - 1]
    points = " ".join(
        f"{number * width / max(len(values) - 1, 1):.1f},"
        f"{(high - values[number]) / ((high - low) or 1) * (height - 4) + 2:.1f}"
        for number in numbers
    )
    words = html.escape(f"{name}: {values[0]:.3g} at first, {values[-1]:.3g} now, at most {high:.3g}")
    return (
        f'<svg class="cb-curve" viewBox="0 0 {width} {height}" preserveAspectRatio="none" role="img" '
        f'aria-label="{words}"><polyline points="{points}"/></svg><p class="cb-caption">{words}</p>'
    )
