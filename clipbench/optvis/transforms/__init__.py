"""Random views of a picture, so that it has to work from more than one: transformation robustness.

A transform is a map of the plane or a change of values. All maps of a step compose into one, applied by one
`grid_sample`; what lies outside the picture is grey. The changes of values follow. One draw a step serves
the whole batch.
"""

from collections.abc import Callable, Sequence
from functools import reduce

import torch
from torch import Tensor

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
    "colour",
    "compose",
    "crop",
    "draw",
    "jitter",
    "maco",
    "noise",
    "perspective",
    "rotate",
    "scale",
    "standard",
    "view",
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


def maco() -> tuple[Transform, ...]:
    """A crop of 0.2 to 0.5 of the side and noise of 0.05, one crop a step.

    Source: Fel et al. 2023. Their two implementations crop a twentieth to a half (xplique), and 0.20 to
    0.25 with noise of 0.05 (Horama), 32 and 6 crops a step.
    """
    return (crop(0.2, 0.5), noise(0.05))


def draw(
    transforms: Sequence[Transform], generator: torch.Generator, own: int, size: int
) -> Callable[[Tensor], Tensor]:
    """Draw one view.

    Args:
        transforms: maps and changes of values, in any order.
        generator: a CPU generator.
        own: height and width of the pictures.
        size: height and width of the view.

    Returns:
        A function from (n, 3, own, own) to (n, 3, size, size).
    """
    matrix = compose([each for each in transforms if isinstance(each, Map)], generator, own)
    changes = [each.draw(generator) for each in transforms if isinstance(each, Look)]
    return lambda images: reduce(lambda seen, change: change(seen), changes, view(images, matrix, size))
