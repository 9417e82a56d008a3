"""Names: those that `clipbench labels` has written down, and the section on the names that lead to a unit."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clipbench.errors import ClipbenchError
from clipbench.models import ClipModel, ImageModel, imagenet_labels
from clipbench.report.desk import Desk
from clipbench.report.part import Part
from clipbench.results import UNREADABLE
from clipbench.studies.meaning import by_photos, by_weights, by_writing, ranks
from clipbench.studies.unit_search import TEMPLATE, VOTE, points
from clipbench.tables import read_table

_NAMES = 8  # that fit the unit's photos best
_UNNAMED = "No name fits the photos that excite it better than chance, and better than those of other units."
_EXPLAINED = (
    "The names that fit its photos best, of ImageNet's thousand. Each score says at which place this unit "
    "comes when all units of the layer are asked for the name: by the photos that excite it, by what it adds "
    "to the model's likeness with the name, and by its answer to the written name. Bold is the first "
    "hundredth."
)


@dataclass(frozen=True)
class Named:
    """What a unit is called.

    Args:
        label: its name, or None where none is better than chance and than for other units.
        auc: how often, on photos that the naming has not seen, one of the unit's own is nearer to the name
            than another photo; 0.5 by chance.
        votes: how many scores agree.
    """

    label: str | None
    auc: float
    votes: int

    def as_dict(self) -> dict:
        """What a page says of it: "name", "" for none, and "told", a sentence on how sure that is."""
        if self.label is None:
            return {"name": "", "told": _UNNAMED}
        told = (
            f"Named by {self.votes} scores; on photos that the naming has not seen, one of the unit's own is "
            f"nearer to the name than another photo {self.auc:.0%} of the time."
        )
        return {"name": self.label, "told": told}


def read_labels(path: str | Path, model: ImageModel) -> dict[str, Named]:
    """Address of a unit -> what it is called, from a file that `clipbench labels --out` has written.

    Raises:
        ClipbenchError: no such file, something else, or labels of another model.
    """
    try:
        about, rows = read_table(Path(path))
        weights = about["provenance"]["weights_hash"]
        told = {
            row["unit"]: Named(row["label"] or None, float(row["auc"]), int(row["votes"])) for row in rows
        }
    except UNREADABLE as error:
        raise ClipbenchError(
            f"{str(path)!r} is no table of labels; write one with `clipbench labels`"
        ) from error
    if weights != model.weights_hash:
        raise ClipbenchError(
            f"{str(path)!r} has labels of weights {weights[:8]}, not of {model.name} {model.weights_hash[:8]}"
        )
    return told


def search(desk: Desk) -> Iterator[object]:
    """Which names lead to the unit, by three scores that do not know of one another."""
    model, store, layer = desk.model, desk.store, desk.unit.layer
    if not isinstance(model, ClipModel) or layer not in model.layers or desk.constant:
        yield Part({}, {})
        return
    names = list(imagenet_labels())
    texts = model.encode_text([TEMPLATE.format(name) for name in names])
    yield texts
    photos = by_photos(store, store, layer, texts)
    yield photos
    best = np.argsort(-photos[desk.unit.channel], kind="stable")[:_NAMES]
    chosen = [names[at] for at in best]
    weights = by_weights(model, store, layer, texts[best.tolist()], points(store))
    yield weights
    moments = store.moments(layer)
    writing = by_writing(model, layer, chosen, moments.mean, moments.sd)
    first = max(1, VOTE * len(photos))
    rows = []
    for at, name in enumerate(chosen):
        scores = (photos[:, best[at]], weights[:, at], writing[:, at])
        places = [int(ranks(score, axis=0)[desk.unit.channel]) for score in scores]
        rows.append({"name": name, "places": places, "votes": sum(place <= first for place in places)})
    told = store.provenance(layer, str(desk.unit)).as_dict()
    content = {"explained": _EXPLAINED, "scores": ["photos", "weights", "writing"], "rows": rows}
    yield Part({**content, "first": first, "units": len(photos), "provenance": told}, {})
