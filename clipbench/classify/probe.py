"""Linear probes: a classifier trained on what a model makes of pictures, while the model stays as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize

from clipbench.classify.classifier import Classifier
from clipbench.errors import ClipbenchError
from clipbench.intervals import Rate
from clipbench.models import ImageModel
from clipbench.results import UNREADABLE, Provenance, npz, read_told, save_bytes
from clipbench.stimuli import read_image
from clipbench.streams import chunks

_CHUNK = 32  # images that are read at a time
_FOLDER = Path(__file__).parent / "probes"
# Probes of the embedded model that are shipped, by name; scripts/make_probes.py makes them.
SHIPPED = {name: _FOLDER / f"{name}.npz" for name in ("tiny-imagenet", "readout")}


@dataclass(frozen=True, eq=False)
class Probe(Classifier):
    """k labels, each with a direction in a model's embedding.

    Args:
        model: the model whose features it was trained on.
        labels: k labels.
        weights: (k, d) float32, for features as `embed` gives them.
        bias: (k,) float32.
        kind: how it was made, such as "logistic regression".
        held_out: how often it was right on images that neither its weights nor its penalty were chosen by.
        no_data: labels that were asked for and had too few images; they are not among the k.
        provenance: model, kind and penalty; n counts the images it was trained on.
    """

    model: ImageModel
    labels: tuple[str, ...]
    weights: Tensor
    bias: Tensor
    kind: str
    held_out: Rate
    no_data: tuple[str, ...]
    provenance: Provenance

    @property
    def name(self) -> str:
        """What it is called where a network would be called by its name."""
        return f"the {self.kind} on {self.model.name}"

    @property
    def classes(self) -> tuple[str, ...]:
        """Its labels, by the name that a network's classes have, so that words find both by one rule."""
        return self.labels

    @property
    def recipe(self) -> str:
        """See `Classifier`."""
        return f"{self.provenance.recipe}, on {self.provenance.n} images, over {len(self.labels)} labels"

    def logits(self, features: Tensor) -> Tensor:
        """See `Classifier`."""
        return scaled(features) @ self.weights.T + self.bias

    def place(self, label: str) -> int:
        """See `Classifier`; a label without data is told from an unknown one."""
        if label in self.no_data:
            raise ClipbenchError(f"this probe has no data for {label!r}: too few images had that label")
        return super().place(label)

    def coordinates(self, label: str) -> tuple[tuple[int, float], ...]:
        """The coordinates that a label's direction uses and their weights, the largest first."""
        row = self.weights[self.place(label)].cpu().numpy()
        order = np.argsort(-np.abs(row), kind="stable")
        return tuple((int(place), float(row[place])) for place in order if row[place])

    def save(self, path: str | Path) -> Path:
        """Write it into one .npz file, its words as JSON.

        Raises:
            ClipbenchError: another ending, or a file that cannot be written.
        """
        if Path(path).suffix != ".npz":
            raise ClipbenchError(f"{Path(path).name!r} must end in .npz")
        told = {
            "probe": self.kind,
            "labels": self.labels,
            "held_out": [self.held_out.hits, self.held_out.n],
            "no_data": self.no_data,
            "provenance": self.provenance.as_dict(),
        }
        content = npz(told, weights=self.weights.cpu().numpy(), bias=self.bias.cpu().numpy())
        return save_bytes(content, path)


def load_probe(path: str | Path, model: ImageModel) -> Probe:
    """Read what `Probe.save` has written, for the model that it was trained on.

    Args:
        path: a file, or the name of a probe that scripts/make_probes.py makes for the embedded model:
            "tiny-imagenet", trained on photos of 200 classes, or "readout", a ridge regression to its
            control's logits.
        model: the model.

    Raises:
        ClipbenchError: no such file, no probe, or one that was trained on other weights.
    """
    path = SHIPPED.get(str(path), Path(path))
    if not path.is_file():
        shipped = ", ".join(name for name, file in SHIPPED.items() if file.is_file()) or "none yet"
        raise ClipbenchError(
            f"there is no probe {str(path)!r}; `Probe.save` writes one, shipped for mini: {shipped}"
        )
    try:
        told, saved = read_told(path)
        weights, bias = (torch.from_numpy(saved[name]).to(model.device) for name in ("weights", "bias"))
        provenance, held_out = Provenance(**told["provenance"]), Rate(*told["held_out"])
        labels, no_data, kind = tuple(told["labels"]), tuple(told["no_data"]), told["probe"]
    except UNREADABLE as error:
        raise ClipbenchError(f"{str(path)!r} is not a probe that clipbench has written") from error
    if provenance.weights_hash != model.weights_hash:
        raise ClipbenchError(
            f"{str(path)!r} was trained on {provenance.model} with weights {provenance.weights_hash}, not on "
            f"{model.name} with weights {model.weights_hash}; train it anew"
        )
    return Probe(model, labels, weights, bias, kind, held_out, no_data, provenance)


def scaled(features: Tensor) -> Tensor:
    """(n, d) embeddings of any length -> (n, d) float32 of length √d, so that a coordinate is about 1."""
    return normalize(features.float(), dim=1) * features.shape[1] ** 0.5


def embed(model: ImageModel, images: Sequence[Image.Image | str | Path]) -> np.ndarray:
    """Features to train a probe on.

    Args:
        model: any model.
        images: n PIL images or paths.

    Returns:
        (n, d) float32, embeddings of length √d.

    Raises:
        ClipbenchError: no images, or one that cannot be read.
    """
    if len(images) == 0:
        raise ClipbenchError("there are no images; give at least one")
    parts = []
    for some in chunks(images, _CHUNK):
        pictures = [read_image(image).image for image in some]
        parts.append(scaled(model.encode_image(pictures)).cpu().numpy())
    return np.concatenate(parts)
