"""Random changes of a view's values: colour and noise. They act after all maps, in the order given.

What they give may lie a little outside [0, 1], so that no gradient is lost at black and white.
"""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from clipbench.errors import ClipbenchError
from clipbench.optvis.transforms.maps import BORDER, Transform


class Look(Transform):
    """A random change of values."""

    @abstractmethod
    def draw(self, generator: torch.Generator) -> Callable[[Tensor], Tensor]:
        """A function of (n, 3, h, w) that treats all images alike."""


def colour(spread: float = 0.1) -> "Colour":
    """Scale each colour channel about grey by 1 - spread to 1 + spread, then shift it by up to spread / 2."""
    if not 0 <= spread < 1:
        raise ClipbenchError(f"colours cannot vary by {spread}; give from 0 to below 1, as in 0.1")
    return Colour(spread)


def noise(deviation: float) -> "Noise":
    """Add Gaussian noise of that standard deviation, where a picture goes from 0 to 1."""
    if not deviation >= 0:
        raise ClipbenchError(f"noise cannot have a deviation of {deviation}; give 0 or more, as in 0.05")
    return Noise(deviation)


@dataclass(frozen=True)
class Colour(Look):
    """See `colour`."""

    spread: float

    def __str__(self) -> str:
        return f"colour ± {self.spread:g}"

    def draw(self, generator: torch.Generator) -> Callable[[Tensor], Tensor]:
        """See `Look.draw`."""
        gain, shift = (2 * torch.rand(2, 3, 1, 1, generator=generator) - 1) * self.spread
        return lambda images: BORDER + (images - BORDER) * (1 + gain.to(images)) + shift.to(images) / 2


@dataclass(frozen=True)
class Noise(Look):
    """See `noise`."""

    deviation: float

    def __str__(self) -> str:
        return f"noise {self.deviation:g}"

    def draw(self, generator: torch.Generator) -> Callable[[Tensor], Tensor]:
        """See `Look.draw`. The size of the view is not known yet, hence a seed instead of numbers."""
        seed = torch.randint(2**31, (), generator=generator).item()

        def change(images: Tensor) -> Tensor:
            numbers = torch.randn(images.shape[1:], generator=torch.Generator().manual_seed(seed))
            return images + self.deviation * numbers.to(images)

        return change
