"""Pictures whose spectrum is that of photos: only the phases of their waves are free."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from clipbench.optvis.parametrizations.base import Canvas, Parametrization, check_batch, check_size, mix
from clipbench.optvis.parametrizations.spectrum import photo_spectrum, resampled

_TINY = 1e-4  # keeps the division by a deviation finite (Fel et al.)


def maco(size: int = 224, batch: int = 1) -> "Maco":
    """Magnitudes of photos, held fixed, in decorrelated colours; their phases are optimised.

    Meant to be seen through `transforms.maco()`. It learns with NAdam at a rate of 1.

    Args and errors as for `fft`.
    Source: Fel et al. 2023, "Unlocking feature visualization for deeper networks with magnitude
        constrained optimization", with Lucid's colours. There the mean of a picture follows its phases;
        here each decorrelated colour has mean 0 and the whole has deviation 1, before the sigmoid.
    """
    return Maco(check_size(size), check_batch(batch))


@dataclass(frozen=True)
class Maco(Parametrization):
    """See `maco`."""

    size: int
    batch: int
    optimizer = torch.optim.NAdam
    lr = 1.0

    def __str__(self) -> str:
        return f"maco({self.size} px)"

    def start(self, device: torch.device, generator: torch.Generator) -> Canvas:
        """See `Parametrization.start`."""
        magnitude = _standardised(resampled(photo_spectrum(), self.size), self.size)
        phase = torch.randn(self.batch, *magnitude.shape, generator=generator)
        return MacoCanvas(phase, magnitude, self.size).to(device)


class MacoCanvas(Canvas):
    """Phases (n, 3, size, size // 2 + 1) of waves whose magnitudes (3, size, size // 2 + 1) never change."""

    def __init__(self, phase: Tensor, magnitude: Tensor, size: int):
        super().__init__()
        self.phase = nn.Parameter(phase)
        self.size = size
        self.register_buffer("magnitude", magnitude)

    def waves(self) -> Tensor:
        """The sum of waves in decorrelated colours, (n, 3, size, size); its spectrum is the magnitude."""
        dims = (1, 2, 3)
        centred = self.phase - self.phase.mean(dim=dims, keepdim=True)
        phase = _balance(centred / (centred.std(dim=dims, keepdim=True) + _TINY), self.size, sign=-1)
        spectrum = torch.polar(self.magnitude.expand_as(phase), phase)
        return torch.fft.irfft2(spectrum, s=(self.size, self.size), norm="ortho")

    def forward(self) -> Tensor:
        """See `Canvas.forward`."""
        return mix(self.waves()).sigmoid()


def _balance(values: Tensor, size: int, sign: int) -> Tensor:
    """Make row r equal sign times row -r where `rfft2` holds a wave twice, by the mean of both.

    That is in the first column, and in the last of an even size. A real picture has equal magnitudes there
    and opposite phases; without them the inverse transform would average two waves and change magnitudes.

    Args:
        values: (…, size, size // 2 + 1).
        size: of the picture.
        sign: 1 for magnitudes, -1 for phases.
    """
    last = [values[..., -1:]] if size % 2 == 0 else []
    middle = values[..., 1 : values.shape[-1] - len(last)]
    edges = [(edge + sign * edge.flip(-2).roll(1, -2)) / 2 for edge in [values[..., :1], *last]]
    return torch.cat([edges[0], middle, *edges[1:]], dim=-1)


def _standardised(magnitude: Tensor, size: int) -> Tensor:
    """Scale magnitudes to waves of mean 0 in each colour and deviation 1 in all (by Parseval's theorem)."""
    magnitude = _balance(magnitude, size, sign=1)
    magnitude[:, 0, 0] = 0
    twice = torch.full((magnitude.shape[-1],), 2.0)
    twice[0] = 1
    if size % 2 == 0:
        twice[-1] = 1
    variance = (magnitude.square() * twice).sum() / (3 * size**2)
    return magnitude / variance.sqrt()
