"""Units that are like a unit: by what photos and words do to them, and by what they do to the embedding."""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel, Read
from clipbench.results import Provenance
from clipbench.streams import result_of
from clipbench.studies.meaning import sloped
from clipbench.studies.unit_search import points
from clipbench.sweeps import Store
from clipbench.units import Unit

_POINTS = 2  # photos at which the network is linearised; two others give the same order to ρ = 0.99


@dataclass(frozen=True)
class Alike:
    """The units most like one unit, in one sense.

    Args:
        by: "photos", "words" or "weights".
        units: addresses, the most alike first.
        likeness: of each, -1 … 1: Pearson's correlation over photos or words; of weights, the cosine of what
            the two units do to the embedding.
        provenance: of the sweep, with the unit's address.
    """

    by: str
    units: tuple[str, ...]
    likeness: tuple[float, ...]
    provenance: Provenance


def similar_units(
    model: ImageModel, unit: str | Unit, store: Store, words: Store | None = None, top: int = 10
) -> tuple[Alike, ...]:
    """Find the units of a layer that are most like one of it, in two or three independent senses.

    Args:
        model: whose unit it is.
        unit: its address.
        store: a sweep of photos by this model, with the unit's layer.
        words: a sweep of words by it; None leaves that sense out.
        top: how many units in each sense.

    Raises:
        ClipbenchError: a unit or layer that was not swept, or a sweep by another model.
    """
    return result_of(compared(model, unit, store, words, top))


def compared(
    model: ImageModel, unit: str | Unit, store: Store, words: Store | None = None, top: int = 10
) -> Generator[None, None, tuple[Alike, ...]]:
    """The same as `similar_units`, returned at the end: yields where a reader can stop."""
    for one in (store, words):
        if one is not None and not one.is_of(model):
            raise ClipbenchError(f"the store is of {one.title}, not of {model.name}; sweep with {model.name}")
    unit = store.unit(unit)
    senses = {"photos": _correlations(store, unit)}
    if words is not None:
        senses["words"] = _correlations(words, unit)
    senses["weights"] = yield from _effects(model, store, unit)
    provenance = store.provenance(unit.layer, str(unit))
    found = []
    for by, likeness in senses.items():
        likeness[unit.channel] = -np.inf
        order = np.argsort(-likeness, kind="stable")[: min(top, len(likeness) - 1)].tolist()
        addresses = tuple(f"{unit.layer}:{at}" for at in order)
        found.append(Alike(by, addresses, tuple(float(likeness[at]) for at in order), provenance))
    return tuple(found)


def _correlations(store: Store, unit: Unit) -> np.ndarray:
    """(units,) Pearson's correlation with one unit; a unit that is constant is like none."""
    answers = store.matrix(unit.layer).astype(np.float32)
    answers = answers[np.isfinite(answers[:, 0])]
    return _cosines((answers - answers.mean(axis=0)).T, unit.channel)


def _effects(model: ImageModel, store: Store, unit: Unit) -> Generator[None, None, np.ndarray]:
    """Returns (units,), the cosine of what the units do to the embedding with what one unit does."""
    axes = torch.eye(model.layer("embedding").channels, device=model.device)
    pixels, units = model.pixels(points(store, _POINTS)), Read(unit.layer, relu=True)
    pulls = yield from sloped(model, pixels, units, axes)
    return _cosines(pulls, unit.channel)


def _cosines(rows: np.ndarray, at: int) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 1e-9)
    return rows @ rows[at]
