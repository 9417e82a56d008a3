"""Random views of a picture, so that it has to work from more than one: transformation robustness.

Each transform is a random affine map. All maps of a step compose into one, applied by one
`grid_sample`; what lies outside the picture is grey. One draw a step serves the whole batch.

Lucid applies them one after the other with a border of 12 px first. Here the border is endless, so no
padding is needed, and the result is cut to the picture's own size about its middle.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from clipbench.errors import ClipbenchError

BORDER = 0.5  # value outside the picture, in [0, 1]


class Transform(ABC):
    """A random affine map of the picture about its middle."""

    @abstractmethod
    def draw(self, generator: torch.Generator) -> Tensor:
        """A (3, 3) map of (x, y, 1), in pixels from the middle, from the picture to its view."""


def jitter(pixels: int) -> "Jitter":
    """Shift by up to pixels / 2 to each side: a random crop that is `pixels` smaller than the picture."""
    if pixels < 0:
        raise ClipbenchError(f"a jitter of {pixels} px is not possible; give 0 or more")
    return Jitter(pixels)


def scale(low: float, high: float) -> "Scale":
    """Scale by a factor drawn evenly from [low, high]."""
    if not 0 < low <= high:
        raise ClipbenchError(f"cannot scale between {low} and {high}; give 0 < low ≤ high, as in 0.9 and 1.1")
    return Scale(low, high)


def rotate(low: float, high: float) -> "Rotate":
    """Rotate counterclockwise by degrees drawn evenly from [low, high]."""
    if low > high:
        raise ClipbenchError(f"cannot rotate between {low}° and {high}°; the lower limit comes first")
    return Rotate(low, high)


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


@dataclass(frozen=True)
class Jitter(Transform):
    """See `jitter`."""

    pixels: int

    def __str__(self) -> str:
        return f"jitter {self.pixels} px"

    def draw(self, generator: torch.Generator) -> Tensor:
        """See `Transform.draw`."""
        shift = torch.randint(self.pixels + 1, (2,), generator=generator) - self.pixels / 2
        matrix = torch.eye(3)
        matrix[:2, 2] = shift
        return matrix


@dataclass(frozen=True)
class Scale(Transform):
    """See `scale`."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"scale {self.low:g} to {self.high:g}"

    def draw(self, generator: torch.Generator) -> Tensor:
        """See `Transform.draw`."""
        factor = _uniform(self.low, self.high, generator)
        return torch.diag(torch.tensor([factor, factor, 1.0]))


@dataclass(frozen=True)
class Rotate(Transform):
    """See `rotate`."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"rotate {self.low:g}° to {self.high:g}°"

    def draw(self, generator: torch.Generator) -> Tensor:
        """See `Transform.draw`. The y axis points down, hence the signs."""
        angle = math.radians(_uniform(self.low, self.high, generator))
        cosine, sine = math.cos(angle), math.sin(angle)
        return torch.tensor([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def compose(transforms: Sequence[Transform], generator: torch.Generator) -> Tensor:
    """Draw all transforms and compose them, the first one innermost: (3, 3)."""
    return reduce(lambda so_far, each: each.draw(generator) @ so_far, transforms, torch.eye(3))


def view(images: Tensor, matrix: Tensor, size: int) -> Tensor:
    """Sample a batch through one affine map.

    Args:
        images: (n, 3, s, s).
        matrix: (3, 3) map of (x, y, 1), in pixels from the middle, from the picture to its view.
        size: height and width of the view, which shows the middle.

    Returns:
        (n, 3, size, size), bilinear; `BORDER` outside the picture.
    """
    own = images.shape[-1]
    if size == own and torch.equal(matrix, torch.eye(3)):
        return images
    # grid_sample asks where each point of the view comes from, in units of half a side.
    backwards = torch.linalg.inv(matrix)
    backwards = torch.cat([backwards[:2, :2] * (size / own), backwards[:2, 2:] * (2 / own)], dim=1)
    theta = backwards.to(images)[None].expand(len(images), -1, -1)
    grid = affine_grid(theta, [len(images), 3, size, size], align_corners=False)
    return BORDER + grid_sample(images - BORDER, grid, padding_mode="zeros", align_corners=False)


def _uniform(low: float, high: float, generator: torch.Generator) -> float:
    return low + (high - low) * torch.rand((), generator=generator).item()
