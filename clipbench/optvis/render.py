"""The loop: gradient ascent on a picture, as a stream of steps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel
from clipbench.optvis import parametrizations, priors
from clipbench.optvis import transforms as views
from clipbench.optvis.objectives import Bound, Objective, Seen
from clipbench.optvis.regularizers import Regularizer
from clipbench.optvis.transforms import Transform


@dataclass(frozen=True, eq=False)
class Step:
    """One moment of an optimisation. A kept step keeps its pixels.

    Args:
        number: 0 is the start.
        value: (n,) objective of the view that the model saw, or the mean of several, without penalties, on
            the model's device.
        images: (n, 3, h, w) float in [0, 1], on the model's device; transparent ones have a fourth channel.
    """

    number: int
    value: Tensor
    images: Tensor = field(repr=False)


@dataclass(frozen=True)
class _Plan:
    """Everything that decides an ascent, checked."""

    model: ImageModel
    goal: Bound
    parametrization: parametrizations.Parametrization
    transforms: tuple[Transform, ...]
    regularizers: tuple[Regularizer, ...]
    prior: priors.Prior | None
    lr: float
    steps: int
    seed: int
    size: int  # of a view


def visualize(
    model: ImageModel,
    objective: Objective,
    *,
    parametrization: parametrizations.Parametrization | None = None,
    transforms: Sequence[Transform] | None = None,
    regularizers: Sequence[Regularizer] = (),
    prior: priors.Prior | None = None,
    lr: float | None = None,
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
        prior: an operator that each picture goes through in each step; see `clipbench.optvis.priors`.
        lr: learning rate; None is the parametrization's own, 0.05 for most.
        steps: number of updates.
        seed: of the start and of the views.

    Returns:
        An iterator over steps 0 … steps.

    Raises:
        ClipbenchError: steps, lr, layer, channel or size that cannot be. While steps are read: a value or a
            picture that is no finite number any more; the steps before it stay good.
    Source: Olah et al. 2017, "Feature Visualization".
    """
    parametrization = parametrizations.fft() if parametrization is None else parametrization
    transforms = views.standard() if transforms is None else tuple(transforms)
    lr = parametrization.lr if lr is None else lr
    if steps < 1:
        raise ClipbenchError(f"{steps} steps make no picture; give at least 1")
    if not lr > 0:
        raise ClipbenchError(f"a learning rate of {lr} moves nothing; give more than 0, as in 0.05")
    goal = objective.bind(model)
    native = any(model.is_native_only(read.layer) for read in goal.reads)
    size = model.image_size if native else views.view_size(transforms, parametrization.size)
    for read in goal.reads:
        model.check_size(read.layer, size, size)
    regularizers = tuple(regularizers)
    return _ascend(
        _Plan(model, goal, parametrization, transforms, regularizers, prior, lr, steps, seed, size)
    )


@torch.enable_grad()
def _ascend(plan: _Plan) -> Iterator[Step]:
    generator = torch.Generator().manual_seed(plan.seed)
    canvas = plan.parametrization.start(plan.model.device, generator)
    optimizer = plan.parametrization.optimizer(canvas.parameters(), lr=plan.lr)
    for number in range(plan.steps + 1):
        images = canvas()
        opaque = canvas.opaque(images, generator)
        looks = [_look(plan, opaque, generator) for _ in range(views.count(plan.transforms))]
        value = torch.stack([plan.goal.value(seen) for seen in looks]).mean(dim=0)
        _check_finite(number, images, value)
        yield Step(number, value.detach(), images.detach())
        if number == plan.steps:
            return
        loss = sum(penalty(images).sum() for penalty in plan.regularizers) - value.sum()
        optimizer.zero_grad()
        loss.backward()
        if plan.prior is not None:
            colours = images[:, :3].detach()
            canvas.move(colours, priors.apply(plan.prior, colours))
        optimizer.step()


def _look(plan: _Plan, images: Tensor, generator: torch.Generator) -> Seen:
    """What the model makes of the pictures in one view."""
    own, reads = images.shape[-1], plan.goal.reads
    show = views.draw(plan.transforms, generator, own, plan.size)
    seen = show(images)
    return Seen(plan.model.read(seen, reads) if reads else {}, seen, show, own)


def _check_finite(number: int, images: Tensor, value: Tensor) -> None:
    """Raise a ClipbenchError if an ascent has left the finite numbers, and say how."""
    if (images.sum().isfinite() & value.isfinite().all()).item():  # no sum of pixels is too large
        return
    if images.isfinite().all():
        broken = int((~value.isfinite()).nonzero()[0])
        why = f"the objective of picture {broken} is {value[broken].item()}"
    else:
        broken = int((~images.isfinite().flatten(1).all(dim=1)).nonzero()[0])
        why = f"the gradient of step {number - 1} left picture {broken} with pixels that are no numbers"
    raise ClipbenchError(
        f"the ascent broke at step {number}: {why}; the steps before are good, and a smaller learning rate "
        "or smaller weights get further"
    )


def recipe(
    objective: Objective,
    parametrization: parametrizations.Parametrization,
    transforms: Sequence[Transform],
    regularizers: Sequence[Regularizer],
    lr: float,
    steps: int,
    prior: priors.Prior | None = None,
) -> str:
    """Everything that decides a picture besides model and seed, on one line for its provenance."""
    parts = [str(objective), str(parametrization)]
    parts += [str(transform) for transform in transforms] or ["no transforms"]
    parts += [str(regularizer) for regularizer in regularizers]
    parts += [f"prior {priors.name_of(prior)}"] if prior is not None else []
    return ", ".join([*parts, f"{parametrization.optimizer.__name__} {lr:g}", f"{steps} steps"])
