"""Which units speak for a text or a label: a search from words to units."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from clipbench.models import ImageModel, Read
from clipbench.optvis.objectives import Objective
from clipbench.optvis.objectives.attribution import check_upstream
from clipbench.results import Provenance


@dataclass(frozen=True, eq=False)
class Speakers:
    """How much each unit of a layer raises an objective.

    Args:
        layer: its name.
        slopes: (channels,) float32; what the objective gains when the unit rises by one standard deviation
            (over the photos) at every position.
        provenance: model, objective and layer; n is the number of photos.
    """

    layer: str
    slopes: np.ndarray
    provenance: Provenance

    def top(self, k: int = 5) -> list[tuple[str, float]]:
        """The k units that raise it most: address and slope."""
        best = np.argsort(-self.slopes, kind="stable")[:k]
        return [(f"{self.layer}:{channel}", float(self.slopes[channel])) for channel in best]


def speakers(model: ImageModel, objective: Objective, layer: str, photos: Sequence[Image.Image]) -> Speakers:
    """Search a layer for the units that speak for an objective, such as a text.

    The slope of the objective along each unit, before its ReLU, is taken at some photos and averaged.

    Args:
        model: whose units.
        objective: further up, of activations alone.
        layer: where to search.
        photos: n PIL images of different things; a dozen is enough.

    Raises:
        ClipbenchError: a layer that the objective does not depend on, or no photos.
    Source: the search from text to channels in ProGamerGov's fork of captum, at an empty picture there.
    """
    goal, read = objective.bind(model), Read(layer)
    check_upstream(model, [layer], goal)
    with torch.enable_grad():
        pixels = model.pixels(photos).requires_grad_()  # so that gradients flow; the weights are frozen
        acts = model.read(pixels, goal.reads | {read})
        (slopes,) = torch.autograd.grad(goal.value(acts).sum(), acts[read])
    spread = acts[read].detach().float().mean(dim=(2, 3)).std(dim=0)
    gains = slopes.float().sum(dim=(2, 3)).mean(dim=0) * spread
    told = f"slope of {objective} along {layer}, at {len(photos)} photos"
    origin = Provenance(model.name, model.weights_hash, told, n=len(photos))
    return Speakers(layer, gains.cpu().numpy(), origin)
