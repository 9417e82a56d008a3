"""Pictures as Fourier coefficients."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

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

_DIVISOR = 4  # Lucid divides the sum of waves by 4 before the colours


def fft(size: int = 224, batch: int = 1, decay: float = 1.0, photo: Photos = None) -> "Fft":
    """Fourier coefficients scaled by 1 / frequency, in decorrelated colours: all scales learn alike.

    Args:
        size: height and width in pixels.
        batch: number of pictures.
        decay: power of the frequency that scales its coefficient; more favours large forms.
        photo: what to start from, its middle square; one for all pictures, or a list with one each. None is
            faint noise.

    Raises:
        ClipbenchError: a size or batch that is no positive whole number; a photo that is no PIL image, or a
            number of photos that does not fit the batch.
    Source: Olah et al. 2017, "Preconditioning and parameterization"; Lucid's `fft_image`.
    """
    return Fft(check_size(size), check_batch(batch), decay, originals(photo, batch))


@dataclass(frozen=True)
class Fft(FromNoise):
    """See `fft`."""

    size: int
    batch: int
    decay: float
    photos: tuple[Original, ...] = ()

    def __str__(self) -> str:
        return f"fft({self.size} px, decay {self.decay:g}{self.origin})"

    def blank(self, deviation: float, generator: torch.Generator) -> LogitCanvas:
        """See `FromNoise.blank`."""
        noise = torch.randn(self.batch, 3, *frequency_grid(self.size).shape, 2, generator=generator)
        return FftCanvas(deviation * noise, wave_scale(self.size, self.decay), self.size)


def frequency_grid(size: int) -> Tensor:
    """Frequency of each coefficient of `rfft2` in cycles a pixel: (size, size // 2 + 1)."""
    rows, columns = torch.fft.fftfreq(size), torch.fft.rfftfreq(size)
    return (rows[:, None] ** 2 + columns[None, :] ** 2).sqrt()


def wave_scale(size: int, decay: float = 1.0) -> Tensor:
    """What each coefficient is multiplied with: (size, size // 2 + 1)."""
    return frequency_grid(size).clamp(min=1 / size) ** -decay


def waves(coefficients: Tensor, scale: Tensor, size: int) -> Tensor:
    """The sum of scaled waves: (n, c, size, size // 2 + 1, 2) -> (n, c, size, size)."""
    spectrum = torch.view_as_complex(coefficients * scale[..., None])
    return torch.fft.irfft2(spectrum, s=(size, size), norm="ortho") / _DIVISOR


class FftCanvas(LogitCanvas):
    """Pictures as scaled Fourier coefficients: (n, 3, size, size // 2 + 1, 2) real and imaginary parts."""

    def __init__(self, coefficients: Tensor, scale: Tensor, size: int):
        super().__init__()
        self.coefficients = nn.Parameter(coefficients)
        self.size = size
        self.register_buffer("scale", scale)

    def logits(self) -> Tensor:
        """See `LogitCanvas.logits`."""
        return mix(waves(self.coefficients, self.scale, self.size))

    def add(self, logits: Tensor) -> None:
        """See `LogitCanvas.add`."""
        spectrum = torch.fft.rfft2(unmix(logits) * _DIVISOR, norm="ortho") / self.scale
        self.coefficients += torch.view_as_real(spectrum)
