"""A learned prior: an operator r that moves a picture towards natural ones, x ← r(x) + ε ∂a/∂x.

`visualize(…, prior=r)` takes any function or torch module from (n, 3, h, w) in [0, 1] to the same shape, such
as the shipped denoiser. In each step the picture becomes r(x), and takes the step that was computed at x.
Source: Nguyen et al. 2017, "Plug & play generative networks".
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from clipbench.errors import ClipbenchError
from clipbench.optvis.denoiser import Shipped

Prior = Callable[[Tensor], Tensor]


def towards(restore: Prior, strength: float) -> "Towards":
    """Go a part of the way to what an operator makes of a picture.

    Args:
        restore: from (n, 3, h, w) in [0, 1] to the same shape.
        strength: 0 leaves the picture as it is, to the bit; 1 is `restore` itself.

    Raises:
        ClipbenchError: a strength outside [0, 1].
    """
    if not 0 <= strength <= 1:
        raise ClipbenchError(f"a prior cannot have the strength {strength}; give from 0 to 1, as in 0.1")
    return Towards(restore, float(strength))


def denoiser(strength: float) -> "Towards":
    """Go a part of the way to what the shipped denoiser makes of a picture; 0.1 a step is much.

    Args and errors as for `towards`.
    Source: `clipbench.optvis.denoiser`.
    """
    return towards(Shipped(), strength)


@dataclass(frozen=True)
class Towards:
    """See `towards`."""

    restore: Prior
    strength: float

    def __str__(self) -> str:
        return f"{self.strength:g} of the way to {name_of(self.restore)}"

    def __call__(self, images: Tensor) -> Tensor:
        """(n, 3, h, w) to the same shape."""
        return images if self.strength == 0 else images.lerp(self.restore(images), self.strength)


def name_of(prior: Prior) -> str:
    """What a prior is called in a recipe: its own words, or the name of its function or class."""
    if isinstance(prior, Towards):
        return str(prior)
    return getattr(prior, "__name__", type(prior).__name__)


@torch.no_grad()
def apply(prior: Prior, images: Tensor) -> Tensor:
    """What a prior makes of pictures, (n, 3, h, w), kept within [0, 1].

    Raises:
        ClipbenchError: another shape came back, or numbers that are not finite.
    """
    restored = prior(images)
    if restored.shape != images.shape:
        raise ClipbenchError(
            f"the prior {name_of(prior)} makes {tuple(restored.shape)} of {tuple(images.shape)}; "
            "it must keep the shape"
        )
    if not restored.isfinite().all():
        raise ClipbenchError(f"the prior {name_of(prior)} gives numbers that are not finite; mend it")
    return restored.clamp(0, 1)
