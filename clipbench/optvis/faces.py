"""The faces of a unit: groups of the photos that excite it most, each with a picture to start from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel, Read
from clipbench.optvis.objectives import Objective
from clipbench.results import Provenance
from clipbench.streams import chunks

_EACH = 6  # photos a face, on average, among those that excite most
_CHUNK = 32  # photos that are read at a time
_ATTEMPTS = 10  # starts of k-means; the tightest groups of all are taken


@dataclass(frozen=True, eq=False)
class Faces:
    """Groups of photos that excite an objective, and how much each of all photos does.

    Args:
        values: (n,) float32, the objective for each photo as the model sees it.
        groups: for each face the numbers of its photos, the strongest first; the face with the strongest
            photo comes first.
        starts: (k, s, s, 3) uint8, the mean of the photos of each face, to start a picture from.
        provenance: model, objective and how the groups were found; n is the number of photos.
    """

    values: np.ndarray
    groups: tuple[tuple[int, ...], ...]
    starts: np.ndarray
    provenance: Provenance

    @property
    def strongest(self) -> tuple[int, ...]:
        """All photos, the strongest first."""
        return tuple(np.argsort(-self.values, kind="stable").tolist())

    @property
    def images(self) -> list[Image.Image]:
        """The starts as PIL images."""
        return [Image.fromarray(start) for start in self.starts]


def find_faces(
    model: ImageModel, objective: Objective, photos: Sequence[Image.Image], k: int = 4, seed: int = 0
) -> Faces:
    """Group the photos that excite an objective most by what the last layer sees in them.

    The 6·k strongest photos, or half of all if that is fewer, are grouped by k-means of their activations
    in the last layer, mean over positions, of unit length.

    Args:
        model: whose photos they are.
        objective: what is to be excited, of activations alone, such as a channel or a label.
        photos: n PIL images of any size.
        k: how many faces, from 2.
        seed: of k-means.

    Raises:
        ClipbenchError: fewer than 2 faces, fewer than 2·k different photos, or what the objective refuses.
    Source: Nguyen et al. 2016, "Multifaceted feature visualization", whose groups are found in a t-SNE of
        the photos of a class; pictures start from the mean of a group there, too.
    """
    if k < 2:
        raise ClipbenchError(f"{k} faces are no choice; ask for at least 2")
    seen, values, features = _look(model, objective, photos)
    top = min(_EACH * k, len(photos) // 2)
    strongest = values.argsort(descending=True, stable=True)[:top]
    if len(features[strongest].unique(dim=0)) < k:
        raise ClipbenchError(f"{len(photos)} photos are too few for {k} faces; give {2 * k} different ones")
    groups = _grouped(features[strongest].numpy(), strongest.tolist(), k, seed)
    starts = [seen[list(group)].mean(dim=0).permute(1, 2, 0) for group in groups]
    told = f"{objective}, {k} groups of the {top} strongest of {len(photos)} photos in {model.last_layer}"
    return Faces(
        values.numpy(),
        groups,
        (torch.stack(starts) * 255).round().to(torch.uint8).numpy(),
        Provenance(model.name, model.weights_hash, told, seed=seed, n=len(photos)),
    )


def excitement(model: ImageModel, objective: Objective, photos: Sequence[Image.Image]) -> np.ndarray:
    """How much each photo excites an objective: (n,) float32.

    Args and errors as for `find_faces`.
    """
    return _look(model, objective, photos)[1].numpy()


@torch.no_grad()
def _look(
    model: ImageModel, objective: Objective, photos: Sequence[Image.Image]
) -> tuple[Tensor, Tensor, Tensor]:
    """Photos as the model sees them, the objective of each, and what the last layer answers, on the CPU."""
    goal, last = objective.bind(model), Read(model.last_layer, relu=True)
    seen, values, features = [], [], []
    for some in chunks(photos, _CHUNK):
        pixels = model.pixels(some)
        acts = model.answers(pixels, goal.reads | {last})
        seen.append(pixels.cpu())
        values.append(goal.value(acts).float().cpu())
        features.append(normalize(acts[last].float().mean(dim=(2, 3)), dim=1).cpu())
    if not seen:
        raise ClipbenchError("there are no photos; give some")
    return torch.cat(seen), torch.cat(values), torch.cat(features)


def _grouped(features: np.ndarray, numbers: Sequence[int], k: int, seed: int) -> tuple[tuple[int, ...], ...]:
    """Numbers, the strongest first, in k groups by their features; within a group they keep their order."""
    from sklearn.cluster import KMeans  # takes a second, and only this needs it

    labels = KMeans(k, n_init=_ATTEMPTS, random_state=seed).fit_predict(features)
    groups = [[] for _ in range(k)]
    for number, label in zip(numbers, labels, strict=True):
        groups[label].append(number)
    return tuple(map(tuple, sorted(groups, key=lambda group: numbers.index(group[0]))))
