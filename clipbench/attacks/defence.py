"""A defence: hold the units that read, and see what it costs; with controls that hold others instead."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image

from clipbench.attacks.explanation import why
from clipbench.attacks.rendering import lay
from clipbench.attacks.run import Case, complete, measure
from clipbench.classify import Classifier
from clipbench.errors import ClipbenchError
from clipbench.intervals import Rate
from clipbench.results import UNREADABLE, Provenance, read_json, save_json
from clipbench.stimuli import ARTICLE, Recipe, Tag

KINDS = ("reading", "random", "matched")
_DRAWS = 3  # random sets of units for each k
_CHUNK = 32


@dataclass(frozen=True)
class Held:
    """What holding k units came to, on photos and texts that the units were not chosen by.

    Args:
        kind: "reading", the units found; "random"; "matched", as active on clean photos as those found; or
            "none" for k = 0.
        k: how many units were held.
        success: of the attacks, all photos and texts together; of "random" all draws together. Its interval
            takes pairs of photo and text as independent, which those of one photo are not quite.
        clean: photos without text that were right.
    """

    kind: str
    k: int
    success: Rate
    clean: Rate

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        rates = {"success": self.success.as_dict(), "clean": self.clean.as_dict()}
        return {"kind": self.kind, "k": self.k, **rates}


@dataclass(frozen=True, eq=False)
class Defence:
    """Success of attacks against accuracy, for growing numbers of held units.

    Args:
        layer: where units are held.
        units: all units of the layer, those that carry the attack first.
        rows: the settings measured so far; the first holds nothing.
        done, total: settings.
        provenance: model, recipe, seed; n counts the photos that nothing was chosen by.
    """

    layer: str
    units: tuple[int, ...]
    rows: tuple[Held, ...]
    done: int
    total: int
    provenance: Provenance

    @property
    def best(self) -> Held | None:
        """The smallest set found that halves the attack and costs at most 3 points of accuracy, if any."""
        plain = self.rows[0]
        return next((row for row in self.rows if row.kind == "reading" and _good(row, plain)), None)

    @property
    def works(self) -> bool:
        """Whether such a set exists, and both controls of its size leave clearly more of the attack.

        Clearly: their intervals of success begin above the end of the set's own.
        """
        best = self.best
        if best is None:
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
            return f"the defence does not work: {base}, and no set halves the one at 3 points of the other"
        told = f"with {best.k} units held {best.success.share:.0%} and {best.clean.share:.0%}"
        verdict = "the defence works" if self.works else "the defence does not clearly beat its controls"
        return f"{verdict}: {base}; {told}"

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        best = self.best
        return {
            "layer": self.layer,
            "units": self.units,
            "rows": [row.as_dict() for row in self.rows],
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
            rows = tuple(
                Held(row["kind"], row["k"], *(Rate.from_dict(row[rate]) for rate in ("success", "clean")))
                for row in told["rows"]
            )
            provenance = Provenance(**told["provenance"])
            return cls(told["layer"], tuple(told["units"]), rows, told["done"], told["total"], provenance)
        except UNREADABLE as error:
            raise ClipbenchError(f"{str(path)!r} is not a defence that clipbench has written") from error


def _good(row: Held, plain: Held) -> bool:
    halved = plain.success.hits > 0 and row.success.share <= plain.success.share / 2
    return halved and row.clean.share >= plain.clean.share - 0.03


def defend(
    classifier: Classifier,
    images: Sequence[Image.Image],
    truths: Sequence[str],
    cases: Sequence[Case],
    *,
    ks: Sequence[int] = (1, 3, 10, 30, 100),
    at: Literal["zero", "mean"] = "zero",
    layer: str | None = None,
    recipe: Recipe | Tag = ARTICLE,
    seed: int = 0,
) -> Iterator[Defence]:
    """Find the units that carry attacks on one half of photos and texts, hold them on the other half.

    Args:
        classifier: who is attacked.
        images: n photos, as PIL images.
        truths: n labels.
        cases: at least two texts with their targets; every second one is kept for the report.
        ks: how many units to hold, ascending.
        at: the value a unit is held at: zero, or its mean over the photos that the units are found on.
        layer: None takes the last one.
        recipe: how texts are laid on.
        seed: of the random units.

    Yields:
        After each setting the curve so far; nothing is held while the reader has it.

    Raises:
        ClipbenchError: too few photos or texts to halve them, a k out of its range, labels that do not exist.
    """
    model = classifier.model
    layer = model.last_layer if layer is None else layer
    channels = model.layer(layer).channels
    _check(images, truths, cases, ks, at, channels)
    cases = complete(cases, recipe)
    found_on, told_on = slice(0, None, 2), slice(1, None, 2)
    units = _carriers(classifier, images[found_on], truths[found_on], cases[found_on], layer)
    means, activity = _clean(classifier, images[found_on], layer)
    values = means if at == "mean" else np.zeros_like(means)
    told = f"{layer} held at {at}, found on halves of {len(images)} photos and {len(cases)} texts"
    told = f"{told}, {recipe} · {classifier.recipe}"
    provenance = Provenance(model.name, model.weights_hash, told, seed=seed, n=len(images[told_on]))
    settings = _settings(units, ks, activity, seed)
    rows = []
    for kind, k, sets in settings:
        results = []
        for chosen in sets:
            with model.hold(layer, _held(values, chosen)):
                *_, last = measure(classifier, images[told_on], cases[told_on], truths=truths[told_on])
            results += last.results
        success, clean = (_pooled([getattr(one, name) for one in results]) for name in ("success", "clean"))
        rows.append(Held(kind, k, success, clean))
        yield Defence(layer, tuple(units), tuple(rows), len(rows), len(settings), provenance)


def _settings(
    units: list[int], ks: Sequence[int], activity: np.ndarray, seed: int
) -> list[tuple[str, int, list[list[int]]]]:
    """Kind, number and sets of the units that are held, each set by itself."""
    settings = [("none", 0, [[]])]
    for k in ks:
        rng = np.random.default_rng([seed, k])
        draws = [rng.choice(units[k:], k, replace=False).tolist() for _ in range(_DRAWS)]
        matched = _matched(units, k, activity)
        settings += [("reading", k, [units[:k]]), ("random", k, draws), ("matched", k, [matched])]
    return settings


def _carriers(classifier: Classifier, images, truths, cases: Sequence[Case], layer: str) -> list[int]:
    """All units, those that add most to the targets' margins over the truth first, as a mean over texts."""
    crops = [classifier.model.crop(image) for image in images]
    added = []
    for case in cases:
        pairs = [(crop, truth) for crop, truth in zip(crops, truths, strict=True) if truth != case.target]
        if not pairs:
            raise ClipbenchError(f"every photo shows {case.target!r}; give photos of other things")
        before = [crop for crop, _ in pairs]
        after = [lay(crop, case.text, case.recipe)[0] for crop in before]
        rivals = [truth for _, truth in pairs]
        told = why(classifier, before, after, target=case.target, against=rivals, layer=layer)
        added.append(told.added.mean(axis=0))
    return np.argsort(-np.mean(added, axis=0), kind="stable").tolist()


def _clean(
    classifier: Classifier, images: Sequence[Image.Image], layer: str
) -> tuple[np.ndarray, np.ndarray]:
    """(channels,) each: a unit's mean on clean photos, and its mean above zero, which is what flows on."""
    means, active = [], []
    for start in range(0, len(images), _CHUNK):
        values = classifier.model.activations(images[start : start + _CHUNK], layer).float()
        means.append(values.mean(dim=(2, 3)))
        active.append(values.relu().mean(dim=(2, 3)))
    return tuple(torch.cat(each).mean(dim=0).cpu().numpy() for each in (means, active))


def _matched(units: list[int], k: int, activity: np.ndarray) -> list[int]:
    """For each of the first k units another one that is nearest to it in activity; none twice."""
    free, chosen = set(units[k:]), []
    for unit in units[:k]:
        if free:
            chosen.append(min(free, key=lambda other: abs(activity[other] - activity[unit])))
            free.remove(chosen[-1])
    return chosen


def _held(values: np.ndarray, chosen: Sequence[int]) -> torch.Tensor:
    held = torch.full((len(values),), torch.nan)
    held[list(chosen)] = torch.from_numpy(values)[list(chosen)]
    return held


def _pooled(rates: Sequence[Rate]) -> Rate:
    return Rate(sum(rate.hits for rate in rates), sum(rate.n for rate in rates))


def _check(images, truths, cases: Sequence[Case], ks: Sequence[int], at: str, channels: int) -> None:
    if len(images) < 2 or len(cases) < 2:
        raise ClipbenchError(
            f"{len(images)} photos and {len(cases)} texts cannot be halved; give two or more of each"
        )
    if len(truths) != len(images):
        raise ClipbenchError(f"there are {len(truths)} truths for {len(images)} images; give one for each")
    if at not in ("zero", "mean"):
        raise ClipbenchError(f"units are held at 'zero' or 'mean', not at {at!r}")
    if list(ks) != sorted(set(ks)) or not all(0 < k <= channels // 2 for k in ks):
        raise ClipbenchError(f"numbers of units must ascend, from 1 to {channels // 2}, not {list(ks)}")
