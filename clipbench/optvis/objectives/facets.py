"""Facets: see one side of a unit, the faces, the texts or the buildings that it answers to."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel, Read
from clipbench.optvis.objectives.attribution import attributions, check_upstream
from clipbench.optvis.objectives.base import Activations, Bound, Objective, Term, single
from clipbench.optvis.probes import Facet

_PUBLISHED_LAYERS = 5  # a strength means the same for any number of layers: as for these five


def faceted(base: Objective, probe: Facet, strength: float | Sequence[float] | Tensor = 1.0) -> Objective:
    """An objective f with a leaning towards a theme: f(g(x)) + wᵀ(g(x) ⊙ relu(∇f(g(x)))).

    g are the layers of the probe after their ReLU, w its weights times the strength, and the gradient is
    held fixed. Summed over positions and channels, times 5 / number of layers; as f is a mean over
    positions, so is its gradient's scale. With the mean over n images taken, as the published code does, f
    and the gradient carry 1 / n, and the term is the mean of this one.

    Args:
        base: what to excite. Published are directions of a last layer after its ReLU, here before it.
        probe: what tells the theme, out of layers before those that the base reads.
        strength: how much the theme counts, or one number an image; published pictures go from 0.1 to 5.
    Source: Goh et al. 2021, appendix "Faceted feature visualization", and their published code, which keeps
        only gradients above 0.
    """
    strengths = torch.as_tensor(strength, dtype=torch.float64).flatten().tolist()
    return single(Faceted(base, probe, tuple(strengths)))


@dataclass(frozen=True)
class Faceted(Term):
    """See `faceted`."""

    base: Objective
    probe: Facet
    strengths: tuple[float, ...]

    def __str__(self) -> str:
        strengths = " ".join(f"{strength:g}" for strength in self.strengths)
        return f"faceted({self.base}; {self.probe}, strength {strengths})"

    def bind(self, model: ImageModel) -> Bound:
        """See `Term.bind`."""
        base = self.base.bind(model)
        self.probe.check(model)
        check_upstream(model, self.probe.weights, base)
        reads = {
            Read(layer, relu=True): weights.to(model.device) for layer, weights in self.probe.weights.items()
        }
        scale = _PUBLISHED_LAYERS / len(reads)

        def value(acts: Activations) -> Tensor:
            unit = base.value(acts)
            parts = attributions(unit, acts, list(reads), exciting=True)
            theme = sum(
                (part * _fitted(weights, part)).sum(dim=(1, 2, 3))
                for part, weights in zip(parts, reads.values(), strict=True)
            )
            return unit + self._per_image(unit) * scale * theme

        return Bound(base.reads | reads.keys(), value)

    def _per_image(self, unit: Tensor) -> Tensor:
        if len(self.strengths) not in (1, len(unit)):
            raise ClipbenchError(
                f"{len(self.strengths)} strengths do not fit {len(unit)} images; give one, or one an image"
            )
        return torch.tensor(self.strengths).to(unit)


def _fitted(weights: Tensor, maps: Tensor) -> Tensor:
    """Weights of a layer, (channels,) or (channels, h, w), as a map of its present size, bilinearly."""
    weights = weights.to(maps)
    if weights.ndim == 1:
        return weights[None, :, None, None]
    return interpolate(weights[None], maps.shape[-2:], mode="bilinear")
