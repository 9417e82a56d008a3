"""How a picture is written as numbers to optimise.

A parametrization is a recipe: a frozen value that prints itself and that starts a fresh `Canvas` from a
seed. Random numbers are drawn on the CPU, so that a seed means the same start on every device.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from clipbench.errors import ClipbenchError

_START = 0.01  # standard deviation of the starting noise (Lucid)
_LARGEST = 4096

# Square root of the covariance of colours in ImageNet, one row a colour channel (Lucid), scaled so that
# its longest column has length 1.
_COLOUR_ROOT = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
COLOUR = _COLOUR_ROOT / _COLOUR_ROOT.norm(dim=0).max()


class Canvas(nn.Module, ABC):
    """A batch of pictures under way; calling it gives them as (n, 3, h, w) in [0, 1]."""

    @abstractmethod
    def forward(self) -> Tensor:
        """The pictures as they are now."""


class Parametrization(ABC):
    """A way to write pictures."""

    size: int
    batch: int

    @abstractmethod
    def start(self, device: torch.device, generator: torch.Generator) -> Canvas:
        """A canvas full of faint noise, drawn from a CPU generator."""


def fft(size: int = 224, batch: int = 1, decay: float = 1.0) -> "Fft":
    """Fourier coefficients scaled by 1 / frequency, in decorrelated colours: all scales learn alike.

    Args:
        size: height and width in pixels.
        batch: number of pictures.
        decay: power of the frequency that scales its coefficient.

    Raises:
        ClipbenchError: a size or batch that is no positive whole number.
    Source: Olah et al. 2017, "Preconditioning and parameterization"; Lucid's `fft_image`.
    """
    return Fft(_check_size(size), _check_batch(batch), decay)


def pixel(size: int = 224, batch: int = 1) -> "Pixel":
    """One number a pixel and colour channel: no preference for any scale, so mostly high frequencies.

    Args and errors as for `fft`.
    Source: Lucid's `pixel_image`, without colour decorrelation.
    """
    return Pixel(_check_size(size), _check_batch(batch))


@dataclass(frozen=True)
class Fft(Parametrization):
    """See `fft`."""

    size: int
    batch: int
    decay: float

    def __str__(self) -> str:
        return f"fft({self.size} px, decay {self.decay:g})"

    def start(self, device: torch.device, generator: torch.Generator) -> Canvas:
        """See `Parametrization.start`."""
        frequencies = frequency_grid(self.size)
        scale = frequencies.clamp(min=1 / self.size) ** -self.decay
        noise = torch.randn(self.batch, 3, *frequencies.shape, 2, generator=generator)
        return FftCanvas(_START * noise, scale, self.size).to(device)


def frequency_grid(size: int) -> Tensor:
    """Frequency of each coefficient of `rfft2` in cycles a pixel: (size, size // 2 + 1)."""
    rows, columns = torch.fft.fftfreq(size), torch.fft.rfftfreq(size)
    return (rows[:, None] ** 2 + columns[None, :] ** 2).sqrt()


class FftCanvas(Canvas):
    """Pictures as scaled Fourier coefficients: (n, 3, size, size // 2 + 1, 2) real and imaginary parts."""

    def __init__(self, coefficients: Tensor, scale: Tensor, size: int):
        super().__init__()
        self.coefficients = nn.Parameter(coefficients)
        self.size = size
        self.register_buffer("scale", scale[..., None])
        self.register_buffer("colour", COLOUR)

    def forward(self) -> Tensor:
        """See `Canvas.forward`. Lucid divides the sum of waves by 4 before the colours."""
        spectrum = torch.view_as_complex(self.coefficients * self.scale)
        waves = torch.fft.irfft2(spectrum, s=(self.size, self.size), norm="ortho") / 4
        return torch.einsum("nchw,dc->ndhw", waves, self.colour).sigmoid()


@dataclass(frozen=True)
class Pixel(Parametrization):
    """See `pixel`."""

    size: int
    batch: int

    def __str__(self) -> str:
        return f"pixel({self.size} px)"

    def start(self, device: torch.device, generator: torch.Generator) -> Canvas:
        """See `Parametrization.start`."""
        noise = torch.randn(self.batch, 3, self.size, self.size, generator=generator)
        return PixelCanvas(_START * noise).to(device)


class PixelCanvas(Canvas):
    """Pictures as logits of their pixel values: (n, 3, size, size)."""

    def __init__(self, logits: Tensor):
        super().__init__()
        self.logits = nn.Parameter(logits)

    def forward(self) -> Tensor:
        """See `Canvas.forward`."""
        return self.logits.sigmoid()


def _check_size(size: int) -> int:
    if not isinstance(size, int) or not 1 <= size <= _LARGEST:
        raise ClipbenchError(
            f"a picture cannot be {size!r} px wide; give a whole number from 1 to {_LARGEST}"
        )
    return size


def _check_batch(batch: int) -> int:
    if not isinstance(batch, int) or batch < 1:
        raise ClipbenchError(f"a batch cannot have {batch!r} pictures; give a whole number from 1")
    return batch
