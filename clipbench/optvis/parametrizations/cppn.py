"""Pictures as a small network from a place to its colour: smooth at every magnification."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from clipbench.optvis.parametrizations.base import Canvas, Parametrization, check_batch, check_size

_LAYERS, _WIDTH = 8, 24
_REACH = math.sqrt(3)  # coordinates go from minus this to this: their variance is 1


def cppn(size: int = 224, batch: int = 1) -> "Cppn":
    """A compositional pattern-producing network for each picture, from (x, y) to red, green and blue.

    8 layers of 24 channels, each followed by (a / 0.67, a² / 0.6) with a = atan, which keeps their
    variance near 1. The last layer starts at zero: a grey picture. It learns at a tenth of the others' rate.

    Args and errors as for `fft`.
    Source: Mordvintsev et al. 2018, "Compositional pattern producing networks"; Lucid's `cppn`.
    """
    return Cppn(check_size(size), check_batch(batch))


@dataclass(frozen=True)
class Cppn(Parametrization):
    """See `cppn`."""

    size: int
    batch: int
    lr = 0.005

    def __str__(self) -> str:
        return f"cppn({self.size} px)"

    def start(self, device: torch.device, generator: torch.Generator) -> Canvas:
        """See `Parametrization.start`."""
        inputs = [2] + [2 * _WIDTH] * (_LAYERS - 1)
        weights = [
            torch.randn(self.batch, _WIDTH, number, generator=generator) / math.sqrt(number)
            for number in inputs
        ]
        return CppnCanvas([*weights, torch.zeros(self.batch, 3, 2 * _WIDTH)], self.size).to(device)


class CppnCanvas(Canvas):
    """One network a picture: weights (n, out, in) and biases (n, out, 1), applied to every place alike."""

    def __init__(self, weights: list[Tensor], size: int):
        super().__init__()
        self.weights = nn.ParameterList(weights)
        self.biases = nn.ParameterList(torch.zeros(*weight.shape[:2], 1) for weight in weights)
        self.size = size
        line = torch.linspace(-_REACH, _REACH, size)
        places = torch.stack(torch.meshgrid(line, line, indexing="xy"))  # x, then y
        self.register_buffer("places", places.flatten(1))

    def forward(self) -> Tensor:
        """See `Canvas.forward`."""
        net = self.places.expand(len(self.weights[0]), -1, -1)
        *hidden, last = zip(self.weights, self.biases, strict=True)
        for weight, bias in hidden:
            angle = torch.baddbmm(bias, weight, net).atan()
            net = torch.cat([angle / 0.67, angle.square() / 0.6], dim=1)
        return torch.baddbmm(last[1], last[0], net).sigmoid().unflatten(2, (self.size, self.size))
