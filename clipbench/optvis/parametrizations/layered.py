"""Pictures made of other pictures: a batch with a common ground, and transparent ones."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from clipbench.errors import ClipbenchError
from clipbench.optvis.parametrizations.base import START, Canvas, LogitCanvas, Parametrization, mix
from clipbench.optvis.parametrizations.fourier import FftCanvas, wave_scale, waves
from clipbench.optvis.parametrizations.pixels import noise_grids, sum_of_grids

_COMMON = (2, 4, 8, 16)  # how much coarser than the picture the common grids are
_BACKGROUND = 0.5  # standard deviation of a background's coefficients (Lucid's `collapse_alpha_random`)


def shared(base: Parametrization) -> "Shared":
    """A batch whose pictures share coarse grids, so that like things come to lie at like places.

    Args:
        base: how what is particular to each picture is written, such as `fft(224, batch=5)`.
    Source: Mordvintsev et al. 2018, "Aligned feature visualization interpolation".
    """
    return Shared(base)


def transparent(base: Parametrization) -> "Transparent":
    """Pictures with an alpha channel, which show only what matters to the objective.

    The model sees them on new random ground in each step, so that what does not matter is better left
    away. Use them with `regularizers.alpha`. `Step.images` has four channels.

    Args:
        base: how the colours are written, such as `fft(224)`.
    Source: Mordvintsev et al. 2018, "Semi-transparent patterns"; Lucid's `collapse_alpha_random`.
    """
    return Transparent(base)


@dataclass(frozen=True)
class _Layered(Parametrization):
    """A parametrization that adds something to another, and learns as that does."""

    base: Parametrization

    def __str__(self) -> str:
        return f"{type(self).__name__.lower()} {self.base}"

    @property
    def size(self) -> int:
        """Of the base."""
        return self.base.size

    @property
    def batch(self) -> int:
        """Of the base."""
        return self.base.batch

    def _start_base(self, device: torch.device, generator: torch.Generator) -> LogitCanvas:
        canvas = self.base.start(device, generator)
        if not isinstance(canvas, LogitCanvas):
            raise ClipbenchError(f"{self.base} cannot be one layer of another; use fft, pixel or laplacian")
        return canvas


class Shared(_Layered):
    """See `shared`."""

    def start(self, device: torch.device, generator: torch.Generator) -> Canvas:
        """See `Parametrization.start`."""
        canvas = self._start_base(device, generator)
        divisors = [divisor for divisor in _COMMON if divisor <= self.size]
        common = noise_grids(1, self.size, divisors, 0.0, generator)
        return SharedCanvas(canvas, common, self.size).to(device)


class SharedCanvas(LogitCanvas):
    """The logits of a canvas plus common grids in decorrelated colours, (1, 3, rows, columns) each."""

    def __init__(self, own: LogitCanvas, common: list[Tensor], size: int):
        super().__init__()
        self.own = own
        self.common = nn.ParameterList(common)
        self.size = size

    def logits(self) -> Tensor:
        """See `LogitCanvas.logits`."""
        return self.own.logits() + mix(sum_of_grids(self.common, self.size))

    def add(self, logits: Tensor) -> None:
        """See `LogitCanvas.add`."""
        self.own.add(logits)


class Transparent(_Layered):
    """See `transparent`."""

    def start(self, device: torch.device, generator: torch.Generator) -> Canvas:
        """See `Parametrization.start`."""
        canvas = self._start_base(device, generator)
        scale = wave_scale(self.size)
        alpha = START * torch.randn(self.batch, 1, *scale.shape, 2, generator=generator)
        return TransparentCanvas(canvas, alpha, scale, self.size).to(device)


class TransparentCanvas(Canvas):
    """A canvas of colours, and Fourier coefficients of the opacity: (n, 1, size, size // 2 + 1, 2)."""

    def __init__(self, colours: LogitCanvas, alpha: Tensor, scale: Tensor, size: int):
        super().__init__()
        self.colours = colours
        self.alpha = nn.Parameter(alpha)
        self.size = size
        self.register_buffer("scale", scale)

    def forward(self) -> Tensor:
        """See `Canvas.forward`: (n, 4, size, size), opacity last."""
        return torch.cat([self.colours(), waves(self.alpha, self.scale, self.size).sigmoid()], dim=1)

    def opaque(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """See `Canvas.opaque`: on a random picture with the spectrum and colours of `fft`."""
        noise = torch.randn(len(images), 3, *self.scale.shape, 2, generator=generator)
        ground = FftCanvas(_BACKGROUND * noise.to(images), self.scale, self.size)().detach()
        return torch.lerp(ground, images[:, :3], images[:, 3:])

    def move(self, before: Tensor, after: Tensor) -> None:
        """See `Canvas.move`. Only the colours move."""
        self.colours.move(before[:, :3], after[:, :3])
