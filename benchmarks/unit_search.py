"""Text search for units, against looking at the favourite photos of every unit.

A unit is one of a class if at least half of its 20 favourite photos are. Of the classes that own such a unit,
in how many is one among the first ten units, as many as `search_units` lists for the class's name? The photos
were in no training of the model. The sweep stays in HOME, so that a second run only searches.
"""

import sys
from pathlib import Path

import numpy as np
from known_photos import classes_of, run, write_unseen
from machine import machine
from open_clip import IMAGENET_CLASSNAMES

import clipbench as cb
from clipbench.intervals import Rate
from clipbench.models import ClipModel
from clipbench.studies.unit_search import ranked, text_scores
from clipbench.sweeps import Store

FAVOURITES, HALF, LEAST = 20, 0.5, 0.8
LISTED = 10  # units that `search_units` lists
FIRST = (1, 3, LISTED)


def measure(model: ClipModel, sources: list[str], home: Path, each: int, classes: int) -> dict:
    photos, layer = write_unseen(sources, home / "photos", each, classes), model.last_layer
    list(cb.sweep(model, photos, store=home / "store"))
    store = Store.open(home / "store", model)
    shown = classes_of(store.names)
    known = np.unique(shown)
    owned = shares(store.matrix(layer), shown, known) >= HALF  # (units, classes)
    scores = text_scores(model, [IMAGENET_CLASSNAMES[at] for at in known], store, layer)
    orders = [ranked(scores[:, at])[2] for at in range(len(known))]
    findable = np.flatnonzero(owned.any(axis=0))
    if len(findable) == 0:
        sys.exit("no class owns a unit in these photos; give more of each class")
    found = {
        first: Rate(sum(bool(owned[orders[at][:first], at].any()) for at in findable), len(findable))
        for first in FIRST
    }
    by_chance = 1 - np.mean([(1 - owned[:, at].mean()) ** LISTED for at in findable])
    return {
        "machine": machine("clipbench", "torch"),
        "model": f"{model.name} {model.weights_hash}",
        "layer": layer,
        "photos": len(shown),
        "classes": len(known),
        "classes that own a unit": len(findable),
        "found among the first": {first: rate.as_dict() for first, rate in found.items()},
        "found among as many random units": float(by_chance),
        "limit": LEAST,
        "passed": found[LISTED].share >= LEAST,
    }


def shares(activations: np.ndarray, shown: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(units, classes): the share of each class among a unit's favourite photos."""
    favourites = shown[np.argsort(-activations.astype(np.float32), axis=0, kind="stable")[:FAVOURITES]]
    return np.stack([(favourites == one).mean(axis=0) for one in known], axis=1)


if __name__ == "__main__":
    run(__doc__, measure)
