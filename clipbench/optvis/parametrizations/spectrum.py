"""The average spectrum of photos: measured, shipped, and sampled at any size."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import grid_sample

from clipbench.errors import ClipbenchError
from clipbench.optvis.original import Original
from clipbench.optvis.parametrizations.base import unmix

# Made by scripts/make_spectrum.py of 800 photos, one each of 800 ImageNet classes; it holds none of them.
SPECTRUM = Path(__file__).with_name("spectrum.npz")


def mean_spectrum(photos: Iterable[Image.Image], size: int) -> Tensor:
    """Mean magnitude of the Fourier coefficients of photos, in decorrelated colours.

    Args:
        photos: PIL images of any size; their middle square, resized, counts.
        size: height and width at which they are measured, even.

    Returns:
        (3, size, size // 2 + 1) as of `rfft2` with norm "ortho". The mean of a photo is no wave; in its
        place stands the mean of the four waves next to it.

    Raises:
        ClipbenchError: no photos.
    """
    total, count = torch.zeros(3, size, size // 2 + 1), 0
    for photo in photos:
        total += torch.fft.rfft2(unmix(Original(photo).pixels(size))[0], norm="ortho").abs()
        count += 1
    if not count:
        raise ClipbenchError("there are no photos to measure; give at least one")
    total[:, 0, 0] = (total[:, 1, 0] + total[:, -1, 0] + 2 * total[:, 0, 1]) / 4
    return total / count


@cache
def photo_spectrum() -> Tensor:
    """The shipped spectrum of photos, as `mean_spectrum` gives it."""
    with np.load(SPECTRUM) as file:
        return torch.from_numpy(file["magnitude"].astype(np.float32))


def resampled(spectrum: Tensor, size: int) -> Tensor:
    """A spectrum at the frequencies of another size, in cycles a pixel, bilinearly.

    Args:
        spectrum: (3, s, s // 2 + 1) with an even s.
        size: of the picture.

    Returns:
        (3, size, size // 2 + 1).
    """
    ordered = torch.fft.fftshift(spectrum, dim=1)  # rows from -0.5 to just below 0.5
    ordered = torch.cat([ordered, ordered[:, :1]], dim=1)  # and 0.5, which is -0.5
    rows, columns = torch.fft.fftfreq(size) * 2, torch.fft.rfftfreq(size) * 4 - 1
    grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)
    return grid_sample(ordered[None], grid[None], align_corners=True)[0]
