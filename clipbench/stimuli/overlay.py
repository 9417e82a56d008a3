"""Labels on pictures: the article's printed text, and a paper tag; and how much of a picture they cover."""

import io
import math
from dataclasses import replace
from functools import lru_cache

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFilter, ImageOps

from clipbench.errors import ClipbenchError
from clipbench.stimuli.images import rgb
from clipbench.stimuli.lettering import Ink, fitted, ink
from clipbench.stimuli.recipes import ARTICLE, ARTICLE_PLACES, ARTICLE_SIDE, TAG, Place, Recipe, Tag

# How the labels in the article's photos are cut: the letters take at most these shares of the paper's width
# and height, and the paper is at most this high for its width.
_LETTERS_WIDE, _LETTERS_HIGH, _SQUATTEST = 0.84, 0.62, 0.68


def overlay(image: Image.Image, text: str, recipe: Recipe = ARTICLE, **changes) -> Image.Image:
    """Print a text on a picture, by default exactly as the article did.

    Args:
        image: any size and mode; it is neither resized nor changed.
        text: one line, from left to right.
        recipe: how it is drawn.
        changes: fields of the recipe to be taken otherwise, such as `size=40` or `places=(0.5, 0.5)`.

    Returns:
        A new RGB image of the same size.

    Raises:
        ClipbenchError: text that cannot be drawn, or a value that `Recipe` refuses.

    Source: Goh et al. 2021, figure 15; recovered from its picture, which this meets to the pixel except
        where its renderer read memory that it had freed (the first eight pixels of each letter's outline).
    """
    recipe = replace(recipe, **changes)
    before = rgb(image)
    if recipe.shrink:
        recipe = replace(
            recipe, size=recipe.size * min(1, before.width / label_width(text, before.size, recipe))
        )
    label, scale = _label(text, before.size, recipe), _scale(before.size)
    after = before.copy()
    for corner in _corners(label, recipe.places, before.size, scale)[: recipe.copies]:
        if recipe.outline_width:
            after.paste(recipe.outline_colour, corner, label.outline)
        after.paste(recipe.colour, corner, label.fill)
    labelled = Image.blend(before, after, recipe.opacity)
    return labelled if recipe.jpeg is None else compressed(labelled, recipe.jpeg)


def label_width(text: str, size: tuple[int, int], recipe: Recipe = ARTICLE) -> int:
    """How wide one label of a recipe is on a picture of this size, in pixels; see `overlay` for errors."""
    return _label(text, size, recipe).outline.width


def cut_off(text: str, size: tuple[int, int], recipe: Recipe | Tag = ARTICLE) -> tuple[str, ...]:
    """A sentence if a text is wider than a picture of this size; none if it fits, or is made to."""
    if isinstance(recipe, Tag) or recipe.shrink:
        return ()
    wide = label_width(text, size, recipe)
    if wide <= size[0]:
        return ()
    return (f"{text!r} is {wide} pixels wide and the picture {size[0]}; its end is cut off",)


def compressed(image: Image.Image, quality: int) -> Image.Image:
    """An RGB image saved as JPEG and read again; quality 1 … 100."""
    file = io.BytesIO()
    image.save(file, format="JPEG", quality=quality)
    with Image.open(file) as saved:
        return rgb(saved)


def paper(image: Image.Image, text: str, tag: Tag = TAG, **changes) -> Image.Image:
    """Lay a paper tag with a text on a picture, like the article's photos in the wild.

    Args:
        image: any size and mode; it is neither resized nor changed.
        text: one line, from left to right; it is fitted to the tag.
        tag: how it looks; `BAND` is a strip of paper across the whole picture.
        changes: fields of the tag to be taken otherwise, such as `width=0.3` or `rotation=10`.

    Returns:
        A new RGB image of the same size.

    Raises:
        ClipbenchError: text that cannot be drawn, a tag too small for it, a value that `Tag` refuses.
    """
    tag = replace(tag, **changes)
    before = rgb(image)
    sheet = _sheet(text, tag, before.size).rotate(tag.rotation, Image.Resampling.BICUBIC, expand=True)
    after = before.copy()
    after.paste(sheet, _corner(sheet.size, tag.place, before.size), sheet)
    return Image.blend(before, after, tag.opacity)


def cover(before: Image.Image, after: Image.Image) -> float:
    """Share of the pixels that differ in any channel by any amount, 0 … 1: the article's L0.

    Raises:
        ClipbenchError: two images of different size.
    """
    if before.size != after.size:
        sizes = " and ".join(f"{image.width} × {image.height}" for image in (before, after))
        raise ClipbenchError(f"the two images must have one size, not {sizes}")
    differs = np.asarray(rgb(before)) != np.asarray(rgb(after))
    red, green, blue = np.moveaxis(differs, -1, 0)  # `any` over three takes ten times as long
    return float((red | green | blue).mean())


def _scale(size: tuple[int, int]) -> float:
    return min(size) / ARTICLE_SIDE


def _label(text: str, size: tuple[int, int], recipe: Recipe) -> Ink:
    lengths = (length * _scale(size) for length in (recipe.size, recipe.outline_width, recipe.blur))
    return _drawn(text, recipe.font, *lengths, recipe.rotation)


@lru_cache(maxsize=64)
def _drawn(text: str, font: str, size: float, outline: float, blur: float, rotation: float) -> Ink:
    label = ink(text, font, size, outline)
    if rotation:
        label = _changed(label, lambda mask: mask.rotate(rotation, Image.Resampling.BICUBIC, expand=True))
    if blur:
        margin, soften = math.ceil(3 * blur), ImageFilter.GaussianBlur(blur)
        label = _changed(label, lambda mask: ImageOps.expand(mask, margin).filter(soften))
    return label


def _changed(label: Ink, change) -> Ink:
    """The label with both masks changed about their centre."""
    fill, grown = change(label.fill), change(label.outline)
    sizes = zip(label.corner, label.fill.size, fill.size, strict=True)
    return Ink(fill, grown, tuple(at + (old - new) // 2 for at, old, new in sizes))


def _corners(label: Ink, places, size: tuple[int, int], scale: float) -> list[tuple[int, int]]:
    if places != "article":
        return [_corner(label.fill.size, place, size) for place in places]
    left, top = ((side - min(size)) / 2 for side in size)
    return [
        (round(left + x * scale) + label.corner[0], round(top + y * scale) + label.corner[1])
        for x, y in ARTICLE_PLACES
    ]


def _corner(size: tuple[int, int], place: Place, picture: tuple[int, int]) -> tuple[int, int]:
    """Top left corner of a thing of this size whose centre lies at the place."""
    return tuple(round(at * whole - own / 2) for at, whole, own in zip(place, picture, size, strict=True))


def _sheet(text: str, tag: Tag, picture: tuple[int, int]) -> Image.Image:
    """The tag by itself, RGBA, with one clear pixel around it so that it turns with smooth edges."""
    width = round(tag.width * picture[0])
    if tag.height is None:
        letters = fitted(text, tag.font, (_LETTERS_WIDE * width, _LETTERS_HIGH * _SQUATTEST * width)).fill
        height = round(letters.height / _LETTERS_HIGH)
    else:
        height = round(tag.height * picture[1])
        letters = fitted(text, tag.font, (_LETTERS_WIDE * width, _LETTERS_HIGH * height)).fill
    sheet = Image.new("RGBA", (width + 2, height + 2), (*ImageColor.getrgb(tag.paper_colour)[:3], 0))
    ImageDraw.Draw(sheet).rectangle((1, 1, width, height), ImageColor.getrgb(tag.paper_colour))
    sheet.paste(tag.colour, _corner(letters.size, (0.5, 0.5), sheet.size), letters)
    return sheet
