"""From an answer back to a layer: what each unit of it adds to a label's logit."""

import torch
from torch import Tensor

from clipbench.classify import Classifier
from clipbench.models import Read, onward

_EMBEDDING = Read("embedding")


def values_at(classifier: Classifier, pixels: Tensor, layer: str) -> Tensor:
    """(n, 3, h, w) in [0, 1] -> (n, channels, h, w), the layer before its ReLU."""
    read = Read(layer)
    return classifier.model.answers(pixels, [read])[read]


def logits_from(classifier: Classifier, pixels: Tensor, layer: str, values: Tensor) -> Tensor:
    """(n, k) logits when `values` flow on from a layer; `pixels`, of the same n, only lead there."""
    features = onward(classifier.model, pixels, layer, values, [_EMBEDDING])[_EMBEDDING]
    return classifier.logits(features.flatten(1))


@torch.enable_grad()
def slope(classifier: Classifier, pixels: Tensor, layer: str, values: Tensor, scored) -> Tensor:
    """The gradient of a score of the logits by what flows at a layer: the units' linearised weights.

    Args:
        classifier, pixels, layer: where.
        values: (n, channels, h, w), at which point.
        scored: (n, k) logits -> (n,).

    Returns:
        As `values`.
    """
    values = values.detach().requires_grad_()
    score = scored(logits_from(classifier, pixels, layer, values)).sum()
    return torch.autograd.grad(score, values)[0].float()


def margin(logits: Tensor, target: int, against: Tensor) -> Tensor:
    """(n, k), label, (n,) labels -> (n,): by how much the target's logit exceeds another label's."""
    return logits[:, target] - logits.gather(1, against[:, None])[:, 0]
