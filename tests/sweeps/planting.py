"""Stores of made-up answers, for what holds whatever a network says."""

import numpy as np

from clipbench.sweeps import Store
from clipbench.sweeps.shelf import Rows, Shelf


def planted(path, layers: dict[str, np.ndarray], origin=None, names=None, **attributes) -> Store:
    """A finished sweep in which layers said what they are to say; those called "embedding" have no map.

    Args:
        layers: name -> (n, units), the maxima, and the means.
    """
    n = len(next(iter(layers.values())))
    told = {
        "model": "planted",
        "weights_hash": "0123456789ab",
        "preprocessing": "none",
        "image_size": 64,
        "view": 1.0,
        "stimuli": "feedfeedfeed",
        "origin": origin or {"kind": "images", "root": str(path), "column": "image"},
        "n": n,
        "block": 64,
        "begun": "2026-01-01T00:00:00+00:00",
        "versions": {},
        **attributes,
    }
    names = [f"{number}.png" for number in range(n)] if names is None else names
    shelf = Shelf.create(path, f"{told['model']}-{told['stimuli']}", told, names, [bytes(16)] * n)
    for layer, values in layers.items():
        stride = None if layer == "embedding" else 32
        shelf.add_layer(layer, values.shape[1], stride, (1, 1) if stride is None else (2, 2))
        for block in range(shelf.blocks):
            part = values[slice(*shelf.span(block))].astype(np.float16)
            places = np.zeros(part.shape, np.uint8)
            shelf.write(layer, block, Rows(part, *((None, None) if stride is None else (part, places))))
    return Store(shelf)
