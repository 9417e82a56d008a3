"""Penalties on the picture itself, against what natural photos do not have: frequency penalties.

Each is a frozen value with a weight, prints itself into the provenance, and gives (n,) to be subtracted
from the objective. Lucid sums over all pixels, so that a weight means something else at every size; here
the sum is scaled to Lucid's 64 × 64 px, where both agree. Of transparent pictures they judge the colours,
`alpha` the opacity.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor

from clipbench.errors import ClipbenchError
from clipbench.optvis.filters import bilateral5, blur3

_REFERENCE_PIXELS = 64 * 64
_GREY = 0.5


@dataclass(frozen=True)
class Regularizer(ABC):
    """A weighted penalty."""

    weight: float

    def __post_init__(self):
        if self.weight < 0:
            raise ClipbenchError(
                f"{type(self).__name__.lower()} has the weight {self.weight}; a penalty is subtracted, "
                "so give 0 or more"
            )

    def __str__(self) -> str:
        return f"{type(self).__name__.lower()} {self.weight:g}"

    def __call__(self, images: Tensor) -> Tensor:
        """Weighted penalty of (n, 3 or 4, h, w) in [0, 1], as (n,)."""
        return self.weight * self.penalty(images[:, :3])

    @abstractmethod
    def penalty(self, images: Tensor) -> Tensor:
        """Penalty of (n, 3, h, w) in [0, 1] at weight 1, as (n,)."""


class Tv(Regularizer):
    """Total variation: sum of absolute differences between neighbours (Mahendran & Vedaldi 2015)."""

    def penalty(self, images: Tensor) -> Tensor:
        """See `Regularizer.penalty`."""
        down = images.diff(dim=2).abs().sum(dim=(1, 2, 3))
        right = images.diff(dim=3).abs().sum(dim=(1, 2, 3))
        return (down + right) * _per_reference(images)


class L1(Regularizer):
    """Sum of absolute distances from grey (Lucid's `L1` with constant 0.5)."""

    def penalty(self, images: Tensor) -> Tensor:
        """See `Regularizer.penalty`."""
        return (images - _GREY).abs().sum(dim=(1, 2, 3)) * _per_reference(images)


class L2(Regularizer):
    """Euclidean distance from grey (Lucid's `L2` with constant 0.5)."""

    def penalty(self, images: Tensor) -> Tensor:
        """See `Regularizer.penalty`. The small number keeps the gradient finite at grey (Lucid)."""
        squares = (images - _GREY).square().sum(dim=(1, 2, 3)) * _per_reference(images)
        return (1e-6 + squares).sqrt()


class L2Mean(Regularizer):
    """Mean square of the distance from grey (Goh et al. 2021, `l2` of their facets, at weight 10)."""

    def penalty(self, images: Tensor) -> Tensor:
        """See `Regularizer.penalty`."""
        return (images - _GREY).square().mean(dim=(1, 2, 3))


class Blur(Regularizer):
    """Half the squared distance to the picture's own blur, held fixed (Lucid's `blur_input_each_step`)."""

    def penalty(self, images: Tensor) -> Tensor:
        """See `Regularizer.penalty`."""
        distance = (images - blur3(images).detach()).square().sum(dim=(1, 2, 3))
        return 0.5 * distance * _per_reference(images)


class Bilateral(Regularizer):
    """Half the squared distance to the picture's own bilateral filter, held fixed: edges are free."""

    def penalty(self, images: Tensor) -> Tensor:
        """See `Regularizer.penalty`."""
        distance = (images - bilateral5(images.detach())).square().sum(dim=(1, 2, 3))
        return 0.5 * distance * _per_reference(images)


class Alpha(Regularizer):
    """Root mean square of the opacity (Goh et al. 2021, `mean_alpha` of their facets)."""

    def __call__(self, images: Tensor) -> Tensor:
        """See `Regularizer.__call__`."""
        if images.shape[1] != 4:
            raise ClipbenchError(
                "only transparent pictures have an opacity; use parametrizations.transparent"
            )
        return self.weight * self.penalty(images[:, 3:])

    def penalty(self, images: Tensor) -> Tensor:
        """Of (n, 1, h, w), opacity in [0, 1]."""
        return images.square().mean(dim=(1, 2, 3)).sqrt()


def tv(weight: float) -> Tv:
    """Total variation; 0.25 is strong (Lucid's demonstration)."""
    return Tv(weight)


def l1(weight: float) -> L1:
    """Absolute distance from grey; 0.05 is strong (Lucid's demonstration)."""
    return L1(weight)


def l2(weight: float) -> L2:
    """Euclidean distance from grey."""
    return L2(weight)


def blur(weight: float) -> Blur:
    """Distance to the picture's own blur: a penalty on high frequencies; 1 is strong (Lucid)."""
    return Blur(weight)


def l2mean(weight: float) -> L2Mean:
    """Mean square of the distance from grey; 10 is what the article's facets used."""
    return L2Mean(weight)


def bilateral(weight: float) -> Bilateral:
    """Distance to the picture's own bilateral filter: a penalty on noise, but not on edges."""
    return Bilateral(weight)


def alpha(weight: float) -> Alpha:
    """Opacity of a transparent picture; 1 is what the article's facets used."""
    return Alpha(weight)


def _per_reference(images: Tensor) -> float:
    return _REFERENCE_PIXELS / (images.shape[-2] * images.shape[-1])
