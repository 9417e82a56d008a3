"""A name for every unit of a layer, with a score on photos that the naming has not seen, or none."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import norm
from torch import Tensor

from clipbench.errors import ClipbenchError
from clipbench.models import ClipModel, ImageModel
from clipbench.results import Provenance, save_bytes
from clipbench.studies.dissect import Clearness, clearness
from clipbench.studies.meaning import by_photos, by_weights, by_writing, ranks, readable
from clipbench.studies.unit_search import TEMPLATE, VOTE, points
from clipbench.sweeps import Store
from clipbench.tables import ENDINGS, table_bytes

LEVEL = 0.05  # of all units of a layer together (Bonferroni)
RIVALS = 0.005  # a label fits fewer units than this share of the layer better than its own
_TAIL, _LEAST_TAIL = 0.02, 10  # share of the held-out photos that count as a unit's own, and at least so many
_EXAMPLES = 20  # photos by which clearness is measured
MOST_NAMES = 20_000  # each is held against each photo and unit, in memory, and shown in four fonts


@dataclass(frozen=True)
class Label:
    """What a unit is called.

    Args:
        unit: its address.
        name: the name on which the scores agree most.
        label: the same, or None where it is no better than chance, fits too many other units better or the
            scores do not agree.
        votes: for how many scores the name is among the first hundredth.
        auc: how often, on photos that the naming has not seen, one of the unit's own is nearer to the name
            than another photo; 0.5 by chance.
        p: probability of such an auc by chance, one-sided.
        rivals: how many other units of the layer the name fits better, by the same photos and auc.
        clarity, redundancy, polysemanticity: see `Clearness`.
    """

    unit: str
    name: str
    label: str | None
    votes: int
    auc: float
    p: float
    rivals: int
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
        names: k different noun phrases, 2 to `MOST_NAMES`, out of which the labels come.
        store: a sweep of the layer, of any model.
        meanings: a sweep of the same photos by the reader; by default the store itself.
        model: whose sweep the store is.
        seed: of the halving.

    Raises:
        ClipbenchError: too few or too many names, too few photos, or sweeps of other photos.
    """
    names, meanings = list(dict.fromkeys(names)), store if meanings is None else meanings
    _check(reader, names, meanings)
    rows = np.random.default_rng(seed).permutation(readable(store, meanings, layer))
    naming, judging = np.array_split(rows, 2)
    if len(judging) < 2 * _LEAST_TAIL:
        raise ClipbenchError(f"{len(rows)} photos are too few to name by; sweep at least {4 * _LEAST_TAIL}")
    texts = reader.encode_text([TEMPLATE.format(name) for name in names])
    scores = {"photos": by_photos(store, meanings, layer, texts, naming)}
    if model is not None:
        scores |= _further_scores(reader, model, names, texts, store, layer)
    chosen, votes = _agreement(scores.values(), len(names))
    cosines = meanings.embeddings()[judging] @ texts.cpu().numpy().T
    aucs, ps, rivals = _judged(store.matrix(layer)[judging].astype(np.float32), cosines[:, chosen])
    sure = (ps < LEVEL / len(chosen)) & (rivals < max(1, RIVALS * len(chosen)))
    sure &= votes >= min(2, len(scores))
    clear = _clearness(store, meanings, layer, rows)
    marks = (clear.clarity, clear.redundancy, clear.polysemanticity)
    columns = zip(
        chosen.tolist(), sure, *(values.tolist() for values in (votes, aucs, ps, rivals, *marks)), strict=True
    )
    labels = tuple(
        Label(f"{layer}:{at}", names[name], names[name] if certain else None, *told)
        for at, (name, certain, *told) in enumerate(columns)
    )
    return Labels(labels, tuple(scores), _provenance(reader, store, layer, len(names), scores, seed))


def _check(reader: ClipModel, names: Sequence[str], meanings: Store) -> None:
    if len(names) < 2:
        raise ClipbenchError("a name is told from other names; give at least two")
    if len(names) > MOST_NAMES:
        raise ClipbenchError(f"{len(names):,} names are too many; give {MOST_NAMES:,} at most")
    if not meanings.is_of(reader):
        raise ClipbenchError(
            f"the meanings are those of {meanings.title}, not of {reader.name}; sweep with it"
        )


def _further_scores(
    reader: ClipModel, model: ImageModel, names: Sequence[str], texts: Tensor, store: Store, layer: str
) -> dict[str, np.ndarray]:
    """What the model itself says, (units, k) each: by the written name, and as a CLIP by its weights."""
    moments = store.moments(layer)
    scores = {"writing": by_writing(model, layer, names, moments.mean, moments.sd)}
    if model.weights_hash == reader.weights_hash:
        scores["weights"] = by_weights(reader, store, layer, texts, points(store))
    return scores


def _judged(activations: np.ndarray, cosines: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each unit by its own name: auc, p, and how many other units the name fits better, (units,) each.

    Args:
        activations: (n, units). cosines: (n, units), to the name of each unit.
    """
    aucs, ps = held_out(activations, cosines)
    own = np.diagonal(aucs)
    return own, np.diagonal(ps), (aucs > own).sum(axis=0)


def _provenance(
    reader: ClipModel, store: Store, layer: str, n_names: int, scores: Iterable[str], seed: int
) -> Provenance:
    told = store.provenance(layer)
    recipe = f"{n_names} names, named by {', '.join(scores)} and {reader.name} {reader.weights_hash[:8]}"
    return Provenance(
        told.model, told.weights_hash, f"{told.recipe} · {recipe}", None, seed, told.n, told.versions
    )


def _agreement(scores: Iterable[np.ndarray], names: int) -> tuple[np.ndarray, np.ndarray]:
    """For each unit the name with the least geometric mean of its places, and how many scores vote for it."""
    places = np.stack([ranks(score, axis=1) for score in scores])  # (scores, units, k)
    chosen = np.log(places).sum(axis=0).argmin(axis=1)
    own = np.take_along_axis(places, chosen[None, :, None], 2)[..., 0]
    return chosen, (own <= max(1, VOTE * names)).sum(axis=0)


def held_out(activations: np.ndarray, cosines: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether names fit photos that excite units better than others.

    Args:
        activations: (n, units).
        cosines: (n, k), of names.

    Returns:
        Two arrays (units, k): area under the ROC curve, and its one-sided p by Mann and Whitney's normal
        approximation; a unit that is constant gets 0.5 and 1.
    """
    n = len(activations)
    m = min(max(_LEAST_TAIL, round(_TAIL * n)), n - 1)
    own = np.zeros(activations.shape, np.float32)
    np.put_along_axis(own, np.argsort(-activations, axis=0, kind="stable")[:m], 1, axis=0)
    places = ranks(-cosines, axis=0).astype(np.float32)  # the photo that is farthest from a name has 1
    sums = own.T @ places
    aucs = (sums - m * (m + 1) / 2) / (m * (n - m))
    ps = norm.sf((aucs - 0.5) / math.sqrt((n + 1) / (12 * m * (n - m))))
    constant = np.ptp(activations, axis=0) == 0
    aucs[constant], ps[constant] = 0.5, 1.0
    return aucs, ps


def _clearness(store: Store, meanings: Store, layer: str, rows: np.ndarray) -> Clearness:
    activations, embeddings = store.matrix(layer)[rows].astype(np.float32), meanings.embeddings()[rows]
    tops = np.argsort(-activations, axis=0, kind="stable")[:_EXAMPLES]
    return clearness(np.stack([embeddings[own] for own in tops.T]))
