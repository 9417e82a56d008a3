"""A small network that takes noise out of pictures, and so knows what natural ones look like.

A denoiser trained on squared error gives the mean of the pictures that could lie behind a noisy one; what it
changes points towards more probable pictures. Applied in each step of an ascent it is a learned prior.
Source: Nguyen et al. 2017, "Plug & play generative networks"; Kadkhodaie & Simoncelli 2021, "Stochastic
solutions for linear inverse problems using the prior implicit in a denoiser".
"""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import interpolate, relu

from clipbench.errors import ClipbenchError
from clipbench.models.weights import state_hash

WEIGHTS = Path(__file__).with_name("denoiser.safetensors")  # written by scripts/train_denoiser.py
WIDTHS = (8, 24, 48, 64)  # channels at the full size, a half, a quarter and an eighth of it


class Denoiser(nn.Module):
    """A U-Net that predicts the noise and takes it away.

    It is not told how strong the noise is, and has no biases, so that it scales with its input and works at
    strengths that it was not trained on (Mohan et al. 2020).

    Args:
        widths: channels at each size, every one half of the size before.
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS):
        super().__init__()
        steps = list(zip(widths, widths[1:], strict=False))
        self.enter = _conv(3, widths[0])
        self.down = nn.ModuleList(_conv(fine, coarse, stride=2) for fine, coarse in steps)
        self.blocks = nn.ModuleList(Block(width) for width in widths[1:])
        self.up = nn.ModuleList(nn.Conv2d(coarse, fine, 1, bias=False) for fine, coarse in steps)
        self.merge = nn.ModuleList(_conv(fine, fine) for fine, _ in steps)
        self.leave = _conv(widths[0], 3)

    def forward(self, images: Tensor) -> Tensor:
        """Pictures without their noise: (n, 3, h, w) about [0, 1] to the same shape."""
        maps = [relu(self.enter(images - 0.5))]
        for down, block in zip(self.down, self.blocks, strict=True):
            maps.append(block(relu(down(maps[-1]))))
        now = maps.pop()
        for up, merge in reversed(list(zip(self.up, self.merge, strict=True))):
            fine = maps.pop()
            larger = interpolate(up(now), fine.shape[-2:], mode="bilinear")
            now = relu(merge(larger + fine))
        return images - self.leave(now)


class Block(nn.Module):
    """Two convolutions that change a map a little."""

    def __init__(self, width: int):
        super().__init__()
        self.first, self.second = _conv(width, width), _conv(width, width)

    def forward(self, maps: Tensor) -> Tensor:
        """(n, width, h, w) to the same shape."""
        return relu(maps + self.second(relu(self.first(maps))))


@cache
def _digest() -> str:
    return state_hash(load_file(WEIGHTS))


@dataclass(frozen=True)
class Shipped:
    """The trained denoiser that comes with clipbench, as a prior; it follows its pictures to their device.

    Args:
        digest: hash of its weights; a recipe that names other weights is refused.

    Raises:
        ClipbenchError: the shipped weights are others.
    """

    digest: str = field(default_factory=_digest)

    def __post_init__(self):
        if self.digest != _digest():
            raise ClipbenchError(
                f"the denoiser {self.digest} is not the one of this clipbench, which is {_digest()}; "
                "take the version that the picture was painted with"
            )

    @property
    def __name__(self) -> str:
        return f"denoiser {self.digest[:8]}"

    def __call__(self, images: Tensor) -> Tensor:
        """(n, 3, h, w) in [0, 1] to the same shape."""
        return _on(images.device, images.dtype)(images)


@cache
def _on(device: torch.device, dtype: torch.dtype) -> Denoiser:
    network = Denoiser()
    network.load_state_dict(load_file(WEIGHTS))
    return network.eval().requires_grad_(False).to(device, dtype, memory_format=torch.channels_last)


def _conv(into: int, out: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(into, out, 3, stride, padding=1, bias=False)
