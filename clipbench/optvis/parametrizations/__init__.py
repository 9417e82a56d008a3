"""How a picture is written as numbers to optimise.

A parametrization is a recipe: a frozen value that prints itself and that starts a fresh `Canvas` from a
seed. Random numbers are drawn on the CPU, so that a seed means the same start on every device.
"""

from clipbench.optvis.parametrizations.base import COLOUR, Canvas, Parametrization
from clipbench.optvis.parametrizations.cppn import cppn
from clipbench.optvis.parametrizations.fourier import FftCanvas, fft, frequency_grid
from clipbench.optvis.parametrizations.layered import shared, transparent
from clipbench.optvis.parametrizations.maco import maco
from clipbench.optvis.parametrizations.pixels import laplacian, lowres, pixel

__all__ = [
    "COLOUR",
    "Canvas",
    "FftCanvas",
    "Parametrization",
    "cppn",
    "fft",
    "frequency_grid",
    "laplacian",
    "lowres",
    "maco",
    "pixel",
    "shared",
    "transparent",
]
