"""Three independent roads from a text to the units of a layer."""

from collections.abc import Generator, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize

from clipbench.errors import ClipbenchError
from clipbench.models import ClipModel, ImageModel, Read, onward
from clipbench.streams import result_of
from clipbench.studies.dissect import soft_wpmi
from clipbench.sweeps import LOOKS, Store

WRITTEN_IN = LOOKS[:4]  # the plain look and three other fonts
_EMBEDDING = Read("embedding")


def by_weights(
    model: ClipModel, store: Store, layer: str, texts: Tensor, pictures: Sequence[Image.Image]
) -> np.ndarray:
    """What a rise of each unit by one standard deviation adds to the cosine with each text, linearised.

    It rises behind its ReLU, see `slopes`.

    Args:
        store: a sweep of the layer, which knows how far a unit rises.
        texts: (k, d), of unit length.
        pictures: a few, at which the network is linearised; the mean over them is returned.

    Returns:
        (units, k) float32.
    """
    rises = slopes(model, model.pixels(pictures), Read(layer, relu=True), texts)
    return (rises * store.moments(layer, "mean").sd[:, None]).astype(np.float32)


def slopes(model: ImageModel, pixels: Tensor, units: Read, texts: Tensor) -> np.ndarray:
    """By how much cosines with (k, d) directions rise if a unit rises by 1 everywhere, mean over pictures.

    Args:
        pixels: (n, 3, s, s), at which the network is linearised.
        units: the layer, before its ReLU or behind it. Before it, a unit that is silent in all the pictures
            does nothing, so pictures that are no unit's own are for the place behind.

    Returns:
        (units, k) float32.
    """
    return result_of(sloped(model, pixels, units, texts))


@torch.enable_grad()
def sloped(
    model: ImageModel, pixels: Tensor, units: Read, texts: Tensor
) -> Generator[None, None, np.ndarray]:
    """The same as `slopes`, returned at the end: yields after each direction, where a reader can stop."""
    plain = Read(units.layer)
    values = model.answers(pixels, [plain])[plain]
    seen = onward(model, pixels, units.layer, values.requires_grad_(), [units, _EMBEDDING])
    cosines = (normalize(seen[_EMBEDDING].flatten(1).float(), dim=1) @ texts.T).mean(dim=0)
    rises = []
    for one in cosines:
        (rise,) = torch.autograd.grad(one, seen[units], retain_graph=True)
        rises.append(rise.float().sum(dim=(0, 2, 3)))
        yield
    return torch.stack(rises, dim=1).cpu().numpy()


def by_photos(
    store: Store, reader: Store, layer: str, texts: Tensor, rows: np.ndarray | None = None
) -> np.ndarray:
    """CLIP-Dissect's score of each unit and text over swept photos.

    Args:
        store: a sweep of the layer.
        reader: a sweep of the same photos by the CLIP whose texts these are; it may be the same sweep.
        texts: (k, d), k at least 2: a score says how much better a text fits than the others.
        rows: numbers of the photos that count; None takes all.

    Returns:
        (units, k) float32.

    Raises:
        ClipbenchError: the two sweeps are of other photos, or fewer than two texts.
    """
    if len(texts) < 2:
        raise ClipbenchError("a text is told from other texts; give at least two")
    rows = readable(store, reader, layer) if rows is None else rows
    similarities = reader.embeddings()[rows] @ texts.cpu().numpy().T
    return soft_wpmi(similarities, store.matrix(layer)[rows].astype(np.float32))


def readable(store: Store, reader: Store, layer: str) -> np.ndarray:
    """Numbers of the photos that both sweeps have read.

    Raises:
        ClipbenchError: the two sweeps are of other photos.
    """
    if store.stimuli_hash != reader.stimuli_hash:
        raise ClipbenchError(
            f"{store.title} and {reader.title} are of other photos; sweep the same ones with both"
        )
    good = np.isfinite(store.matrix(layer)[:, 0]) & np.isfinite(reader.matrix("embedding")[:, 0])
    return np.flatnonzero(good)


def by_writing(
    model: ImageModel, layer: str, texts: Sequence[str], mean: np.ndarray, sd: np.ndarray
) -> np.ndarray:
    """What each unit says to each text, written in four fonts, in standard deviations.

    Args:
        texts: k texts; those that cannot be written get 0.
        mean, sd: (units,) of what the units say to words, or to photos.

    Returns:
        (units, k) float32.
    """
    told = np.zeros((model.layer(layer).channels, len(texts)), np.float32)
    for at, text in enumerate(texts):
        try:
            pictures = [look.picture(text) for look in WRITTEN_IN]
        except ClipbenchError:
            continue
        said = model.activations(pictures, layer).amax(dim=(2, 3)).float().mean(dim=0).cpu().numpy()
        told[:, at] = (said - mean) / np.maximum(sd, 1e-6)
    return told


def ranks(scores: np.ndarray, axis: int) -> np.ndarray:
    """Place of each score along an axis, the largest has 1; equal scores keep their order."""
    order = np.argsort(-scores, axis=axis, kind="stable")
    return np.argsort(order, axis=axis, kind="stable") + 1
