"""Labels for units whose truth is known: the logits of mini's control, each of which is a class by training.

Photos of some classes name all thousand units among the thousand names; the units of the classes that are in
the photos are judged. A unit without a label counts as wrong. The photos were in no training of mini. The
sweeps stay in HOME, so that a second run only names.
"""

from pathlib import Path

import numpy as np
from known_photos import classes_of, run, write_unseen
from machine import machine

import clipbench as cb
from clipbench.intervals import Rate
from clipbench.models import ClipModel, imagenet_labels
from clipbench.studies import label_units
from clipbench.studies.dissect import soft_wpmi
from clipbench.studies.unit_search import TEMPLATE
from clipbench.sweeps import Store

LEAST = 0.85
LAYER, TOPS = "logits", (5, 10, 20, 50, 100)


def measure(reader: ClipModel, sources: list[str], home: Path, each: int, classes: int) -> dict:
    control = cb.load("timm/tf_efficientnet_lite0", device="cpu")
    photos = write_unseen(sources, home / "photos", each, classes)
    for model, layers in ((reader, None), (control, [LAYER])):
        list(cb.sweep(model, photos, layers, store=home / "store"))
    store, meanings = Store.open(home / "store", control), Store.open(home / "store", reader)
    names, shown = imagenet_labels(), classes_of(store.names)  # two names stand for two classes each
    known = np.unique(shown)
    found = label_units(reader, names, store, LAYER, meanings=meanings).labels
    given = [at for at in known if found[at].label is not None]
    right = Rate(sum(found[at].label == control.classes[at] for at in known), len(known))
    best = Rate(sum(found[at].name == control.classes[at] for at in known), len(known))
    return {
        "machine": machine("clipbench", "torch"),
        "reader": f"{reader.name} {reader.weights_hash}",
        "units": f"{control.name} {control.weights_hash} {LAYER}",
        "photos": len(shown),
        "names": len(names),
        "label right, of all units of shown classes": right.as_dict(),
        "label right, of those with a label": Rate(right.hits, len(given)).as_dict() if given else None,
        "best name right, of all units of shown classes": best.as_dict(),
        "units of classes without photos that got a label": sum(
            one.label is not None for at, one in enumerate(found) if at not in known
        ),
        "best name right, by photos that count": by_top(
            reader, store, meanings, [control.classes[at] for at in known], known
        ),
        "chance": 1 / len(names),
        "limit": LEAST,
        "passed": right.share >= LEAST,
    }


def by_top(
    reader: ClipModel, store: Store, meanings: Store, truth: list[str], known: np.ndarray
) -> dict[int, float]:
    """Share of units whose best name by CLIP-Dissect's score is right, by how many photos name a unit."""
    names = imagenet_labels()
    texts = reader.encode_text([TEMPLATE.format(name) for name in names]).cpu().numpy()
    activations, cosines = store.matrix(LAYER).astype(np.float32)[:, known], meanings.embeddings() @ texts.T
    good = np.isfinite(activations[:, 0]) & np.isfinite(cosines[:, 0])
    shares = {}
    for top in TOPS:
        best = soft_wpmi(cosines[good], activations[good], top).argmax(axis=1)
        shares[top] = float(np.mean([names[at] == true for at, true in zip(best, truth, strict=True)]))
    return shares


if __name__ == "__main__":
    run(__doc__, measure)
