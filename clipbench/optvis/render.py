"""The loop: gradient ascent on a picture, as a stream of steps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel
from clipbench.optvis import parametrizations
from clipbench.optvis.objectives import Objective
from clipbench.optvis.regularizers import Regularizer
from clipbench.optvis.transforms import Transform, compose, standard, view


@dataclass(frozen=True, eq=False)
class Step:
    """One moment of an optimisation. A kept step keeps its pixels.

    Args:
        number: 0 is the start.
        value: (n,) objective of the view that the model saw, without penalties, on the model's device.
        images: (n, 3, h, w) float in [0, 1], on the model's device.
    """

    number: int
    value: Tensor
    images: Tensor = field(repr=False)


def visualize(
    model: ImageModel,
    objective: Objective,
    *,
    parametrization: parametrizations.Parametrization | None = None,
    transforms: Sequence[Transform] | None = None,
    regularizers: Sequence[Regularizer] = (),
    lr: float = 0.05,
    steps: int = 256,
    seed: int = 0,
) -> Iterator[Step]:
    """Optimise a picture towards an objective, one step at a time.

    The input is checked at once; the work is done as the steps are read. Nothing is held outside the
    iterator: no hook, no global state, no printing. It is over when its reader stops reading.

    Where the objective reads something that takes the model's native size only (an attention pool, a
    vision transformer), the views are sampled at that size; the picture keeps its own.

    Args:
        model: what is to be excited.
        objective: what to maximise.
        parametrization: how the picture is written; None is `fft(224)`.
        transforms: random views; None is `standard()`, () shows the model the picture as it is.
        regularizers: penalties on the picture.
        lr: learning rate of Adam.
        steps: number of updates.
        seed: of the start and of the views.

    Returns:
        An iterator over steps 0 … steps.

    Raises:
        ClipbenchError: steps, lr, layer, channel or size that cannot be.
    Source: Olah et al. 2017, "Feature Visualization".
    """
    if steps < 1:
        raise ClipbenchError(f"{steps} steps make no picture; give at least 1")
    if not lr > 0:
        raise ClipbenchError(f"a learning rate of {lr} moves nothing; give more than 0, as in 0.05")
    parametrization = parametrizations.fft() if parametrization is None else parametrization
    transforms = standard() if transforms is None else tuple(transforms)
    goal = objective.bind(model)
    size = (
        model.image_size
        if any(model.is_native_only(read.layer) for read in goal.reads)
        else parametrization.size
    )
    for read in goal.reads:
        model.check_size(read.layer, size, size)
    return _ascend(model, goal, parametrization, transforms, tuple(regularizers), lr, steps, seed, size)


@torch.enable_grad()
def _ascend(model, goal, parametrization, transforms, regularizers, lr, steps, seed, size) -> Iterator[Step]:
    generator = torch.Generator().manual_seed(seed)
    canvas = parametrization.start(model.device, generator)
    optimizer = torch.optim.Adam(canvas.parameters(), lr=lr)
    for number in range(steps + 1):
        images = canvas()
        value = goal.value(model.read(view(images, compose(transforms, generator), size), goal.reads))
        yield Step(number, value.detach(), images.detach())
        if number == steps:
            return
        loss = sum(penalty(images).sum() for penalty in regularizers) - value.sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def recipe(
    objective: Objective,
    parametrization: parametrizations.Parametrization,
    transforms: Sequence[Transform],
    regularizers: Sequence[Regularizer],
    lr: float,
    steps: int,
) -> str:
    """Everything that decides a picture besides model and seed, on one line for its provenance."""
    parts = [str(objective), str(parametrization)]
    parts += [str(transform) for transform in transforms] or ["no transforms"]
    parts += [str(regularizer) for regularizer in regularizers]
    return ", ".join([*parts, f"Adam {lr:g}", f"{steps} steps"])
