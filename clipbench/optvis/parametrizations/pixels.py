"""Pictures as pixels: one grid of them, a coarse one, or a pyramid of both."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from clipbench.errors import ClipbenchError
from clipbench.optvis.original import Original
from clipbench.optvis.parametrizations.base import (
    FromNoise,
    LogitCanvas,
    Photos,
    check_batch,
    check_size,
    mix,
    originals,
    unmix,
)

_PYRAMID = (1, 2, 4, 8)  # Lucid's four levels


def pixel(size: int = 224, batch: int = 1, photo: Photos = None) -> "Pixel":
    """One number a pixel and colour channel: no preference for any scale, so mostly high frequencies.

    Args and errors as for `fft`.
    Source: Lucid's `pixel_image`, without colour decorrelation.
    """
    return Pixel(check_size(size), check_batch(batch), originals(photo, batch))


def laplacian(size: int = 224, batch: int = 1, photo: Photos = None) -> "Grids":
    """A sum of grids of 1, 1/2, 1/4 and 1/8 of the size, in decorrelated colours.

    Args and errors as for `fft`; the size must be at least 8.
    Source: Lucid's `laplacian_pyramid`.
    """
    divisors = _check_divisors(_PYRAMID, size)
    return Grids("laplacian", check_size(size), check_batch(batch), divisors, originals(photo, batch))


def lowres(size: int = 224, batch: int = 1, factor: int = 8) -> "Grids":
    """A coarse grid, enlarged to the size, in decorrelated colours: no high frequencies at all.

    Args:
        size, batch: as for `fft`.
        factor: how many pixels wide a cell of the grid is.

    Raises:
        ClipbenchError: a size, batch or factor that cannot be.
    Source: Lucid's `lowres_tensor`.
    """
    return Grids("lowres", check_size(size), check_batch(batch), _check_divisors((factor,), size))


@dataclass(frozen=True)
class Pixel(FromNoise):
    """See `pixel`."""

    size: int
    batch: int
    photos: tuple[Original, ...] = ()

    def __str__(self) -> str:
        return f"pixel({self.size} px{self.origin})"

    def blank(self, deviation: float, generator: torch.Generator) -> LogitCanvas:
        """See `FromNoise.blank`."""
        return PixelCanvas(deviation * torch.randn(self.batch, 3, self.size, self.size, generator=generator))


class PixelCanvas(LogitCanvas):
    """Pictures as logits of their pixel values: (n, 3, size, size)."""

    def __init__(self, numbers: Tensor):
        super().__init__()
        self.numbers = nn.Parameter(numbers)

    def logits(self) -> Tensor:
        """See `LogitCanvas.logits`."""
        return self.numbers

    def add(self, logits: Tensor) -> None:
        """See `LogitCanvas.add`."""
        self.numbers += logits


@dataclass(frozen=True)
class Grids(FromNoise):
    """See `laplacian` and `lowres`."""

    name: str
    size: int
    batch: int
    divisors: tuple[int, ...]
    photos: tuple[Original, ...] = ()

    def __str__(self) -> str:
        divisors = "+".join(map(str, self.divisors))
        return f"{self.name}({self.size} px / {divisors}{self.origin})"

    def blank(self, deviation: float, generator: torch.Generator) -> LogitCanvas:
        """See `FromNoise.blank`."""
        grids = noise_grids(self.batch, self.size, self.divisors, deviation, generator)
        return GridsCanvas(grids, self.size)


class GridsCanvas(LogitCanvas):
    """Pictures as a sum of grids in decorrelated colours: (n, 3, rows, columns) each, the finest first."""

    def __init__(self, grids: Sequence[Tensor], size: int):
        super().__init__()
        self.grids = nn.ParameterList(grids)
        self.size = size

    def logits(self) -> Tensor:
        """See `LogitCanvas.logits`."""
        return mix(sum_of_grids(self.grids, self.size))

    def add(self, logits: Tensor) -> None:
        """See `LogitCanvas.add`. The finest grid takes it all."""
        if self.grids[0].shape[-1] != self.size:
            raise ClipbenchError("a coarse grid cannot write any given picture; use fft, pixel or laplacian")
        self.grids[0] += unmix(logits)


def noise_grids(
    batch: int, size: int, divisors: Sequence[int], deviation: float, generator: torch.Generator
) -> list[Tensor]:
    """Grids full of noise, (batch, 3, size // divisor, size // divisor) each."""
    sides = [size // divisor for divisor in divisors]
    return [deviation * torch.randn(batch, 3, side, side, generator=generator) for side in sides]


def sum_of_grids(grids: Sequence[Tensor], size: int) -> Tensor:
    """The sum of grids, each enlarged to the size, bilinearly."""
    return sum(interpolate(grid, (size, size), mode="bilinear") for grid in grids)


def _check_divisors(divisors: tuple[int, ...], size: int) -> tuple[int, ...]:
    if not all(isinstance(divisor, int) and 1 <= divisor <= size for divisor in divisors):
        raise ClipbenchError(
            f"a picture of {size} px has no cells of {divisors[-1]} px; give a whole number from 1 to {size}"
        )
    return divisors
