"""A map on which units lie near one another when the same photos and words excite them."""

from importlib import import_module

import numpy as np

from clipbench.studies.correlation import standardised

_NEIGHBOURS = 15  # units that count as near; UMAP's own default
_COMPONENTS = 50  # that are left before t-SNE, as its authors advise
_LEAST = 4  # units, and answers of each, of which there is a map


def landscape(answers: np.ndarray, seed: int = 0) -> tuple[np.ndarray, str] | None:
    """Lay units out in the plane.

    Each unit is taken as its answers in standard deviations, so that two are near when they correlate.

    Args:
        answers: (n, units), of each unit to n photos or words, or both one after the other.
        seed: of the method's random start.

    Returns:
        (units, 2) places in [0, 1], each axis filled, and how they were found: by UMAP where the package
        umap-learn is installed, else by t-SNE over principal components. None for fewer than four units or
        answers.

    Source: McInnes et al. 2018 (UMAP); van der Maaten and Hinton 2008 (t-SNE).
    """
    units = answers.shape[1]
    if min(answers.shape) < _LEAST:
        return None
    features = standardised(answers.T)
    try:
        umap = import_module("umap")
    except ModuleNotFoundError:
        places, told = _by_tsne(features, seed)
    else:
        near = min(_NEIGHBOURS, units - 1)
        places = umap.UMAP(n_neighbors=near, metric="cosine", random_state=seed).fit_transform(features)
        told = f"UMAP over {len(answers)} answers of each unit, cosine, {near} neighbours, seed {seed}"
    low, high = places.min(axis=0), places.max(axis=0)
    return ((places - low) / np.maximum(high - low, 1e-9)).astype(np.float32), told


def _by_tsne(features: np.ndarray, seed: int) -> tuple[np.ndarray, str]:
    from sklearn.decomposition import PCA  # here: together they take a second to import
    from sklearn.manifold import TSNE

    kept = min(_COMPONENTS, *features.shape)
    compact = PCA(kept, random_state=seed).fit_transform(features)
    perplexity = min(30.0, (len(features) - 1) / 3)
    places = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(compact)
    told = (
        f"t-SNE over {kept} principal components of {features.shape[1]} answers of each unit, perplexity "
        f"{perplexity:.3g}, seed {seed}; with umap-learn installed it would be UMAP"
    )
    return places, told
