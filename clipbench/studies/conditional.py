"""What a unit's activation says about a picture: labels of pictures drawn evenly over its whole range."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePosixPath

import numpy as np

from clipbench.errors import ClipbenchError
from clipbench.intervals import wilson
from clipbench.results import Provenance
from clipbench.sweeps import Store
from clipbench.units import Unit

_MOST = 1000  # buckets; more have no pictures to count


@dataclass(frozen=True, eq=False)
class Sample:
    """Pictures drawn evenly over a unit's range.

    Args:
        edges: (b + 1,) ends of the buckets, raw activations before the ReLU, evenly spaced.
        population: (b,) how many pictures lie in each bucket, drawn or not.
        places: (m,) positions of the drawn ones, in the shuffled order in which to label them.
        buckets: (m,) the bucket of each.
        sd: standard deviation of all activations.
        seed: of the drawing.
    """

    edges: np.ndarray
    population: np.ndarray
    places: np.ndarray
    buckets: np.ndarray
    sd: float
    seed: int


def stratify(activations: np.ndarray, buckets: int = 10, each: int = 50, seed: int = 0) -> Sample:
    """Draw up to so many pictures from each of some buckets of equal width.

    A bucket with fewer pictures gives all that it has; an empty one gives none, and is told as such.

    Args:
        activations: (n,) of one unit, before the ReLU.
        buckets: from 2 to 1,000.
        each: pictures of a bucket, at least 1.
        seed: of the drawing and of the order, 0 or above.

    Raises:
        ClipbenchError: no finite activations, a unit that is constant, or numbers out of their range.

    Source: Goh et al. 2021, appendix "Conditional Probability Plots".
    """
    values = np.asarray(activations, np.float64)
    if values.ndim != 1 or len(values) == 0 or not np.isfinite(values).all():
        raise ClipbenchError(f"activations must be a row of finite numbers, not shape {values.shape}")
    if not 2 <= buckets <= _MOST or each < 1:
        raise ClipbenchError(f"it takes 2 to {_MOST} buckets and 1 picture each, not {buckets} and {each}")
    if seed < 0:
        raise ClipbenchError(f"a seed is 0 or above, not {seed}")
    if values.min() == values.max():
        raise ClipbenchError("the unit answers the same to every picture; choose one that does not")
    edges = np.linspace(values.min(), values.max(), buckets + 1)
    bucket = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, buckets - 1)
    rng = np.random.default_rng(seed)
    inside = [np.flatnonzero(bucket == number) for number in range(buckets)]
    drawn = np.concatenate([rng.permutation(own)[:each] for own in inside])
    places = rng.permutation(drawn)
    population = np.array([len(own) for own in inside])
    return Sample(edges, population, places, bucket[places], float(values.std()), seed)


@dataclass(frozen=True, eq=False)
class Conditional:
    """How often each label was given in each bucket, and what follows.

    Args:
        labels: k names.
        edges: (b + 1,) ends of the buckets, raw activations.
        counts: (k, b) pictures of a label in a bucket.
        population: (b,) pictures in a bucket, labelled or not; None where nobody knows, as in the records.
        sd: standard deviation of the unit, by which the axis is divided.
        provenance: model, unit and recipe; n counts labelled pictures.
    """

    labels: tuple[str, ...]
    edges: np.ndarray
    counts: np.ndarray
    population: np.ndarray | None
    sd: float
    provenance: Provenance

    @property
    def totals(self) -> np.ndarray:
        """(b,) labelled pictures in each bucket."""
        return self.counts.sum(axis=0)

    @property
    def sds(self) -> np.ndarray:
        """(b + 1,) the edges in standard deviations from zero activation, as the article has them."""
        return self.edges / self.sd

    @cached_property
    def shares(self) -> np.ndarray:
        """(k, b) P(label | bucket), nan where nothing is labelled; its columns sum to 1."""
        with np.errstate(invalid="ignore"):
            return self.counts / self.totals

    @cached_property
    def intervals(self) -> np.ndarray:
        """(k, b, 2) Wilson's 95 % intervals of `shares`, nan where nothing is labelled."""
        none = (np.nan, np.nan)
        return np.array(
            [
                [wilson(int(hits), int(n)) if n else none for hits, n in zip(row, self.totals, strict=True)]
                for row in self.counts
            ]
        )

    @cached_property
    def given_label(self) -> np.ndarray:
        """(k, b) P(bucket | label): what the article's plot does not show.

        The drawing was even over buckets, pictures are not; so each bucket weighs as many pictures as lie
        in it. Buckets without labels count as without the label. Zeros where a label was never given.

        Raises:
            ClipbenchError: the numbers of pictures in the buckets are not known.
        """
        if self.population is None:
            raise ClipbenchError("the record does not say how many pictures lie in each bucket")
        mass = np.nan_to_num(self.shares) * self.population
        return mass / np.maximum(mass.sum(axis=1, keepdims=True), 1e-300)

    @property
    def recall(self) -> np.ndarray:
        """(k, b) share of a label's pictures that lie in a bucket or above it: recall at its left edge."""
        return self.given_label[:, ::-1].cumsum(axis=1)[:, ::-1]

    def as_dict(self) -> dict:
        """All of it as plain JSON types; None where nothing is labelled, or not known."""
        told = {
            "labels": list(self.labels),
            "edges": self.edges.tolist(),
            "sd": self.sd,
            "counts": self.counts.tolist(),
            "shares": _plain(self.shares),
            "intervals": [_plain(rows) for rows in self.intervals],
        }
        if self.population is not None:
            told |= {"population": self.population.tolist(), "recall": self.recall.tolist()}
        return {**told, "provenance": self.provenance.as_dict()}

    def as_article(self, colours: Sequence[str] = ()) -> dict:
        """The same in the shape of the article's records; buckets without labels are left out."""
        kept = self.totals > 0
        return {
            "bins": self.edges[:-1][kept].tolist(),
            "heights": self.shares[:, kept].tolist(),
            "labelNames": list(self.labels),
            "labelCounts": self.counts.sum(axis=1).tolist(),
            "colors": list(colours),
        }


def conditional(sample: Sample, given: Sequence[str | None], provenance: Provenance) -> Conditional:
    """Count labels.

    Args:
        sample: what was drawn.
        given: a label for each drawn picture, in the sample's order; None where it has none yet.
        provenance: of the activations.

    Raises:
        ClipbenchError: another number of labels than pictures, or no label at all.
    """
    if len(given) != len(sample.places):
        raise ClipbenchError(f"there are {len(sample.places)} pictures and {len(given)} labels")
    labels = tuple(sorted({label for label in given if label is not None}))
    if not labels:
        raise ClipbenchError("no picture has a label yet; label at least one")
    counts = np.zeros((len(labels), len(sample.population)), np.int64)
    for label, bucket in zip(given, sample.buckets, strict=True):
        if label is not None:
            counts[labels.index(label), bucket] += 1
    return Conditional(labels, sample.edges, counts, sample.population, sample.sd, provenance)


def known(
    activations: np.ndarray,
    labels: Sequence[str],
    provenance: Provenance,
    *,
    buckets: int = 10,
    each: int = 50,
    seed: int = 0,
) -> tuple[Sample, Conditional]:
    """Draw from pictures whose labels are known, and count.

    Args:
        activations: (n,) of one unit, before the ReLU.
        labels: n, one for each picture.
        provenance: of the activations, with the unit's address.
        buckets, each, seed: see `stratify`.

    Raises:
        ClipbenchError: another number of labels than activations, or what `stratify` refuses.
    """
    if len(labels) != len(activations):
        raise ClipbenchError(f"there are {len(activations)} activations and {len(labels)} labels")
    sample = stratify(activations, buckets, each, seed)
    given = [labels[place] for place in sample.places]
    recipe = f"{provenance.recipe}, {buckets} buckets of up to {each}"
    told = replace(provenance, recipe=recipe, seed=seed, n=len(given))
    return sample, conditional(sample, given, told)


def of_store(store: Store, unit: str | Unit, **settings: int) -> Conditional:
    """A unit's plot from swept pictures; the folder in which each lies is its label.

    Args:
        store: a sweep of pictures in folders, one for each label.
        unit: its address.
        settings: see `known`.

    Raises:
        ClipbenchError: what `swept` or `stratify` refuses.
    """
    values, labels = swept(store, unit)
    unit = store.unit(unit)
    return known(values, labels.tolist(), store.provenance(unit.layer, str(unit)), **settings)[1]


def swept(store: Store, unit: str | Unit) -> tuple[np.ndarray, np.ndarray]:
    """(n,) what a unit said to those pictures that could be read, and (n,) the folder in which each lies.

    Raises:
        ClipbenchError: a unit that the store lacks, or pictures that lie in fewer than two folders.
    """
    values = store.column(unit)
    read = np.flatnonzero(np.isfinite(values))
    names = store.names
    labels = np.array([PurePosixPath(names[number]).parent.name for number in read])
    if len(np.unique(labels)) < 2:
        raise ClipbenchError(
            f"the pictures of {store.title} lie in one folder; sweep a folder with a subfolder for each label"
        )
    return values[read], labels


def from_article(told: dict, sd: float, provenance: Provenance) -> Conditional:
    """Read a record in the article's shape; how many pictures a bucket had is found from its shares.

    Raises:
        ClipbenchError: heights that do not fit the bins, or shares that are those of no whole numbers.
    """
    heights, bins = np.array(told["heights"], np.float64), np.array(told["bins"], np.float64)
    if heights.shape != (len(told["labelNames"]), len(bins)) or len(bins) < 2:
        raise ClipbenchError(f"{len(bins)} bins and heights of shape {heights.shape} do not fit together")
    edges = np.append(bins, 2 * bins[-1] - bins[-2])
    counts = _counts(heights, np.array(told["labelCounts"]))
    return Conditional(tuple(told["labelNames"]), edges, counts, None, sd, provenance)


def _plain(values: np.ndarray) -> list:
    """An array as lists, None for nan."""
    return np.where(np.isnan(values), None, values).tolist()


def _counts(heights: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(k, b) whole numbers in the ratio of the heights, their sums as near to (k,) counts as they can be."""
    least = np.stack([_least(column) for column in heights.T], axis=1)
    return least * (1 + _extra(least, wanted - least.sum(axis=1)))


def _least(column: np.ndarray) -> np.ndarray:
    """The smallest whole numbers in the ratio of some shares that sum to 1."""
    for total in range(1, 1000):
        counts = np.rint(column * total)
        if counts.sum() == total and np.abs(column * total - counts).max() < 1e-6 * total:
            return counts.astype(np.int64)
    raise ClipbenchError(f"the shares {column.round(4).tolist()} are those of no whole numbers below 1000")


def _extra(least: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """(b,) how often to add each bucket's numbers again, so that as little as possible is missing."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    room = LinearConstraint(least, ub=np.maximum(missing, 0))
    found = milp(-least.sum(axis=0), constraints=room, integrality=1, bounds=Bounds(lb=0))
    return np.rint(found.x).astype(np.int64)
