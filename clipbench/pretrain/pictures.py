"""The pictures of the image stage: words on grounds of colour, drawings, and posters of both.

No photo, sharp or blurred, lies under a word: grounds are plain, graded or made of noise.
"""

import math
import random
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from clipbench.pretrain.drawings import drawing

SMALLEST, LARGEST = 9, 44  # pixels to the em; a label of the article is 11 on a picture of 160
TILE = (96, 64)  # words alone are shown on a small ground, which costs a quarter of a whole picture


@lru_cache(maxsize=4096)
def _face(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)


def colour(rng: random.Random) -> tuple[int, int, int]:
    """A colour; every third is black, white or grey."""
    if rng.random() < 1 / 3:
        return (rng.choice((0, 255, rng.randrange(256))),) * 3
    return tuple(rng.randrange(256) for _ in range(3))


def _contrast(one: Sequence[int], other: Sequence[int]) -> float:
    """Difference of brightness, 0 … 255 (weights of ITU-R BT.601)."""
    return abs(sum(w * (a - b) for w, a, b in zip((0.299, 0.587, 0.114), one, other, strict=True)))


def ground(size: tuple[int, int], rng: random.Random) -> Image.Image:
    """A plain, a graded or a blotchy ground."""
    kind = rng.random()
    if kind < 0.5:
        return Image.new("RGB", size, colour(rng))
    cells = (2, 2) if kind < 0.75 else (size[0] // 12, size[1] // 12)
    middle, spread = colour(rng), 60
    shades = [
        tuple(max(0, min(255, level + rng.randint(-spread, spread))) for level in middle)
        for _ in range(cells[0] * cells[1])
    ]
    small = Image.new("RGB", cells)
    small.putdata(shades)
    return small.resize(size, Image.Resampling.BICUBIC)


def write(picture: Image.Image, word: str, font: Path, size: int, rng: random.Random) -> None:
    """Write a word where it fits on a picture, smaller if it must; sometimes outlined or turned."""
    room = (picture.width - 4, picture.height - 4)
    text = rng.choice((word, word, word.capitalize(), word.upper()))
    face = _face(font, size)
    outline = 1 + size // 16 if rng.random() < 0.4 else 0
    while size > SMALLEST and _extent(face, text, outline)[0] > room[0]:
        size -= 1
        face = _face(font, size)
    left, top, right, bottom = face.getbbox(text, stroke_width=outline)
    mask = Image.new("L", (math.ceil(right - left) + 2, math.ceil(bottom - top) + 2))
    edge = Image.new("L", mask.size)
    at = (1 - left, 1 - top)
    ImageDraw.Draw(mask).text(at, text, 255, face)
    ImageDraw.Draw(edge).text(at, text, 255, face, stroke_width=outline)
    if rng.random() < 0.5:
        angle = rng.uniform(-12, 12)
        mask, edge = (one.rotate(angle, Image.Resampling.BICUBIC, expand=True) for one in (mask, edge))
    corner = tuple(
        rng.randint(min(0, have - need), max(0, have - need))
        for have, need in zip(picture.size, mask.size, strict=True)
    )
    under = picture.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    ink = next(one for one in iter(lambda: colour(rng), None) if _contrast(one, under) > 70 or outline)
    if outline:
        picture.paste((0, 0, 0) if _contrast(ink, (0, 0, 0)) > 127 else (255, 255, 255), corner, edge)
    picture.paste(ink, corner, mask)


def _extent(face: ImageFont.FreeTypeFont, text: str, outline: int) -> tuple[float, float]:
    left, top, right, bottom = face.getbbox(text, stroke_width=outline)
    return right - left, bottom - top


def letter_size(rng: random.Random, ease: float) -> int:
    """A size of letters in pixels; with `ease` 1 only large ones, with 0 all of them, small ones often."""
    smallest = SMALLEST + ease * (28 - SMALLEST)
    return round(smallest * (LARGEST / smallest) ** rng.random())


def word_tile(word: str, fonts: Sequence[Path], rng: random.Random, ease: float = 0.0) -> Image.Image:
    """A word alone on a small ground of `TILE` pixels."""
    picture = ground(TILE, rng)
    write(picture, word, rng.choice(fonts), letter_size(rng, ease), rng)
    return picture


def _place(picture: Image.Image, name: str, share: float, rng: random.Random) -> None:
    side = round(share * min(picture.size))
    shown = drawing(name).resize((side, side), Image.Resampling.BICUBIC)
    if rng.random() < 0.5:
        shown = shown.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    shown = shown.rotate(rng.uniform(-20, 20), Image.Resampling.BICUBIC)
    corner = tuple(rng.randint(0, whole - side) for whole in picture.size)
    picture.paste(shown, corner, shown)


def drawn(name: str, side: int, rng: random.Random) -> Image.Image:
    """A drawing on a ground, 45 to 100 % of the picture's side."""
    picture = ground((side, side), rng)
    _place(picture, name, rng.uniform(0.45, 1.0), rng)
    return picture


def poster(
    names: Sequence[str], word: str, fonts: Sequence[Path], side: int, rng: random.Random, ease: float
) -> Image.Image:
    """One to four drawings with an unrelated word, once or several times, among or on them."""
    picture = ground((side, side), rng)
    for name in names:
        _place(picture, name, rng.uniform(0.3, 0.9) / math.sqrt(len(names)), rng)
    font, size = rng.choice(fonts), letter_size(rng, ease)
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        write(picture, word, font, size, rng)
    return picture


def crop(photo: Image.Image, side: int, rng: random.Random) -> Image.Image:
    """A random square of a photo, at least a third of its area, resized and sometimes mirrored."""
    share = math.sqrt(rng.uniform(1 / 3, 1.0))
    length = share * min(photo.size)
    left, top = (rng.uniform(0, whole - length) for whole in photo.size)
    box = (left, top, left + length, top + length)
    picture = photo.resize((side, side), Image.Resampling.BICUBIC, box=box)
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else picture


def stack(pictures: Sequence[Image.Image]) -> np.ndarray:
    """Pictures of one size as (n, 3, height, width) bytes."""
    return np.stack([np.asarray(picture) for picture in pictures]).transpose(0, 3, 1, 2)
