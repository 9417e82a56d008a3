"""Pictures with texts on them, made in a thread while the model is busy with those before."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image
from torch import Tensor

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel
from clipbench.stimuli import Recipe, Tag, compressed, cover, overlay, paper, read_image

Item = Image.Image | str | Path


def name_of(item: Item, position: int) -> str:
    """What an image is called: its path, or its number where it has none."""
    return f"image {position}" if isinstance(item, Image.Image) else str(item)


@dataclass(frozen=True)
class Photo:
    """An image of a run, not yet read.

    Args:
        position: its place among the images.
        name: its path, or its number.
        item: what `read_image` takes.
        truth: number of the right label, or -1.
    """

    position: int
    name: str
    item: Item
    truth: int


@dataclass(frozen=True, eq=False)
class Rendered:
    """Some photos as a model sees them.

    Args:
        photos: the m that could be read.
        pixels: (m · (1 + texts), 3, h, w) in [0, 1]: each photo without text, then with each.
        covers: for each photo the share of its pixels that each text changed.
        unread: name and reason of each photo that could not be read.
    """

    photos: list[Photo]
    pixels: Tensor | None
    covers: list[tuple[float, ...]]
    unread: list[tuple[str, str]]


def render(model: ImageModel, texts: Sequence[tuple[str, Recipe | Tag]], photos: Sequence[Photo]) -> Rendered:
    """Read photos, cut them as the model does, and write each text on each by its recipe."""
    good, pictures, covers, unread = [], [], [], []
    for photo in photos:
        try:
            plain = model.crop(read_image(photo.item).image)
        except ClipbenchError as error:
            unread.append((photo.name, str(error)))
            continue
        labelled = [lay(plain, text, recipe) for text, recipe in texts]
        good.append(photo)
        pictures += [plain, *(picture for picture, _ in labelled)]
        covers.append(tuple(share for _, share in labelled))
    return Rendered(good, model.pixels(pictures) if pictures else None, covers, unread)


def lay(plain: Image.Image, text: str, recipe: Recipe | Tag) -> tuple[Image.Image, float]:
    """The picture with the text, and the share of pixels that the text covers; a JPEG's traces are none."""
    if isinstance(recipe, Tag):
        labelled = paper(plain, text, recipe)
        return labelled, cover(plain, labelled)
    labelled = overlay(plain, text, replace(recipe, jpeg=None))
    share = cover(plain, labelled)
    return labelled if recipe.jpeg is None else compressed(labelled, recipe.jpeg), share
