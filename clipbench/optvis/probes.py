"""What tells a theme from everything else, in the layers of a model: the weights of a facet."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel, Read
from clipbench.optvis.original import Original
from clipbench.results import UNREADABLE, npz, read_told, save_bytes
from clipbench.streams import chunks

LEAST_PICTURES = 20  # different ones of each kind; fewer than 5 of them would be held out
LEAST_ACCURACY = 0.8
PUBLISHED_LAYERS = ("layer3.0", "layer3.2", "layer3.4", "layer3.6", "layer3.8")  # of RN50x4
_HELD_OUT = 4  # one picture in so many
_CHUNK = 32  # pictures that are read at a time
_PENALTY = 0.316  # inverse strength of the L2 penalty, as scikit-learn counts it (Radford et al. 2021)


@dataclass(frozen=True)
class Facet:
    """The weights of a theme. Two facets are equal when their weights are.

    Args:
        name: of the theme.
        weights: layer -> (channels,) or (channels, h, w) float32; how each activation after the ReLU counts.
        model, weights_hash: what it was trained on; None where a file does not say.
        accuracy: layer -> mean of the two rates at which held-out pictures are told right, in [0, 1].
        n: numbers of theme pictures and of background pictures.
    """

    name: str
    weights: Mapping[str, Tensor] = field(compare=False, repr=False)
    model: str | None = None
    weights_hash: str | None = None
    accuracy: Mapping[str, float] = field(default_factory=dict, compare=False)
    n: tuple[int, int] | None = None
    digest: str = field(init=False)

    def __post_init__(self):
        content = sha256()
        for layer, weights in self.weights.items():
            content.update(f"{layer} {tuple(weights.shape)}".encode() + weights.numpy().tobytes())
        object.__setattr__(self, "digest", content.hexdigest())

    def __str__(self) -> str:
        return f"facet {self.name} {self.digest[:8]} of {'+'.join(self.weights)}"

    def check(self, model: ImageModel) -> None:
        """Raise a ClipbenchError unless the facet fits a model."""
        if not self.weights:
            raise ClipbenchError(f"the facet {self.name!r} has no layer; train one on at least one")
        if self.weights_hash not in (None, model.weights_hash):
            raise ClipbenchError(
                f"the facet {self.name!r} was trained on {self.model} {self.weights_hash[:8]}, not on "
                f"{model.name} {model.weights_hash[:8]}; train one on that"
            )
        for layer, weights in self.weights.items():
            channels = model.layer(layer).channels
            if len(weights) != channels:
                raise ClipbenchError(
                    f"the facet {self.name!r} has {len(weights)} channels for layer {layer!r}, {model.name} "
                    f"has {channels}; take a facet of that model"
                )

    def save(self, path: str | Path) -> Path:
        """Write the facet as .npz: arrays, and a line of JSON; it appears at once or not at all.

        Raises:
            ClipbenchError: the folder is missing, not writable, or full.
        """
        told = {name: getattr(self, name) for name in ("name", "model", "weights_hash", "n")}
        told |= {"accuracy": dict(self.accuracy), "layers": list(self.weights)}
        arrays = {f"weights{i}": weights.numpy() for i, weights in enumerate(self.weights.values())}
        return save_bytes(npz(told, **arrays), path)


def train_facet(
    model: ImageModel,
    layers: str | Sequence[str],
    themes: Sequence[Image.Image],
    backgrounds: Sequence[Image.Image],
    name: str = "theme",
    seed: int = 0,
) -> Facet:
    """Learn to tell pictures of a theme from others by the mean activations of some layers.

    One logistic regression a layer, both kinds of pictures counting alike. Each is judged by a quarter of
    either kind that it was not trained on. The weights are scaled to a root mean square of 1, so that a
    strength means much the same for every facet.

    Args:
        model: whose layers.
        layers: names, lower ones than the unit's.
        themes: PIL images of the theme.
        backgrounds: PIL images of anything else.
        name: what to call the theme.
        seed: of the choice of pictures that are held out.

    Returns:
        A facet with (channels,) weights for each layer.

    Raises:
        ClipbenchError: fewer than 20 different pictures of a kind, a picture of both kinds, an unknown layer,
            or one that tells fewer than 80 % of the held-out pictures right.
    Source: Goh et al. 2021, appendix: linear probes on lower layers, a theme against natural pictures.
    """
    layers = (layers,) if isinstance(layers, str) else tuple(layers)
    for layer in layers:
        model.layer(layer)
    if not layers:
        raise ClipbenchError("there is no layer to train on; give at least one")
    themes, backgrounds = _distinct(themes, "the theme"), _distinct(backgrounds, "the background")
    if themes.keys() & backgrounds.keys():
        raise ClipbenchError("a picture is in the theme and in the background; take it out of one of them")
    pictures = [*themes.values(), *backgrounds.values()]
    is_theme = torch.arange(len(pictures)) < len(themes)
    held = _held_out(is_theme, torch.Generator().manual_seed(seed))
    weights, accuracy = {}, {}
    for layer, features in _mean_activations(model, layers, pictures).items():
        learnt, bias = _fit(features[~held], is_theme[~held])
        accuracy[layer] = _balanced_accuracy(features[held] @ learnt + bias > 0, is_theme[held])
        weights[layer] = (learnt / learnt.square().mean().sqrt()).float()
    _check_accuracy(name, accuracy)
    n = (len(themes), len(backgrounds))
    return Facet(name, weights, model.name, model.weights_hash, accuracy, n)


def load_facet(path: str | Path) -> Facet:
    """Read what `Facet.save` wrote; nothing in the file is run.

    Raises:
        ClipbenchError: no such file, or none of clipbench.
    """
    try:
        told, saved = read_told(path)
        layers, n = told.pop("layers"), told.pop("n")
        weights = {layer: torch.from_numpy(saved[f"weights{i}"]) for i, layer in enumerate(layers)}
        return Facet(weights=weights, n=n and tuple(n), **told)
    except UNREADABLE as error:
        raise ClipbenchError(f"{str(path)!r} is not a facet that clipbench has written") from error


def published_facet(files: Sequence[str | Path], layers: Sequence[str] = PUBLISHED_LAYERS) -> Facet:
    """Read the published facet tensors of OpenAI, one `*_spatial.npy` a layer; nothing in them is run.

    Args:
        files: in the order of the layers, each (1, channels, h, w) or, without space, (1, channels).
        layers: the layers they belong to; those of RN50x4 by default.

    Raises:
        ClipbenchError: another number of files than layers, or a file with something else in it.
    """
    if len(files) != len(layers) or not files:
        raise ClipbenchError(f"{len(files)} files do not fit {len(layers)} layers; give one file a layer")
    weights = {layer: _published_weights(file) for layer, file in zip(layers, files, strict=True)}
    return Facet(Path(files[0]).stem.removesuffix("_spatial"), weights)


def _published_weights(path: str | Path) -> Tensor:
    try:
        array = np.load(io.BytesIO(Path(path).read_bytes()), allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ClipbenchError(f"{str(path)!r} cannot be read as a .npy of numbers") from error
    if not isinstance(array, np.ndarray) or array.ndim not in (2, 4) or len(array) != 1:
        shape = getattr(array, "shape", "no array")
        raise ClipbenchError(f"{str(path)!r} holds {shape}; a facet is (1, channels, h, w) or (1, channels)")
    return torch.from_numpy(array[0].astype(np.float32))


def _distinct(images: Iterable[Image.Image], kind: str) -> dict[str, Image.Image]:
    """Pictures by their digest, or a ClipbenchError if there are too few different ones."""
    distinct = {Original(image).digest: image for image in images}
    if len(distinct) < LEAST_PICTURES:
        raise ClipbenchError(
            f"{len(distinct)} different pictures of {kind} are too few; give at least {LEAST_PICTURES}"
        )
    return distinct


def _held_out(is_theme: Tensor, generator: torch.Generator) -> Tensor:
    """Mark a quarter of either kind, chosen by chance: (n,) bool."""
    held = torch.zeros_like(is_theme)
    for kind in (is_theme.nonzero()[:, 0], (~is_theme).nonzero()[:, 0]):
        chosen = torch.randperm(len(kind), generator=generator)[: len(kind) // _HELD_OUT]
        held[kind[chosen]] = True
    return held


def _fit(features: Tensor, positive: Tensor) -> tuple[Tensor, Tensor]:
    """Weights (d,) and bias () of a logistic regression on standardised features, for features as they are.

    Both kinds of examples count alike, however many there are; a feature that never changes gets weight 0.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(features.numpy())
    fitted = LogisticRegression(C=_PENALTY, class_weight="balanced", tol=1e-8, max_iter=1000)
    fitted.fit(scaler.transform(features.numpy()), positive.numpy())
    weights = fitted.coef_[0] / scaler.scale_
    return torch.from_numpy(weights), torch.tensor(fitted.intercept_[0] - weights @ scaler.mean_)


def _balanced_accuracy(predicted: Tensor, positive: Tensor) -> float:
    """Mean of the rates at which either kind is told right; both arguments (n,) bool."""
    from sklearn.metrics import balanced_accuracy_score

    return float(balanced_accuracy_score(positive.numpy(), predicted.numpy()))


@torch.no_grad()
def _mean_activations(
    model: ImageModel, layers: Sequence[str], pictures: Sequence[Image.Image]
) -> dict[str, Tensor]:
    """Activations after the ReLU, mean over positions: layer -> (n, channels) float64 on the CPU."""
    reads = {layer: Read(layer, relu=True) for layer in layers}
    seen = [model.answers(model.pixels(some), reads.values()) for some in chunks(pictures, _CHUNK)]
    return {
        layer: torch.cat([acts[read].mean(dim=(2, 3)).cpu().double() for acts in seen])
        for layer, read in reads.items()
    }


def _check_accuracy(name: str, accuracy: Mapping[str, float]) -> None:
    layer, worst = min(accuracy.items(), key=lambda item: item[1])
    if worst < LEAST_ACCURACY:
        raise ClipbenchError(
            f"layer {layer!r} tells {name!r} from the background in {worst:.0%} of held-out pictures, a "
            f"facet needs {LEAST_ACCURACY:.0%}; give more and clearer pictures, or another layer"
        )
