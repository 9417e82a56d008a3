"""The loop of every stage: batches made beside it, checkpoints by the clock, a stream of progress."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from clipbench.pretrain.checkpoints import Checkpoints

SAVE_EVERY = 90.0  # seconds; so a kill costs less than two minutes
_TELL_EVERY = 10  # steps
_WARM_UP = 100  # steps, or a tenth of a short stage
_DECAY = 0.01
_LONGEST_GRADIENT = 1.0


@dataclass(frozen=True)
class Progress:
    """One line of the log.

    Args:
        stage, step, steps: where the run is; step counts what is done.
        losses: each term as it enters the sum, averaged over the steps since the last line.
        rate: steps a second since the last line.
    """

    stage: str
    step: int
    steps: int
    losses: dict[str, float]
    rate: float


@dataclass(frozen=True)
class Stage:
    """What a stage trains, on what, by which losses.

    Args:
        name: of its checkpoint and in the log.
        module: everything that it trains; parameters that require no gradient stay.
        batches: item i is the batch of step i, so that a resumed run sees what an unbroken one sees.
        losses: batch -> name -> scalar, weighted; their sum is minimised.
        steps, learning_rate: AdamW with warm-up and a cosine down to a hundredth.
        shares: the start of parameters' names -> their share of the learning rate, where it is not 1.
    """

    name: str
    module: nn.Module
    batches: Dataset
    losses: Callable[[Any], Mapping[str, Tensor]]
    steps: int
    learning_rate: float
    shares: Mapping[str, float] = field(default_factory=dict)


def train(stage: Stage, checkpoints: Checkpoints, device: torch.device) -> Iterator[Progress]:
    """Train a stage to its end, from its checkpoint if there is one. Whoever stops reading stops it."""
    groups = _groups(stage)
    parameters = [one for group in groups for one in group["params"]]
    optimizer = torch.optim.AdamW(groups, lr=stage.learning_rate, weight_decay=_DECAY, fused=True)
    start = _resume(stage, optimizer, checkpoints)
    saved = told = time.monotonic()
    told_step = start
    sums: dict[str, Tensor] = {}
    for step, batch in enumerate(in_order(stage.batches, range(start, stage.steps)), start + 1):
        for group in optimizer.param_groups:
            group["lr"] = stage.learning_rate * schedule(step, stage.steps) * group["share"]
        losses = stage.losses(_moved(batch, device))
        optimizer.zero_grad()
        sum(losses.values()).backward()
        nn.utils.clip_grad_norm_(parameters, _LONGEST_GRADIENT)
        optimizer.step()
        sums = {name: sums.get(name, 0) + loss.detach() for name, loss in losses.items()}
        if step == stage.steps or time.monotonic() - saved > SAVE_EVERY:
            _save(stage, optimizer, checkpoints, step)
            saved = time.monotonic()
        if step % _TELL_EVERY == 0 or step == stage.steps:
            since = step - told_step
            means = {name: float(value) / since for name, value in sums.items()}
            yield Progress(stage.name, step, stage.steps, means, since / (time.monotonic() - told))
            sums, told, told_step = {}, time.monotonic(), step


def _groups(stage: Stage) -> list[dict[str, Any]]:
    """What is trained, by its share of the learning rate."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in stage.module.named_parameters():
        if parameter.requires_grad:
            share = next((own for start, own in stage.shares.items() if name.startswith(start)), 1.0)
            groups.setdefault(share, []).append(parameter)
    return [{"params": parameters, "share": share} for share, parameters in groups.items()]


def schedule(step: int, steps: int) -> float:
    """Share of the learning rate in a step, counted from 1."""
    warm = min(_WARM_UP, max(1, steps // 10))
    if step <= warm:
        return step / warm
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def in_order(batches: Dataset, steps: range) -> DataLoader:
    """Batches of these steps in order, made in one process beside the loop."""
    return DataLoader(batches, batch_size=None, sampler=steps, num_workers=1 if steps else 0)


def _moved(batch: Any, device: torch.device) -> Any:
    return {name: value.to(device, non_blocking=True) for name, value in batch.items()}


def _save(stage: Stage, optimizer: torch.optim.Optimizer, checkpoints: Checkpoints, step: int) -> None:
    states = {"module": stage.module.state_dict(), "optimizer": optimizer.state_dict()}
    checkpoints.save(stage.name, step=step, **states)


def _resume(stage: Stage, optimizer: torch.optim.Optimizer, checkpoints: Checkpoints) -> int:
    content = checkpoints.load(stage.name)
    if content is None:
        return 0
    stage.module.load_state_dict(content["module"])
    optimizer.load_state_dict(content["optimizer"])
    return content["step"]
