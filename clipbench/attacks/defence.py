"""A defence: hold the units that read, and see what it costs; with controls that hold others instead."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image

from clipbench.attacks.levers import EMBEDDING, WAYS, Lever, lever
from clipbench.attacks.run import Case, complete, measure
from clipbench.classify import Classifier
from clipbench.errors import ClipbenchError
from clipbench.intervals import Rate
from clipbench.results import UNREADABLE, Provenance, read_json, save_json
from clipbench.stimuli import ARTICLE, Recipe, Tag

KINDS = ("reading", "random", "matched")
POINTS = 0.03  # of accuracy that a defence may cost
_DRAWS = 3  # random sets of units for each k
_AT_ONCE = 8  # photos, with all their texts, between two moments at which the reader can stop


@dataclass(frozen=True)
class Held:
    """What holding k units came to.

    Args:
        kind: "reading", the units found; "random"; "matched", as active on clean photos as those found; or
            "none" for k = 0.
        k: how many units were held.
        success: of the attacks, all photos and texts together; of "random" all draws together. Its interval
            takes pairs of photo and text as independent, which those of one photo are not quite.
        clean: photos without text that were right; of "random" all draws together.
    """

    kind: str
    k: int
    success: Rate
    clean: Rate

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        rates = {"success": self.success.as_dict(), "clean": self.clean.as_dict()}
        return {"kind": self.kind, "k": self.k, **rates}

    @classmethod
    def from_dict(cls, told: dict) -> "Held":
        """Back from `as_dict`."""
        return cls(told["kind"], told["k"], *(Rate.from_dict(told[rate]) for rate in ("success", "clean")))


@dataclass(frozen=True, eq=False)
class Defence:
    """Success of attacks against accuracy, for growing numbers of held units.

    Args:
        layer: where units are held.
        units: all units of the layer, those that carry the attack first; of a projection, directions.
        rows: the settings measured so far, on photos and texts that nothing was chosen by; the first holds
            nothing.
        found: the same for the units found, on the photos and texts that they were found on; by it their
            number is chosen.
        done, total: settings.
        provenance: model, recipe, seed; n counts the photos that nothing was chosen by.
    """

    layer: str
    units: tuple[int, ...]
    rows: tuple[Held, ...]
    found: tuple[Held, ...]
    done: int
    total: int
    provenance: Provenance

    @property
    def chosen(self) -> int | None:
        """The smallest k that halves the attack and costs at most `POINTS`, where the units were found."""
        kept = (row.k for row in self.found[1:] if _good(row, self.found[0]))
        return next(kept, None)

    @property
    def best(self) -> Held | None:
        """What holding that many came to, on photos and texts that nothing was chosen by."""
        of_k = (row for row in self.rows if row.kind == "reading" and row.k == self.chosen)
        return next(of_k, None)

    @property
    def works(self) -> bool:
        """Whether that is as good there, and both controls of its size leave clearly more of the attack.

        Clearly: their intervals of success begin above the end of the set's own.
        """
        best = self.best
        if best is None or not _good(best, self.rows[0]):
            return False
        controls = [row for row in self.rows if row.k == best.k and row.kind in ("random", "matched")]
        clear = all(row.success.interval[0] > best.success.interval[1] for row in controls)
        return len(controls) == 2 and clear

    @property
    def summary(self) -> str:
        """The outcome in a sentence."""
        plain, best = self.rows[0], self.best
        base = f"{plain.success.share:.0%} of attacks succeed and {plain.clean.share:.0%} of photos are right"
        if best is None:
            points = f"{100 * POINTS:.0f} points of the other"
            return f"the defence does not work: {base}, and no set that was tried halves the one at {points}"
        told = f"with {best.k} held {best.success.share:.0%} and {best.clean.share:.0%}"
        if self.works:
            return f"the defence works: {base}; {told}"
        if _good(best, plain):
            return f"the defence does not clearly beat its controls: {base}; {told}"
        return f"the defence does not work: {base}; {told}, on photos and texts that nothing was chosen by"

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        best = self.best
        return {
            "layer": self.layer,
            "units": self.units,
            "rows": [row.as_dict() for row in self.rows],
            "found": [row.as_dict() for row in self.found],
            "done": self.done,
            "total": self.total,
            "best": best and best.as_dict(),
            "works": self.works,
            "summary": self.summary,
            "provenance": self.provenance.as_dict(),
        }

    def save(self, path: str | Path) -> Path:
        """Write all of it as JSON; a ClipbenchError if it cannot be written."""
        return save_json(self.as_dict(), path)

    @classmethod
    def load(cls, path: str | Path) -> "Defence":
        """Read what `save` has written; a ClipbenchError if it is not that."""
        try:
            told = read_json(path)
            rows, found = (tuple(map(Held.from_dict, told[name])) for name in ("rows", "found"))
            progress, provenance = (told["done"], told["total"]), Provenance(**told["provenance"])
            return cls(told["layer"], tuple(told["units"]), rows, found, *progress, provenance)
        except UNREADABLE as error:
            raise ClipbenchError(f"{str(path)!r} is not a defence that clipbench has written") from error


def _good(row: Held, plain: Held) -> bool:
    halved = plain.success.hits > 0 and row.success.share <= plain.success.share / 2
    return halved and row.clean.share >= plain.clean.share - POINTS


def defend(
    classifier: Classifier,
    images: Sequence[Image.Image],
    truths: Sequence[str],
    cases: Sequence[Case],
    *,
    ks: Sequence[int] = (1, 3, 10, 30, 100),
    at: str = "zero",
    layer: str | None = None,
    recipe: Recipe | Tag = ARTICLE,
    seed: int = 0,
) -> Iterator[Defence]:
    """Find the units that carry attacks on one half of photos and texts, hold them on the other half.

    How many are to be held is chosen on the first half, too; the controls hold as many others.

    Args:
        classifier: who is attacked.
        images: n photos, as PIL images.
        truths: n labels.
        cases: at least two texts with their targets; every second one is kept for the report.
        ks: how many units to hold, ascending.
        at: "zero" and "mean" hold units there, the mean being over the photos that they are found on;
            "clamp" lets no unit exceed its 99th percentile on these; "projection" takes out of the embedding
            the directions in which texts move it most.
        layer: None takes the last one; a projection has none.
        recipe: how texts are laid on.
        seed: of the random units.

    Yields:
        After the first setting, and then after every few photos, the curve so far; nothing is held while the
        reader has it.

    Raises:
        ClipbenchError: too few photos or texts to halve them, a k out of its range, labels that do not exist.

    Source: the projection after Materzynska et al. 2022, here in closed form instead of trained.
    """
    layer = _layer(classifier, layer, at)
    _check(images, truths, cases, ks, classifier.model.layer(layer).channels)
    cases, crops = complete(cases, recipe), [classifier.model.crop(image) for image in images]
    halves = [slice(0, None, 2), slice(1, None, 2)]
    finding, telling = (_Half(classifier, crops[half], truths[half], cases[half]) for half in halves)
    held = lever(classifier, finding.crops, finding.truths, finding.cases, layer, at)
    told = f"{layer}, {at}, found on halves of {len(images)} photos and {len(cases)} texts"
    told = f"{told}, {recipe} · {classifier.recipe}"
    own = classifier.model
    provenance = Provenance(own.name, own.weights_hash, told, seed=seed, n=len(telling.crops))
    rows, found = [], []
    settings = list(_settings(held, ks, seed))
    for half, kind, k, sets in settings:
        where, kept = (finding, found) if half == "found" else (telling, rows)
        for outcome in where.measured(held, kind, k, sets):
            kept += [] if outcome is None else [outcome]
            done = len(rows) + len(found)
            if rows:
                yield Defence(layer, held.order, tuple(rows), tuple(found), done, len(settings), provenance)


@dataclass(frozen=True, eq=False)
class _Half:
    """Half of the photos, as the model sees them, and half of the texts."""

    classifier: Classifier
    crops: Sequence[Image.Image]
    truths: Sequence[str]
    cases: Sequence[Case]

    def measured(
        self, held: Lever, kind: str, k: int, sets: Sequence[Sequence[int]]
    ) -> Iterator[Held | None]:
        """All attacks while each set is held in turn: None after some photos, at last the outcome."""
        success, clean = [], []
        for chosen, start in product(sets, range(0, len(self.crops), _AT_ONCE)):
            if success:
                yield None
            some = slice(start, start + _AT_ONCE)
            with held.hold(chosen):
                *_, last = measure(self.classifier, self.crops[some], self.cases, truths=self.truths[some])
            success += [result.success for result in last.results]
            clean.append(last.results[0].clean)  # without a text all texts say the same
        yield Held(kind, k, _pooled(success), _pooled(clean))


def _settings(held: Lever, ks: Sequence[int], seed: int) -> Iterator[tuple[str, str, int, list[list[int]]]]:
    """Which half, kind, number, and sets of the units that are held, each set by itself."""
    units = list(held.order)
    yield "told", "none", 0, [[]]
    yield "found", "none", 0, [[]]
    for k in ks:
        rng = np.random.default_rng([seed, k])
        draws = [rng.choice(units[k:], k, replace=False).tolist() for _ in range(_DRAWS)]
        yield "found", "reading", k, [units[:k]]
        yield "told", "reading", k, [units[:k]]
        yield "told", "random", k, draws
        yield "told", "matched", k, [_matched(units, k, held.activity)]


def _matched(units: list[int], k: int, activity: np.ndarray) -> list[int]:
    """For each of the first k units another one that is nearest to it in activity; none twice."""
    free, chosen = set(units[k:]), []
    for unit in units[:k]:
        if free:
            chosen.append(min(free, key=lambda other: abs(activity[other] - activity[unit])))
            free.remove(chosen[-1])
    return chosen


def _pooled(rates: Sequence[Rate]) -> Rate:
    return Rate(sum(rate.hits for rate in rates), sum(rate.n for rate in rates))


def _layer(classifier: Classifier, layer: str | None, at: str) -> str:
    if at not in WAYS:
        raise ClipbenchError(f"units are held at {', '.join(map(repr, WAYS))}, not at {at!r}")
    if at == "projection":
        if layer not in (None, EMBEDDING):
            raise ClipbenchError(f"a projection is of the embedding, not of {layer!r}; leave the layer out")
        return EMBEDDING
    return classifier.model.last_layer if layer is None else layer


def _check(images, truths, cases: Sequence[Case], ks: Sequence[int], channels: int) -> None:
    if len(images) < 2 or len(cases) < 2:
        raise ClipbenchError(
            f"{len(images)} photos and {len(cases)} texts cannot be halved; give two or more of each"
        )
    if len(truths) != len(images):
        raise ClipbenchError(f"there are {len(truths)} truths for {len(images)} images; give one for each")
    if list(ks) != sorted(set(ks)) or not all(0 < k <= channels // 2 for k in ks):
        raise ClipbenchError(f"numbers of units must ascend, from 1 to {channels // 2}, not {list(ks)}")
