"""Finding a circuit: the network between two layers is linearised, and what it tells checked by ablation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from clipbench.errors import ClipbenchError
from clipbench.hooks import check_position
from clipbench.models import ImageModel, Read, onward
from clipbench.results import Provenance
from clipbench.streams import Progress
from clipbench.studies.circuits import Circuit
from clipbench.units import Unit

CONTROLS = 20  # random units that are taken away, too: an edge beats all of them once in 21 times by chance
_CHUNK = 16  # photos that are read at a time
_REACH = 7  # positions to each side of the middle that a kernel shows at most


@dataclass(frozen=True, eq=False)
class _Bench:
    """A unit in the photos that excite it, and the layer below as it is there and as it is on average."""

    model: ImageModel
    unit: Unit
    lower: str
    pixels: Tensor  # (n, 3, s, s)
    places: Tensor  # (n,) flat position at which the unit is watched
    activation: Tensor  # (n,) there
    width: int  # of the unit's map
    below: Tensor  # (n, channels, h, w) of the layer below, before its ReLU
    mean: Tensor  # (channels,) of the same, over all given images

    def activation_with(self, below: Tensor) -> Tensor:
        """(n,) the unit's activations where it is watched, if the layer below were something else."""
        read = Read(self.unit.layer)
        values = onward(self.model, self.pixels, self.lower, below, [read])[read]
        return _at(values, self.unit, self.places)


def circuit(model: ImageModel, unit: str | Unit, images: Sequence[Image.Image], **options) -> Circuit:
    """Find the units of a layer below that build a unit, and take each away to see whether they do.

    The network between the two layers is linearised at the photos that excite the unit most: each
    nonlinearity is replaced by the slope that it has there. The gradient of the unit, where it answers most,
    is then the expanded weight of every unit below at every position. Its product with what the unit below
    has beyond its mean predicts what taking it away would take from the unit; the strongest are then really
    held at their mean, one by one, and so are `CONTROLS` random units.

    Args:
        model: any model.
        unit: what is built; with a position, it is watched there, else where it is strongest in each photo.
        images: PIL images, of which the unit's favourites are looked at; the rest says what is usual, so
            give several times as many as `top`.
        lower: the layer below; None takes the one before the unit's, for a head the last layer.
        edges: how many units below to take away.
        top: how many photos.
        seed: of the choice of random units.

    Raises:
        ClipbenchError: no such unit or layer, a layer that is not below, or too few images.

    Source: Cammarata et al. 2020 (Distill, "Thread: Circuits") and Voss et al. 2021 ("Visualizing Weights")
        for expanded weights, there with identities in place of nonlinearities; the check is clipbench's.
    """
    *_, last = trace(model, unit, images, **options)
    return last.result


def trace(
    model: ImageModel,
    unit: str | Unit,
    images: Sequence[Image.Image],
    *,
    lower: str | None = None,
    edges: int = 8,
    top: int = 8,
    seed: int = 0,
) -> Iterator[Progress[Circuit]]:
    """The same as `circuit`, one unit below at a time: whoever stops reading stops the work.

    Yields:
        After each unit that was taken away how far it has come; the last one, and only that, with the result.
    """
    unit = Unit.parse(unit, model)
    lower = _below(model, unit.layer, lower)
    channels = model.layer(lower).channels
    if not 1 <= edges <= channels:
        raise ClipbenchError(f"{edges} edges cannot be; {lower!r} has 1 to {channels} units")
    if not 1 <= top < len(images):
        raise ClipbenchError(
            f"{len(images)} images are too few for {top} photos of a circuit; give several times as many"
        )
    bench, photos = _prepare(model, unit, lower, images, top)
    slopes = _slopes(bench)
    predicted = (slopes * _beyond_mean(bench)).sum(dim=(2, 3)).T  # (channels, n)
    strongest = predicted.mean(dim=1).abs().argsort(descending=True, stable=True)[:edges].cpu()
    others = _others(channels, strongest.tolist(), seed)
    taken, effects = [*strongest.tolist(), *others], []
    for channel in taken:
        effects.append(_effect(bench, channel))
        yield Progress(len(effects), len(taken))
    measured, predicted = torch.stack(effects).cpu(), predicted[taken].float().cpu()
    recipe = (
        f"{lower} → {unit}, linearised at {top} of {len(images)} photos, {len(others)} random units, "
        "each held at its mean"
    )
    provenance = Provenance(model.name, model.weights_hash, recipe, unit=str(unit), seed=seed, n=len(photos))
    found = Circuit(
        unit=str(unit),
        lower=lower,
        photos=photos,
        activation=bench.activation.cpu().numpy(),
        units=strongest.numpy(),
        kernels=_kernels(slopes[:, strongest].float().cpu(), bench).numpy(),
        predicted=predicted[:edges].numpy(),
        measured=measured[:edges].numpy(),
        others=np.array(others, np.int64),
        other_effects=measured[edges:].numpy(),
        agreement=_correlation(predicted.mean(dim=1), measured.mean(dim=1)),
        provenance=provenance,
    )
    yield Progress(len(taken), len(taken), found)


def _below(model: ImageModel, layer: str, lower: str | None) -> str:
    """The layer to look at, or a ClipbenchError if it does not lead to the unit's."""
    names = [*model.layers]
    before = names if layer in model.heads else names[: names.index(layer)]
    if not before:
        raise ClipbenchError(f"{layer!r} is the first layer; there is none below that could build its units")
    if lower is None:
        return before[-1]
    model.layer(lower)
    if lower not in before:
        raise ClipbenchError(
            f"{lower!r} is not below {layer!r}; take one from {before[0]!r} to {before[-1]!r}"
        )
    return lower


@torch.no_grad()
def _prepare(
    model: ImageModel, unit: Unit, lower: str, images: Sequence[Image.Image], top: int
) -> tuple[_Bench, tuple[int, ...]]:
    """Read both layers once for all images; keep the photos that excite the unit most, and which they are."""
    pixels, below, own = model.pixels(images), Read(lower), Read(unit.layer)
    means, maps = [], []
    for part in pixels.split(_CHUNK):
        seen = model.answers(part, [below, own])
        means.append(seen[below].float().mean(dim=(2, 3)))
        maps.append(seen[own][:, unit.channel].float())
    answers = torch.cat(maps)
    width = answers.shape[2]
    if unit.position is not None:
        row, column = check_position(unit.position, answers.shape[1:], unit.layer)
        places = torch.full((len(answers),), row * width + column, device=answers.device)
    else:
        places = answers.flatten(1).argmax(dim=1)
    strength = answers.flatten(1).gather(1, places[:, None])[:, 0]
    photos = strength.argsort(descending=True, stable=True)[:top]
    chosen = (pixels[photos], places[photos], strength[photos])
    own_below = model.answers(pixels[photos], [below])[below]
    bench = _Bench(model, unit, lower, *chosen, width, own_below, torch.cat(means).mean(dim=0))
    return bench, tuple(photos.tolist())


def _at(values: Tensor, unit: Unit, places: Tensor) -> Tensor:
    """(n, channels, h, w) and n flat positions -> (n,) float32."""
    return values[:, unit.channel].flatten(1).gather(1, places[:, None])[:, 0].float()


@torch.enable_grad()
def _slopes(bench: _Bench) -> Tensor:
    """(n, channels, h, w) gradients of the unit by the layer below, after that layer's nonlinearity."""
    below, own = Read(bench.lower, relu=True), Read(bench.unit.layer)
    seen = bench.model.read(bench.pixels.clone().requires_grad_(), [below, own])
    score = _at(seen[own], bench.unit, bench.places).sum()
    return torch.autograd.grad(score, seen[below])[0]


@torch.no_grad()
def _beyond_mean(bench: _Bench) -> Tensor:
    """(n, channels, h, w) of the layer below after its nonlinearity, less what its means give there."""
    below = Read(bench.lower, relu=True)
    values = bench.model.answers(bench.pixels, [below])[below]
    with bench.model.hold(bench.lower, bench.mean):
        return values - bench.model.answers(bench.pixels, [below])[below]


@torch.no_grad()
def _effect(bench: _Bench, channel: int) -> Tensor:
    """(n,) by how much the unit falls when one unit below is held at its mean."""
    below = bench.below.clone()
    below[:, channel] = bench.mean[channel]
    return bench.activation - bench.activation_with(below)


def _others(channels: int, taken: Sequence[int], seed: int) -> list[int]:
    """Random channels besides those that are taken already."""
    free = np.setdiff1d(np.arange(channels), taken)
    return np.random.default_rng(seed).permutation(free)[:CONTROLS].tolist()


def _kernels(slopes: Tensor, bench: _Bench) -> Tensor:
    """(n, e, h, w) -> (e, k, k): mean over photos of the slopes around where the unit is watched.

    Of a unit that has no map, the whole map below. Rings that are zero in all kernels are left out.
    """
    own = bench.model.layer(bench.unit.layer)
    if own.stride is None:
        return slopes.mean(dim=0)
    step = own.stride // bench.model.layer(bench.lower).stride
    reach = min(_REACH, slopes.shape[-1] // 2)
    around = torch.nn.functional.pad(slopes, [reach] * 4)
    cut = []
    for photo, place in zip(around, bench.places.tolist(), strict=True):
        row, column = (part * step + (step - 1) // 2 for part in divmod(place, bench.width))
        cut.append(photo[:, row : row + 2 * reach + 1, column : column + 2 * reach + 1])
    kernels = torch.stack(cut).mean(dim=0)
    while kernels.shape[-1] > 1 and not _rim(kernels).any():
        kernels = kernels[:, 1:-1, 1:-1]
    return kernels


def _rim(kernels: Tensor) -> Tensor:
    """The outermost rows and columns of all kernels."""
    return torch.cat([kernels[:, [0, -1]].flatten(), kernels[:, :, [0, -1]].flatten()])


def _correlation(one: Tensor, other: Tensor) -> float:
    """Pearson's correlation; 0 where one of them is constant."""
    pair = torch.stack([one, other]).double()
    pair = pair - pair.mean(dim=1, keepdim=True)
    lengths = pair.norm(dim=1).prod()
    return float((pair[0] @ pair[1]) / lengths) if lengths > 0 else 0.0
