"""What more and more of a facet makes of a unit's picture: the strip of the article's appendix, measured."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel, Read
from clipbench.optvis.objectives import Objective
from clipbench.optvis.probes import Facet
from clipbench.results import Provenance

PUBLISHED = tuple(np.linspace(0.1, 5, 9).round(4).tolist())  # the nine strengths of the article's code


@dataclass(frozen=True, eq=False)
class Strip:
    """Pictures of one unit with more and more of a facet.

    Args:
        strengths: n numbers, one a picture.
        images: (n, s, s, 3) uint8.
        unit: (n,) float32, the base objective for each finished picture, shown to the model as it is.
        theme: (n,) float32, what the facet's weights make of it: their sum over the mean activations of its
            layers; larger is more like the theme.
        provenance: of the pictures.
    """

    strengths: tuple[float, ...]
    images: np.ndarray
    unit: np.ndarray
    theme: np.ndarray
    provenance: Provenance


@torch.no_grad()
def measure_strip(
    model: ImageModel,
    base: Objective,
    facet: Facet,
    strengths: Sequence[float],
    images: Tensor,
    provenance: Provenance,
) -> Strip:
    """Ask of finished pictures how much unit and how much theme there is in each.

    The pictures are painted by `visualize` with `objectives.faceted(base, facet, strengths)` and a batch of
    as many pictures.

    Args:
        model: that they were painted with.
        base: what they excite.
        facet: towards which they lean.
        strengths: one a picture.
        images: (n, 3, s, s) in [0, 1].
        provenance: of the pictures.

    Raises:
        ClipbenchError: another number of strengths than of pictures, or a facet of another model.
    Source: Goh et al. 2021, appendix "Faceted feature visualization", which shows such strips.
    """
    if len(strengths) != len(images):
        raise ClipbenchError(f"{len(strengths)} strengths do not fit {len(images)} pictures; give one each")
    facet.check(model)
    goal = base.bind(model)
    weights = {Read(layer, relu=True): each for layer, each in facet.weights.items()}
    acts = model.read(images.to(model.device), goal.reads | weights.keys())
    theme = sum(
        (_per_channel(each).to(acts[read]) * acts[read].mean(dim=(2, 3))).sum(dim=1)
        for read, each in weights.items()
    )
    pixels = (images * 255).round().to(torch.uint8).permute(0, 2, 3, 1)
    return Strip(
        tuple(map(float, strengths)),
        pixels.cpu().numpy(),
        goal.value(acts).float().cpu().numpy(),
        theme.float().cpu().numpy(),
        provenance,
    )


def _per_channel(weights: Tensor) -> Tensor:
    """Weights of a layer, (channels,) or (channels, h, w), as (channels,)."""
    return weights if weights.ndim == 1 else weights.mean(dim=(1, 2))
