"""A name for every unit of a layer, with a score on photos that the naming has not seen, or none."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clipbench.errors import ClipbenchError
from clipbench.models import ClipModel, ImageModel
from clipbench.results import Provenance, save_bytes
from clipbench.studies.dissect import Clearness, clearness
from clipbench.studies.meaning import by_photos, by_weights, by_writing, ranks, readable
from clipbench.studies.unit_search import TEMPLATE, VOTE, points
from clipbench.sweeps import Store
from clipbench.tables import ENDINGS, table_bytes

LEVEL = 0.05  # of all units of a layer together (Bonferroni)
_TAIL, _LEAST_TAIL = 0.02, 10  # share of the held-out photos that count as a unit's own, and at least so many
_EXAMPLES = 20  # photos by which clearness is measured


@dataclass(frozen=True)
class Label:
    """What a unit is called.

    Args:
        unit: its address.
        name: the name on which the scores agree most.
        label: the same, or None where it is no better than chance or the scores do not agree.
        votes: for how many scores the name is among the first hundredth.
        auc: how often, on photos that the naming has not seen, one of the unit's own is nearer to the name
            than another photo; 0.5 by chance.
        p: probability of such an auc by chance, one-sided.
        clarity, redundancy, polysemanticity: see `Clearness`.
    """

    unit: str
    name: str
    label: str | None
    votes: int
    auc: float
    p: float
    clarity: float
    redundancy: float
    polysemanticity: float


@dataclass(frozen=True)
class Labels:
    """Labels of all units of a layer.

    Args:
        labels: in the order of the units.
        scores: names of those that were there to agree.
        provenance: of the sweep, with the recipe of the naming.
    """

    labels: tuple[Label, ...]
    scores: tuple[str, ...]
    provenance: Provenance

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        return {
            "labels": [vars(one) for one in self.labels],
            "scores": self.scores,
            "provenance": self.provenance.as_dict(),
        }

    def save(self, path: str | Path) -> Path:
        """Write a table, a row a unit, as .csv or .parquet, whose "about" is the rest.

        Raises:
            ClipbenchError: another ending, or a place that cannot be written to.
        """
        path = Path(path)
        if path.suffix not in ENDINGS:
            raise ClipbenchError(f"{path.name!r} ends in none of {', '.join(ENDINGS)}; choose one of them")
        about = {"scores": self.scores, "provenance": self.provenance.as_dict()}
        return save_bytes(table_bytes(about, [vars(one) for one in self.labels], path.suffix), path)


def label_units(
    reader: ClipModel,
    names: Sequence[str],
    store: Store,
    layer: str,
    *,
    meanings: Store | None = None,
    model: ImageModel | None = None,
    seed: int = 0,
) -> Labels:
    """Name all units of a layer.

    One half of the photos names, the other half judges. Without `model`, only photos name; with it, so does
    the written name, and where the model is the reader itself, its weights.

    Args:
        reader: a CLIP, which knows what is on a photo.
        names: k at least 2 different noun phrases, out of which the labels come.
        store: a sweep of the layer, of any model.
        meanings: a sweep of the same photos by the reader; by default the store itself.
        model: whose sweep the store is.
        seed: of the halving.

    Raises:
        ClipbenchError: too few names or photos, or sweeps of other photos.
    """
    names = list(dict.fromkeys(names))
    meanings = store if meanings is None else meanings
    if len(names) < 2:
        raise ClipbenchError("a name is told from other names; give at least two")
    if not meanings.is_of(reader):
        raise ClipbenchError(
            f"the meanings are those of {meanings.title}, not of {reader.name}; sweep with it"
        )
    rows = np.random.default_rng(seed).permutation(readable(store, meanings, layer))
    naming, judging = np.array_split(rows, 2)
    if len(judging) < 2 * _LEAST_TAIL:
        raise ClipbenchError(f"{len(rows)} photos are too few to name by; sweep at least {4 * _LEAST_TAIL}")
    texts = reader.encode_text([TEMPLATE.format(name) for name in names])
    scores = {"photos": by_photos(store, meanings, layer, texts, naming)}
    if model is not None:
        moments = store.moments(layer)
        scores["writing"] = by_writing(model, layer, names, moments.mean, moments.sd)
        if model.weights_hash == reader.weights_hash:
            scores["weights"] = by_weights(reader, store, layer, texts, points(store))
    chosen, votes = _agreement(scores.values(), len(names))
    cosines = meanings.embeddings()[judging] @ texts.cpu().numpy().T
    activations = store.matrix(layer)[judging].astype(np.float32)
    clear = _clearness(store, meanings, layer, rows)
    labels = []
    for at, name in enumerate(chosen.tolist()):
        auc, p = held_out(activations[:, at], cosines[:, name])
        agreed = votes[at] >= min(2, len(scores))
        sure = names[name] if p < LEVEL / len(chosen) and agreed else None
        marks = (float(side[at]) for side in (clear.clarity, clear.redundancy, clear.polysemanticity))
        labels.append(Label(f"{layer}:{at}", names[name], sure, int(votes[at]), auc, p, *marks))
    recipe = f"{len(names)} names, named by {', '.join(scores)} and {reader.name} {reader.weights_hash[:8]}"
    told = store.provenance(layer)
    provenance = Provenance(
        told.model, told.weights_hash, f"{told.recipe} · {recipe}", None, seed, told.n, told.versions
    )
    return Labels(tuple(labels), tuple(scores), provenance)


def _agreement(scores: Iterable[np.ndarray], names: int) -> tuple[np.ndarray, np.ndarray]:
    """For each unit the name with the least geometric mean of its places, and how many scores vote for it."""
    places = np.stack([ranks(score, axis=1) for score in scores])  # (scores, units, k)
    chosen = np.log(places).sum(axis=0).argmin(axis=1)
    own = np.take_along_axis(places, chosen[None, :, None], 2)[..., 0]
    return chosen, (own <= max(1, VOTE * names)).sum(axis=0)


def held_out(activations: np.ndarray, cosines: np.ndarray) -> tuple[float, float]:
    """Whether a name fits photos that excite a unit better than others.

    Args:
        activations, cosines: (n,), of the unit and of the name.

    Returns:
        Area under the ROC curve, and its one-sided p by Mann and Whitney's normal approximation; a unit that
        is constant gets 0.5 and 1.
    """
    n = len(activations)
    m = min(max(_LEAST_TAIL, round(_TAIL * n)), n - 1)
    if activations.max() == activations.min():
        return 0.5, 1.0
    own = np.argsort(-activations, kind="stable")[:m]
    places = np.empty(n)
    places[np.argsort(cosines, kind="stable")] = np.arange(1, n + 1)
    auc = (places[own].sum() - m * (m + 1) / 2) / (m * (n - m))
    z = (auc - 0.5) / math.sqrt((n + 1) / (12 * m * (n - m)))
    return float(auc), 0.5 * math.erfc(z / math.sqrt(2))


def _clearness(store: Store, meanings: Store, layer: str, rows: np.ndarray) -> Clearness:
    activations, embeddings = store.matrix(layer)[rows].astype(np.float32), meanings.embeddings()[rows]
    tops = np.argsort(-activations, axis=0, kind="stable")[:_EXAMPLES]
    return clearness(np.stack([embeddings[own] for own in tops.T]))
