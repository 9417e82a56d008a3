"""What each activation of a layer contributes to an objective further up: g ⊙ ∇f(g)."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel, Read
from clipbench.optvis.objectives.base import Activations, Bound


def attributions(
    value: Tensor, acts: Activations, reads: Sequence[Read], *, exciting: bool = False
) -> list[Tensor]:
    """Activations times the gradient of an objective by them; the gradient is held fixed.

    Args:
        value: (n,), of the objective f.
        acts: the activations that it was computed from, in the same graph.
        reads: the layers g.
        exciting: leave negative gradients out.

    Returns:
        (n, channels, h, w) for each layer.
    """
    # The sum over images gives each image its own gradient: no value depends on another image.
    gradients = torch.autograd.grad(value.sum(), [acts[read] for read in reads], retain_graph=True)
    if exciting:
        gradients = [gradient.relu() for gradient in gradients]
    return [acts[read] * gradient for read, gradient in zip(reads, gradients, strict=True)]


def check_upstream(model: ImageModel, layers: Iterable[str], goal: Bound) -> None:
    """Raise a ClipbenchError unless all layers lie before the deepest layer that an objective reads."""
    order = [*model.layers, *model.heads]
    deepest = max((read.layer for read in goal.reads), key=order.index, default=None)
    for layer in layers:
        if deepest is None or order.index(layer) >= order.index(deepest):
            where = "reads no layer of this model" if deepest is None else f"ends at {deepest!r}"
            raise ClipbenchError(
                f"layer {layer!r} contributes nothing to an objective that {where}; choose an earlier layer"
            )
