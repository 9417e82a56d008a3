"""What images say of units in a space of meaning: names by CLIP-Dissect's score, and how clear a unit is."""

from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans

from clipbench.errors import ClipbenchError

_SHARPNESS = 10.0
_TOP, _SHARE, _FEWEST = 100, 0.002, 10  # images that speak for a unit: the paper's 100, as of 50,000 there
_FIRST, _LAST = 0.998, 0.97  # how surely the first and the last of the top images are examples
_LEAST = 1e-7
_FIRST_IMAGES = 10  # with which a unit is compared whose examples do not fall into two groups


def soft_wpmi(similarities: np.ndarray, activations: np.ndarray, top: int | None = None) -> np.ndarray:
    """CLIP-Dissect's soft weighted pointwise mutual information of units and names.

    Args:
        similarities: (n, k), cosines of n images with k names.
        activations: (n, units) of the same images, finite.
        top: most exciting images that speak for a unit; None takes one in 500 of the images, from 10 to the
            paper's 100: of few images the first hundred show what the unit does not mean.

    Returns:
        (units, k) float32, larger for a better name; it compares names of a unit, and units for a name.

    Source: Oikarinen and Weng 2023, equation 4, with the constants of their code (similarity.py, soft_wpmi).
    """
    n = len(similarities)
    top = min(max(round(_SHARE * n), _FEWEST), _TOP, n) if top is None else min(top, n)
    logits = _SHARPNESS * similarities.astype(np.float64)
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    sure = (_FIRST - np.arange(top) / top * (_FIRST - _LAST))[:, None]
    order = np.argsort(-activations, axis=0, kind="stable")[:top]
    given = np.stack([np.log(1 + sure * (shares[own] - 1) + _LEAST).sum(axis=0) for own in order.T])
    largest = given.max(axis=0)
    prior = largest + np.log(np.exp(given - largest).mean(axis=0))
    return (given - prior).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Clearness:
    """How the most exciting images of units lie in a space of meaning.

    Args:
        clarity: (units,) how alike the images of a unit are; 1 for one meaning, about 0 for none.
        redundancy: (units,) how alike a unit's mean image is to that of the unit that is nearest, -1 … 1.
        polysemanticity: (units,) how unlike the two groups are into which its images fall, 0 … 2.
    """

    clarity: np.ndarray
    redundancy: np.ndarray
    polysemanticity: np.ndarray


def clearness(examples: np.ndarray, seed: int = 123) -> Clearness:
    """SemanticLens' three scores of units.

    Args:
        examples: (units, m, d), embeddings of the m most exciting images of each unit, m at least 2.
        seed: of the search for two groups.

    Raises:
        ClipbenchError: fewer than two images or units.

    Source: Dreyer et al. 2025, and their code (semanticlens/scores.py); their redundancy is the mean over
        units of the one here.
    """
    if examples.ndim != 3 or min(examples.shape[:2]) < 2:
        raise ClipbenchError("clearness needs two units and two images of each at least; sweep more images")
    means = _unit_length(examples.mean(axis=1))
    likeness = means @ means.T - 2 * np.eye(len(means))
    poly = np.array([_polysemanticity(own, seed) for own in examples])
    return Clearness(_clarity(examples), likeness.max(axis=1), poly)


def _clarity(examples: np.ndarray) -> np.ndarray:
    """(…, m, d) -> (…): the mean cosine of all pairs of different images."""
    m = examples.shape[-2]
    mean = _unit_length(examples).mean(axis=-2)
    return ((mean**2).sum(axis=-1) - 1 / m) * m / (m - 1)


def _polysemanticity(examples: np.ndarray, seed: int) -> float:
    if np.ptp(examples, axis=0).max() > 1e-6:  # else there is nothing to part
        groups = KMeans(n_clusters=2, n_init=10, random_state=seed).fit(examples)
        if np.bincount(groups.labels_, minlength=2).min() >= 2:
            return float(1 - _clarity(groups.cluster_centers_))
    mean = examples.mean(axis=0)
    pairs = np.stack([np.stack([mean, one]) for one in examples[:_FIRST_IMAGES]])
    return float(1 - _clarity(pairs).mean())


def _unit_length(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
