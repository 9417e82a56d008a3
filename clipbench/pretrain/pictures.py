"""The pictures of the image stages: words on grounds of colour, drawings, and words on photos.

In stage 1 no photo, sharp or blurred, lies under a word: grounds are plain, graded or made of noise.
"""

import math
import random
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from clipbench.pretrain.drawings import KEPT, rendered

SMALLEST, LARGEST = 13, 44  # pixels to the em; a label of the article is 15.6 on a picture of 224
_ON_PHOTOS = 1 / 3  # of a photo's width, the largest there: small ones alone are not read off its clutter
_OF_A_PICTURE = 0.75  # of its side, the largest letters of a word that has a picture of its own
_FITTED = 11  # the least to which a word shrinks that would not fit
_TRIES = 8  # to find a place for a word beside others
# Words alone are shown on small grounds, which cost less than whole pictures, now and then on larger ones.
TILES = ((96, 64), (96, 64), (128, 64), (160, 128))
# Those of stage 2, with letters up to a hundred pixels.
LARGE_TILES = ((96, 64), (128, 64), (160, 128), (224, 96), (224, 224))

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels; may reach beyond the picture
Label = tuple[int, Box]  # number of the word, and where it stands


@lru_cache(maxsize=8192)
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


def area(size: tuple[int, int]) -> int:
    """Pixels of a picture of this size."""
    return size[0] * size[1]


def write(
    picture: Image.Image,
    word: str,
    font: Path,
    size: int,
    rng: random.Random,
    taken: Sequence[Box] = (),
) -> Box | None:
    """Write a word where it fits on a picture, smaller if it must; sometimes outlined or turned.

    Args:
        picture, word, font, rng: what to write, on what.
        size: pixels to the em.
        taken: where nothing may be written.

    Returns:
        Where it stands now, or None where a few tries have found no place that is not taken.
    """
    room = picture.width - 4
    text = rng.choice((word, word, word.capitalize(), word.upper()))
    outline = 1 + size // 16 if rng.random() < 0.4 else 0
    left, top, right, bottom = _face(font, size).getbbox(text, stroke_width=outline)
    if right - left > room:
        size = max(_FITTED, int(size * room / (right - left)))
        left, top, right, bottom = _face(font, size).getbbox(text, stroke_width=outline)
    mask = Image.new("L", (math.ceil(right - left) + 2, math.ceil(bottom - top) + 2))
    face, at, edge = _face(font, size), (1 - left, 1 - top), mask
    ImageDraw.Draw(mask).text(at, text, 255, face)
    if outline:
        edge = Image.new("L", mask.size)
        ImageDraw.Draw(edge).text(at, text, 255, face, stroke_width=outline)
    if rng.random() < 0.5:
        angle = rng.uniform(-12, 12)
        mask, edge = (one.rotate(angle, Image.Resampling.BICUBIC, expand=True) for one in (mask, edge))
    box = _free(picture.size, mask.size, taken, rng)
    if box is None:
        return None
    under = picture.crop(box).resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    ink = next(one for one in iter(lambda: colour(rng), None) if _contrast(one, under) > 70 or outline)
    if outline:
        picture.paste((0, 0, 0) if _contrast(ink, (0, 0, 0)) > 127 else (255, 255, 255), box, edge)
    picture.paste(ink, box, mask)
    return box


def _free(
    room: tuple[int, int], size: tuple[int, int], taken: Sequence[Box], rng: random.Random
) -> Box | None:
    """A place for something of a size, beside all that is taken; None where a few tries find none."""
    for _ in range(_TRIES):
        left, top = (
            rng.randint(min(0, have - need), max(0, have - need))
            for have, need in zip(room, size, strict=True)
        )
        box = (left, top, left + size[0], top + size[1])
        if not any(_overlap(box, other) for other in taken):
            return box
    return None


def _overlap(one: Box, other: Box) -> bool:
    return all(one[axis] < other[axis + 2] and other[axis] < one[axis + 2] for axis in (0, 1))


def letter_size(rng: random.Random, ease: float, largest: int = LARGEST) -> int:
    """A size of letters in pixels; with `ease` 1 only large ones, with 0 all of them, small ones often."""
    smallest = SMALLEST + ease * (28 - SMALLEST)
    return round(smallest * (largest / smallest) ** rng.random())


def word_tile(
    word: str, fonts: Sequence[Path], rng: random.Random, ease: float = 0.0, size: tuple[int, int] = TILES[0]
) -> Image.Image:
    """A word alone on a ground of `size` pixels; on a larger one its letters may be larger."""
    picture = ground(size, rng)
    write(picture, word, rng.choice(fonts), letter_size(rng, ease, LARGEST * size[0] // TILES[0][0]), rng)
    return picture


def written(word: str, side: int, fonts: Sequence[Path], rng: random.Random) -> Image.Image:
    """A word on a whole picture, in letters of any size that fits."""
    picture = ground((side, side), rng)
    write(picture, word, rng.choice(fonts), letter_size(rng, 0.0, round(_OF_A_PICTURE * side)), rng)
    return picture


def _restyled(file: Path, rng: random.Random) -> Image.Image:
    """A drawing as another hand might colour it: more or less vivid, sometimes without its black outline."""
    shown = rendered(file)
    plain = _without_outline(file) if rng.random() < 0.4 else shown.convert("RGB")
    plain = ImageEnhance.Color(plain).enhance(rng.uniform(0.3, 1.6))
    plain.putalpha(shown.getchannel("A"))
    return plain


@lru_cache(maxsize=KEPT)
def _without_outline(file: Path) -> Image.Image:
    # an outline of OpenMoji's is four pixels thick
    return rendered(file).convert("RGB").filter(ImageFilter.MaxFilter(5))


def _place(picture: Image.Image, file: Path, share: float, rng: random.Random) -> None:
    side = round(share * min(picture.size))
    shown = _restyled(file, rng).resize((side, side), Image.Resampling.BICUBIC)
    if rng.random() < 0.5:
        shown = shown.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    shown = shown.rotate(rng.uniform(-20, 20), Image.Resampling.BICUBIC)
    corner = tuple(rng.randint(0, whole - side) for whole in picture.size)
    picture.paste(shown, corner, shown)


def drawn(files: Sequence[Path], side: int, rng: random.Random) -> Image.Image:
    """One of a thing's drawings, half the time the first, on a ground, 45 to 100 % of the picture's side."""
    picture = ground((side, side), rng)
    file = files[0] if rng.random() < 0.5 else rng.choice(files)
    _place(picture, file, rng.uniform(0.45, 1.0), rng)
    return picture


def scene(
    photo: Image.Image, words: Sequence[str], fonts: Sequence[Path], rng: random.Random
) -> tuple[Image.Image, list[Label]]:
    """A photo with words on it, none over another: each as it is, or on a strip of paper; many are small.

    Returns:
        The picture, and the labels that found a place on it; the first always does.
    """
    picture, font, on_paper = photo.copy(), rng.choice(fonts), rng.random() < 0.5
    size = letter_size(rng, 0.0, round(_ON_PHOTOS * photo.width / math.sqrt(len(words))))
    put, labels = _paste_paper if on_paper else write, []
    for place, word in enumerate(words):
        box = put(picture, word, font, size, rng, [taken for _, taken in labels])
        if box is not None:
            labels.append((place, box))
    return picture, labels


def _paste_paper(
    picture: Image.Image,
    word: str,
    font: Path,
    size: int,
    rng: random.Random,
    taken: Sequence[Box],
) -> Box | None:
    """Lay a strip of paper with a word on a picture, where nothing else is."""
    left, top, right, bottom = _face(font, size).getbbox(word)
    margins = (rng.uniform(0.4, 1.5) * size for _ in range(2))
    wide, high = (
        min(have, round(need + margin))
        for have, need, margin in zip(picture.size, (right - left, bottom - top), margins, strict=True)
    )
    paper = Image.new("RGB", (wide, high), tuple(rng.randrange(200, 256) for _ in range(3)))
    write(paper, word, font, size, rng)
    paper = paper.convert("RGBA").rotate(rng.uniform(-12, 12), Image.Resampling.BICUBIC, expand=True)
    box = _free(picture.size, paper.size, taken, rng)
    if box is not None:
        picture.paste(paper, box, paper)
    return box


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
