"""Random views of a picture, so that it has to work from more than one: transformation robustness.

A transform is a map of the plane or a change of values. All maps of a step compose into one, applied by one
`grid_sample`; what lies outside the picture is grey. The changes of values follow. One draw a step serves
the whole batch, or a few draws, whose values are averaged.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod

import torch
from torch import Tensor

from clipbench.errors import ClipbenchError
from clipbench.optvis.transforms.looks import Look, colour, noise
from clipbench.optvis.transforms.maps import (
    BORDER,
    Map,
    Transform,
    compose,
    crop,
    jitter,
    perspective,
    rotate,
    scale,
    view,
)

__all__ = [
    "BORDER",
    "Look",
    "Map",
    "Transform",
    "at",
    "colour",
    "compose",
    "crop",
    "count",
    "draw",
    "jitter",
    "maco",
    "noise",
    "perspective",
    "rotate",
    "scale",
    "several",
    "standard",
    "view",
    "view_size",
]


def standard(pixels: int = 8, spread: float = 0.1, degrees: float = 10) -> tuple[Transform, ...]:
    """Lucid's standard set: jitter 8, scale 0.9 to 1.1, rotation up to 10° to each side, jitter 4.

    Lucid draws scale and angle from lists of evenly spaced values; here they are drawn continuously.

    Args:
        pixels: of the first jitter; the second is half as large.
        spread: scale from 1 - spread to 1 + spread.
        degrees: rotation to each side.
    """
    return (
        jitter(pixels),
        scale(1 - spread, 1 + spread),
        rotate(-degrees, degrees),
        jitter(pixels // 2),
    )


def maco(crops: int = 6, size: int | None = None) -> tuple[Transform, ...]:
    """Crops of 0.2 to 0.5 of the side and noise of 0.05, several a step.

    Args:
        crops: views a step.
        size: of each view in pixels; None is that of the picture.
    Source: Fel et al. 2023. Their two implementations take 32 crops a step of a twentieth to a half
        (xplique), and 6 of 0.20 to 0.25 with noise of 0.05 (Horama).
    """
    return (several(crops), crop(0.2, 0.5), *([] if size is None else [at(size)]), noise(0.05))


def several(views: int) -> "Several":
    """Show the model that many views in each step and average their values; the time grows as well."""
    if not isinstance(views, int) or views < 1:
        raise ClipbenchError(f"a step cannot have {views!r} views; give a whole number from 1")
    return Several(views)


@dataclass(frozen=True)
class Several(Transform):
    """See `several`."""

    views: int

    def __str__(self) -> str:
        return f"{self.views} views a step"


def at(size: int) -> "At":
    """Show the model the whole of each view at that size in pixels, whatever the size of the picture.

    Time and memory are those of the smaller size; a picture of 512 px is sharper than a view of it.
    """
    if not isinstance(size, int) or size < 1:
        raise ClipbenchError(f"a view cannot be {size!r} px wide; give a whole number from 1")
    return At(size)


@dataclass(frozen=True)
class At(Transform):
    """See `at`."""

    size: int

    def __str__(self) -> str:
        return f"seen at {self.size} px"


def view_size(transforms: Sequence[Transform], own: int) -> int:
    """Height and width of a view of pictures that are `own` px wide."""
    return next((each.size for each in transforms if isinstance(each, At)), own)


def count(transforms: Sequence[Transform]) -> int:
    """How many views a step has."""
    return prod(each.views for each in transforms if isinstance(each, Several))


def draw(
    transforms: Sequence[Transform], generator: torch.Generator, own: int, size: int
) -> Callable[[Tensor], Tensor]:
    """Draw one view. At a size of its own it shows the same of the picture, larger or smaller.

    Args:
        transforms: maps and changes of values; the order counts among either.
        generator: a CPU generator.
        own: height and width of the pictures.
        size: height and width of the view.

    Returns:
        A function from (n, 3, own, own) to (n, 3, size, size).
    """
    matrix = compose([each for each in transforms if isinstance(each, Map)], generator, own)
    if size != own:
        matrix = torch.diag(torch.tensor([size / own, size / own, 1.0])) @ matrix
    changes = [each.draw(generator) for each in transforms if isinstance(each, Look)]
    return lambda images: reduce(lambda seen, change: change(seen), changes, view(images, matrix, size))
