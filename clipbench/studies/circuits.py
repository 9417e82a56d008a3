"""A circuit: the units of a layer below that build a unit, and how sure each of these edges is."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from clipbench.errors import ClipbenchError
from clipbench.intervals import Rate
from clipbench.results import UNREADABLE, Provenance, npz, read_told, save_bytes

_TOLD = ("unit", "lower", "photos")
_ARRAYS = ("activation", "units", "kernels", "predicted", "measured", "others", "other_effects")


@dataclass(frozen=True, eq=False)
class Edge:
    """What one unit of the layer below does to the unit.

    Args:
        unit: its address.
        kernel: (k, k) float32, expanded weights: by how much the unit rises when the one below rises by 1 at
            a position, seen from where the unit answers most.
        predicted: (n,) float32, what the kernel says that it adds to the unit in each photo, beyond what its
            mean activation would.
        measured: (n,) float32, by how much the unit really falls in each photo when it is held at its mean.
        confirmed: whether the mean effect has the predicted sign and exceeds that of every random unit.
    """

    unit: str
    kernel: np.ndarray
    predicted: np.ndarray
    measured: np.ndarray
    confirmed: bool

    @property
    def effect(self) -> float:
        """Mean of `measured`: positive if the unit below excites."""
        return float(self.measured.mean())

    @property
    def agreeing(self) -> Rate:
        """In how many of the photos the effect has the predicted sign."""
        return Rate(int((np.sign(self.measured) == np.sign(self.predicted.mean())).sum()), len(self.measured))


@dataclass(frozen=True, eq=False)
class Circuit:
    """A unit, the units below that build it, and as many random ones for comparison.

    Args:
        unit: address of the unit.
        lower: the layer below.
        photos: places of the n photos among the given images, the most exciting first.
        activation: (n,) float32, the unit's activation in them, before its ReLU.
        units: (e,) channels of the layer below, the strongest first.
        kernels: (e, k, k) float32, their expanded weights; see `Edge`.
        predicted: (e, n) float32.
        measured: (e, n) float32.
        others: (c,) random channels of the layer below.
        other_effects: (c, n) float32, as `measured`.
        agreement: Pearson's correlation of mean predicted and mean measured effect over all e + c units.
        provenance: model, recipe, seed of the random units; n counts the photos of the circuit.
    """

    unit: str
    lower: str
    photos: tuple[int, ...]
    activation: np.ndarray
    units: np.ndarray
    kernels: np.ndarray
    predicted: np.ndarray
    measured: np.ndarray
    others: np.ndarray
    other_effects: np.ndarray
    agreement: float
    provenance: Provenance

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """The units below, the one that adds most first, those that inhibit last."""
        loudest = float(np.abs(self.other_effects.mean(axis=1)).max(initial=0))
        rows = zip(self.units, self.kernels, self.predicted, self.measured, strict=True)
        edges = [
            Edge(f"{self.lower}:{unit}", kernel, told, seen, _confirms(told, seen, loudest))
            for unit, kernel, told, seen in rows
        ]
        return tuple(sorted(edges, key=lambda edge: -edge.effect))

    @property
    def summary(self) -> str:
        """The circuit in a sentence."""
        sure = sum(edge.confirmed for edge in self.edges)
        return (
            f"{sure} of {len(self.edges)} edges from {self.lower} to {self.unit} are confirmed by ablation "
            f"on {len(self.photos)} photos, against {len(self.others)} random units; over all of them, "
            f"predicted and measured effects correlate with r = {self.agreement:.2f}"
        )

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        return {
            "unit": self.unit,
            "lower": self.lower,
            "photos": list(self.photos),
            "activation": self.activation.tolist(),
            "agreement": self.agreement,
            "edges": [
                {
                    "unit": edge.unit,
                    "kernel": edge.kernel.tolist(),
                    "predicted": edge.predicted.tolist(),
                    "measured": edge.measured.tolist(),
                    "effect": edge.effect,
                    "agreeing": edge.agreeing.as_dict(),
                    "confirmed": edge.confirmed,
                }
                for edge in self.edges
            ],
            "random_units": {"channels": self.others.tolist(), "effects": self.other_effects.tolist()},
            "summary": self.summary,
            "provenance": self.provenance.as_dict(),
        }

    def save(self, path: str | Path) -> Path:
        """Write all of it into one .npz file; a ClipbenchError if it cannot be written."""
        told = {name: getattr(self, name) for name in _TOLD} | {"agreement": self.agreement}
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        return save_bytes(npz({**told, "provenance": self.provenance.as_dict()}, **arrays), path)

    @classmethod
    def load(cls, path: str | Path) -> "Circuit":
        """Read what `save` has written; a ClipbenchError if it is not that."""
        try:
            told, saved = read_told(path)
            provenance, photos = Provenance(**told.pop("provenance")), tuple(told.pop("photos"))
            return cls(**saved, **told, photos=photos, provenance=provenance)
        except UNREADABLE as error:
            raise ClipbenchError(f"{str(path)!r} is no circuit that clipbench has written") from error


def _confirms(predicted: np.ndarray, measured: np.ndarray, loudest: float) -> bool:
    effect = float(measured.mean())
    return bool(np.sign(effect) == np.sign(predicted.mean()) and abs(effect) > loudest)
