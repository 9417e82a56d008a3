"""Filters that take away high frequencies, all of them or those that are no edges."""

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

_REACH = 2  # pixels to each side: a 5 × 5 window
_SPACE = 1.5  # standard deviation in pixels
_COLOUR = 0.1  # standard deviation in units of a channel from black to white


def blur3(images: Tensor) -> Tensor:
    """3 × 3 blur with weight 1 in the middle and 0.5 around it, normalised; edges are repeated.

    Args:
        images: (n, 3, h, w).

    Returns:
        The same shape.
    """
    kernel = torch.full((3, 3), 0.5, device=images.device, dtype=images.dtype)
    kernel[1, 1] = 1.0
    kernel = (kernel / kernel.sum()).expand(images.shape[1], 1, 3, 3)
    return conv2d(pad(images, (1, 1, 1, 1), mode="replicate"), kernel, groups=images.shape[1])


def bilateral5(images: Tensor) -> Tensor:
    """Mean over a 5 × 5 window, weighted by nearness in space and likeness in colour; edges are repeated.

    Args:
        images: (n, 3, h, w) in [0, 1].

    Returns:
        The same shape.
    Source: Tomasi & Manduchi 1998.
    """
    height, width = images.shape[-2:]
    padded = pad(images, (_REACH,) * 4, mode="replicate")
    total, weights = torch.zeros_like(images), torch.zeros_like(images[:, :1])
    for down in range(-_REACH, _REACH + 1):
        for right in range(-_REACH, _REACH + 1):
            top, left = _REACH + down, _REACH + right
            neighbour = padded[..., top : top + height, left : left + width]
            unlike = (neighbour - images).square().sum(dim=1, keepdim=True) / _COLOUR**2
            weight = torch.exp(-0.5 * (unlike + (down**2 + right**2) / _SPACE**2))
            total, weights = total + weight * neighbour, weights + weight
    return total / weights
