"""A defence: hold the units that read, and see what it costs; with controls that hold others instead."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from clipbench.attacks.attribution import logits_from, values_at
from clipbench.attacks.defence_result import Defence, Held
from clipbench.attacks.levers import EMBEDDING, WAYS, Lever, lever
from clipbench.attacks.rendering import lay
from clipbench.attacks.run import Case, complete
from clipbench.classify import Classifier
from clipbench.errors import ClipbenchError
from clipbench.intervals import Rate
from clipbench.results import Provenance
from clipbench.stimuli import ARTICLE, Recipe, Tag
from clipbench.streams import chunks, meanwhile

_DRAWS = 3  # random sets of units for each k
_PICTURES = 16  # at most, unless one photo has more texts, between two moments at which the reader can stop


def defend(
    classifier: Classifier,
    images: Sequence[Image.Image],
    truths: Sequence[str],
    cases: Sequence[Case],
    *,
    found_on: Sequence[Case] = (),
    ks: Sequence[int] = (1, 3, 10, 30, 100),
    at: str = "zero",
    layer: str | None = None,
    recipe: Recipe | Tag = ARTICLE,
    seed: int = 0,
) -> Iterator[Defence]:
    """Find the units that carry attacks on one half of photos and texts, hold them on the other half.

    How many are to be held is chosen on the first half, too; the controls hold as many others. Few texts give
    units that carry these texts, and a number that is enough for them alone. With texts to learn from, units
    are found on these, their number is chosen on the first half of `cases`, and told is what it does on the
    other: three sets of texts that do not know of each other.

    Args:
        classifier: who is attacked.
        images: n photos, as PIL images.
        truths: n labels.
        cases: at least two texts with their targets; every second one is kept for the report.
        found_on: texts that units are found on, none of `cases`; without any, the first half of these.
        ks: how many units to hold, ascending.
        at: "zero" and "mean" hold units there, the mean being over the photos that they are found on;
            "clamp" lets no unit exceed its 99th percentile on these; "projection" takes out of the embedding
            the directions in which texts move it most.
        layer: None takes the last one; a projection has none.
        recipe: how texts are laid on.
        seed: of the random units.

    Yields:
        After every few pictures, and after each set of units that was held, the curve so far: the same object
        again where nothing is new, empty while the units are looked for. Nothing is held while the reader
        has it.

    Raises:
        ClipbenchError: too few photos or texts to halve them, a text to learn from that is among `cases`, a k
            out of its range, labels that do not exist.

    Source: the projection after Materzynska et al. 2022, here in closed form instead of trained.
    """
    layer = _layer(classifier, layer, at)
    _check(images, truths, cases, found_on, ks, classifier.model.layer(layer).channels)
    cases, found_on = complete(cases, recipe), complete(found_on, recipe)
    crops = [classifier.model.crop(image) for image in images]
    halves = [slice(0, None, 2), slice(1, None, 2)]
    finding, telling = (_Half(classifier, crops[half], truths[half], cases[half]) for half in halves)
    own, told = classifier.model, f"{layer}, {at}, {_where(len(images), len(cases), len(found_on))}"
    told = f"{told}, {recipe} · {classifier.recipe}"
    provenance = Provenance(own.name, own.weights_hash, told, seed=seed, n=0)
    looking = lever(classifier, finding.crops, finding.truths, found_on or finding.cases, layer, at)
    so_far = Defence(layer, (), (), (), 0, len(crops), provenance)
    held = yield from meanwhile(looking, so_far)
    told_on, chosen_on = (_Tally(settings) for settings in _settings(held, ks, seed))
    for half, tally in _in_turns((telling, told_on), (finding, chosen_on)):
        yield from meanwhile(tally.add(half, held, layer), so_far)
        done, provenance = told_on.photos + chosen_on.photos, replace(provenance, n=told_on.photos)
        so_far = Defence(layer, held.order, told_on.rows, chosen_on.rows, done, len(crops), provenance)
        yield so_far


@dataclass(frozen=True, eq=False)
class _Half:
    """Photos, as the model sees them, their labels, and texts."""

    classifier: Classifier
    crops: Sequence[Image.Image]
    truths: Sequence[str]
    cases: Sequence[Case]

    def __post_init__(self):
        for label in (*self.truths, *(case.target for case in self.cases)):
            self.classifier.place(label)

    def parts(self) -> Iterator["_Half"]:
        """A few photos at a time."""
        size = max(1, _PICTURES // (1 + len(self.cases)))
        for crops, truths in zip(chunks(self.crops, size), chunks(self.truths, size), strict=True):
            yield replace(self, crops=crops, truths=truths)

    def pixels(self) -> Tensor:
        """(photos · (1 + texts), 3, h, w): the photos without a text, then with each."""
        written = [lay(crop, case.text, case.recipe)[0] for case in self.cases for crop in self.crops]
        return self.classifier.model.pixels([*self.crops, *written])

    def counted(self, answers: np.ndarray) -> tuple[Rate, Rate]:
        """Attacks that succeed and photos that are right, by the number of each picture's label."""
        truths = np.array([self.classifier.place(truth) for truth in self.truths])
        targets = np.array([self.classifier.place(case.target) for case in self.cases])[:, None]
        before, after = answers[: len(truths)], answers[len(truths) :].reshape(len(targets), -1)
        won = (after == targets) & (before != targets)
        return Rate(int(won.sum()), won.size), Rate(int((before == truths).sum()), len(truths))


@dataclass(frozen=True)
class _Setting:
    """What is held: sets of k units, one set after the other."""

    kind: str
    k: int
    sets: Sequence[Sequence[int]]


class _Tally:
    """Counts for some settings, of the photos so far.

    Args:
        settings: what is held in turn.
    """

    def __init__(self, settings: Sequence[_Setting]):
        self.photos = 0
        self._settings = settings
        self._counts: list[list[tuple[Rate, Rate]]] = [[] for _ in settings]

    @torch.no_grad()
    def add(self, half: _Half, held: Lever, layer: str) -> Generator[None, None, None]:
        """Count some more photos: each is encoded up to the layer once, and on from there with each set.

        Yields:
            After each set, where a reader can stop; `rows` are whole again at the end.
        """
        pixels = half.pixels()
        values = values_at(half.classifier, pixels, layer)
        for setting, counts in zip(self._settings, self._counts, strict=True):
            for chosen in setting.sets:
                with held.hold(chosen):
                    logits = logits_from(half.classifier, pixels, layer, values)
                counts.append(half.counted(logits.argmax(dim=1).cpu().numpy()))
                yield
        self.photos += len(half.crops)

    @property
    def rows(self) -> tuple[Held, ...]:
        """What the settings came to; none before there are photos."""
        return tuple(
            Held(setting.kind, setting.k, *(_pooled(rates) for rates in zip(*counts, strict=True)))
            for setting, counts in zip(self._settings, self._counts, strict=True)
            if counts
        )


def _settings(held: Lever, ks: Sequence[int], seed: int) -> tuple[list[_Setting], list[_Setting]]:
    """What is held on the half to be told of, and on the one that units are found on."""
    units, plain = list(held.order), _Setting("none", 0, [[]])
    told, found = [plain], [plain]
    for k in ks:
        rng = np.random.default_rng([seed, k])
        draws = [rng.choice(units[k:], k, replace=False).tolist() for _ in range(_DRAWS)]
        reading = _Setting("reading", k, [units[:k]])
        found.append(reading)
        told += [
            reading,
            _Setting("random", k, draws),
            _Setting("matched", k, [_matched(units, k, held.activity)]),
        ]
    return told, found


def _in_turns(*halves: tuple[_Half, _Tally]) -> Iterator[tuple[_Half, _Tally]]:
    """Parts of the halves, each with the tally that it belongs to, one of each half after the other."""
    for parts in zip_longest(*(half.parts() for half, _ in halves)):
        yield from ((part, tally) for part, (_, tally) in zip(parts, halves, strict=True) if part is not None)


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


def _where(photos: int, texts: int, others: int) -> str:
    """On what units are found and their number is chosen."""
    if not others:
        return f"found on halves of {photos} photos and {texts} texts"
    return f"found on half of {photos} photos and {others} texts, their number on half of {texts} others"


def _layer(classifier: Classifier, layer: str | None, at: str) -> str:
    if at not in WAYS:
        raise ClipbenchError(f"units are held at {', '.join(map(repr, WAYS))}, not at {at!r}")
    if at == "projection":
        if layer not in (None, EMBEDDING):
            raise ClipbenchError(f"a projection is of the embedding, not of {layer!r}; leave the layer out")
        return EMBEDDING
    return classifier.model.last_layer if layer is None else layer


def _check(
    images, truths, cases: Sequence[Case], found_on: Sequence[Case], ks: Sequence[int], channels: int
) -> None:
    if len(images) < 2 or len(cases) < 2:
        raise ClipbenchError(
            f"{len(images)} photos and {len(cases)} texts cannot be halved; give two or more of each"
        )
    if len(truths) != len(images):
        raise ClipbenchError(f"there are {len(truths)} truths for {len(images)} images; give one for each")
    told = {case.text for case in cases}
    for case in found_on:
        if case.text in told:
            raise ClipbenchError(f"{case.text!r} is to be told of, so no unit is found on it; leave it out")
    if list(ks) != sorted(set(ks)) or not all(0 < k <= channels // 2 for k in ks):
        raise ClipbenchError(f"numbers of units must ascend, from 1 to {channels // 2}, not {list(ks)}")
