"""Random maps of the plane: shift, scale, rotation, perspective, crop; composed into one `grid_sample`.

Lucid applies them one after the other with a border of 12 px first. Here the border is endless, so no
padding is needed, and the result is cut to the picture's own size about its middle.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from clipbench.errors import ClipbenchError

BORDER = 0.5  # value outside the picture, in [0, 1]


class Transform:
    """A random way to look at a picture. Subclasses are frozen dataclasses whose str goes into the recipe."""


class Map(Transform, ABC):
    """A random map of the plane about the middle of the picture."""

    relative: ClassVar[bool] = False  # whether its unit is half a side of the picture instead of a pixel

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


def perspective(distortion: float = 0.2) -> "Perspective":
    """Tilt: each corner moves inwards by up to distortion / 2 of the side, in x and in y.

    Source: torchvision's `RandomPerspective`.
    """
    if not 0 <= distortion < 1:
        raise ClipbenchError(f"cannot tilt by {distortion}; give a distortion from 0 to below 1, as in 0.2")
    return Perspective(distortion)


def crop(low: float, high: float, spread: float = 0.15) -> "Crop":
    """Enlarge a square box whose side is a share of the picture's, drawn evenly from [low, high].

    Args:
        low, high: share of the side, above 0 and up to 1.
        spread: standard deviation of the middle of the box from that of the picture, as a share of the side;
            the box stays within the picture.
    Source: Fel et al. 2023 (MACO).
    """
    if not 0 < low <= high <= 1 or spread < 0:
        raise ClipbenchError(
            f"cannot crop from {low} to {high} with a spread of {spread}; give 0 < low ≤ high ≤ 1, "
            "as in 0.2 and 0.5, and a spread of 0 or more"
        )
    return Crop(low, high, spread)


@dataclass(frozen=True)
class Jitter(Map):
    """See `jitter`."""

    pixels: int

    def __str__(self) -> str:
        return f"jitter {self.pixels} px"

    def draw(self, generator: torch.Generator) -> Tensor:
        """See `Map.draw`."""
        shift = torch.randint(self.pixels + 1, (2,), generator=generator) - self.pixels / 2
        matrix = torch.eye(3)
        matrix[:2, 2] = shift
        return matrix


@dataclass(frozen=True)
class Scale(Map):
    """See `scale`."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"scale {self.low:g} to {self.high:g}"

    def draw(self, generator: torch.Generator) -> Tensor:
        """See `Map.draw`."""
        factor = _uniform(self.low, self.high, generator)
        return torch.diag(torch.tensor([factor, factor, 1.0]))


@dataclass(frozen=True)
class Rotate(Map):
    """See `rotate`."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"rotate {self.low:g}° to {self.high:g}°"

    def draw(self, generator: torch.Generator) -> Tensor:
        """See `Map.draw`. The y axis points down, hence the signs."""
        angle = math.radians(_uniform(self.low, self.high, generator))
        cosine, sine = math.cos(angle), math.sin(angle)
        return torch.tensor([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])


@dataclass(frozen=True)
class Perspective(Map):
    """See `perspective`."""

    distortion: float
    relative = True

    def __str__(self) -> str:
        return f"perspective {self.distortion:g}"

    def draw(self, generator: torch.Generator) -> Tensor:
        """See `Map.draw`: the map that takes the corners to where they have moved."""
        corners = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
        moved = corners * (1 - self.distortion * torch.rand(4, 2, generator=generator))
        one, nothing = torch.ones(4, 1), torch.zeros(4, 3)
        x, y = moved[:, :1], moved[:, 1:]
        equations = torch.cat(
            [
                torch.cat([corners, one, nothing, -x * corners], dim=1),
                torch.cat([nothing, corners, one, -y * corners], dim=1),
            ]
        )
        numbers = torch.linalg.solve(equations, torch.cat([x, y]))[:, 0]
        return torch.cat([numbers, torch.ones(1)]).view(3, 3)


@dataclass(frozen=True)
class Crop(Map):
    """See `crop`."""

    low: float
    high: float
    spread: float
    relative = True

    def __str__(self) -> str:
        return f"crop {self.low:g} to {self.high:g} ± {self.spread:g}"

    def draw(self, generator: torch.Generator) -> Tensor:
        """See `Map.draw`. The side is 2 in its unit."""
        side = _uniform(self.low, self.high, generator)
        middle = (2 * self.spread * torch.randn(2, generator=generator)).clamp(side - 1, 1 - side)
        matrix = torch.diag(torch.tensor([1 / side, 1 / side, 1.0]))
        matrix[:2, 2] = -middle / side
        return matrix


def compose(maps: Sequence[Map], generator: torch.Generator, size: int = 224) -> Tensor:
    """Draw all maps of a picture of that size and compose them, the first one innermost: (3, 3)."""
    unit = torch.diag(torch.tensor([size / 2, size / 2, 1.0]))

    def pixels(each: Map) -> Tensor:
        matrix = each.draw(generator)
        return unit @ matrix @ torch.linalg.inv(unit) if each.relative else matrix

    return reduce(lambda so_far, each: pixels(each) @ so_far, maps, torch.eye(3))


def view(images: Tensor, matrix: Tensor, size: int) -> Tensor:
    """Sample a batch through one map.

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
    grid = _sources(torch.linalg.inv(matrix), own, size, images).expand(len(images), -1, -1, -1)
    return BORDER + grid_sample(images - BORDER, grid, padding_mode="zeros", align_corners=False)


def _sources(backwards: Tensor, own: int, size: int, like: Tensor) -> Tensor:
    """Where each point of a view comes from, in units of half a side: (1, size, size, 2)."""
    shape = [1, 1, size, size]
    if torch.equal(backwards[2], torch.tensor([0.0, 0.0, 1.0])):
        theta = torch.cat([backwards[:2, :2] * (size / own), backwards[:2, 2:] * (2 / own)], dim=1)
        return affine_grid(theta.to(like)[None], shape, align_corners=False)
    points = affine_grid(torch.eye(2, 3).to(like)[None], shape, align_corners=False) * (size / 2)
    points = torch.cat([points, torch.ones_like(points[..., :1])], dim=-1) @ backwards.T.to(like)
    return points[..., :2] / points[..., 2:] * (2 / own)


def _uniform(low: float, high: float, generator: torch.Generator) -> float:
    return low + (high - low) * torch.rand((), generator=generator).item()
