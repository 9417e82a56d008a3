"""Units asked with drawings that no training showed: whose flag is it, and what does this face feel?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from clipbench.intervals import Rate, usual
from clipbench.models import ImageModel
from clipbench.results import Provenance
from clipbench.stimuli.emoji import Emoji, faces, flags
from clipbench.stimuli.shipped import Shipped
from clipbench.streams import Progress
from clipbench.studies.emotions import Codes
from clipbench.studies.written_names import Names, names

COUNTRIES = 60  # that are asked for, evenly spread over the alphabet
BEST_NAMES = 0.02  # of all flags, or of all names: where a country's own must be
BEST_FACES = 0.2  # of all faces: where the median of a feeling's own must be
DRAWS = 1000  # shufflings
_BATCH = 32


@dataclass(frozen=True, eq=False)
class CountryUnits:
    """What the units of a layer say to the flags and to the written names of the same countries.

    Args:
        layer: the layer that was read.
        countries: n names.
        flags: (n, units), largest activation over the map, before the ReLU.
        names: (n, units), likewise, mean over the sizes in which a name is written.
        provenance: model, recipe, seed of the shuffling; n counts pictures.
    """

    layer: str
    countries: tuple[str, ...]
    flags: np.ndarray
    names: np.ndarray
    provenance: Provenance

    @property
    def asked(self) -> np.ndarray:
        """Places of the countries that are counted, at most `COUNTRIES`."""
        n = len(self.countries)
        count = min(COUNTRIES, n)
        return np.arange(count) * n // count

    @cached_property
    def standings(self) -> tuple[np.ndarray, np.ndarray]:
        """Of the flags and of the names (n, units), see `standing`."""
        return standing(self.flags), standing(self.names)

    @cached_property
    def both(self) -> np.ndarray:
        """(n, n) bool: whether a unit has flag i and name j among its best, 2 % of each."""
        flag, name = (among_best(each, BEST_NAMES) for each in self.standings)
        return flag.astype(np.float32) @ name.T.astype(np.float32) > 0

    @property
    def found(self) -> Rate:
        """How many of the countries asked for have a unit with their flag and their name among its best."""
        return self._rate(self.both)

    @cached_property
    def permuted(self) -> np.ndarray:
        """(`DRAWS`,) what `found` counts when flags are dealt out among the countries: chance."""
        return self._shuffled(self.both)

    @cached_property
    def by_name(self) -> np.ndarray:
        """(n, n) bool: whether flag i is among the best of the one unit in which name j stands out most.

        Here the name alone chooses the unit, so that the flag has one try and not one a unit.
        """
        sd = self.names.std(axis=0)
        own = ((self.names - self.names.mean(axis=0)) / np.where(sd > 0, sd, np.inf)).argmax(axis=1)
        return among_best(self.standings[0], BEST_NAMES)[:, own]

    @property
    def found_by_name(self) -> Rate:
        """How many countries' flags are among the best of the unit that their name chose."""
        return self._rate(self.by_name)

    @cached_property
    def permuted_by_name(self) -> np.ndarray:
        """(`DRAWS`,) what `found_by_name` counts by chance."""
        return self._shuffled(self.by_name)

    def unit_of(self, country: int) -> int | None:
        """The unit that has a country's flag and name among its best, in the worse of both the highest."""
        place = np.maximum(*(each[country] for each in self.standings))
        unit = int(place.argmin())
        return unit if place[unit] <= BEST_NAMES else None

    @property
    def summary(self) -> str:
        """The counts in a sentence."""
        (low, high), found = usual(self.permuted), self.found
        least, most = found.interval
        once, (once_low, once_high) = self.found_by_name, usual(self.permuted_by_name)
        return (
            f"For {found.hits} of {found.n} countries (95 % interval {least:.0%} to {most:.0%}) a unit of "
            f"{self.layer} has the flag and the name among its best 2 %; flags dealt out at random give "
            f"{self.permuted.mean():.1f} (95 % of shufflings: {low} to {high}). Where the name alone chooses "
            f"the unit, its flag is there for {once.hits}; by chance for {once_low} to {once_high}."
        )

    def _rate(self, table: np.ndarray) -> Rate:
        return Rate(int(table[self.asked, self.asked].sum()), len(self.asked))

    def _shuffled(self, table: np.ndarray) -> np.ndarray:
        rng = np.random.default_rng(self.provenance.seed)
        dealt = (rng.permutation(len(self.countries))[self.asked] for _ in range(DRAWS))
        return np.array([table[flags, self.asked].sum() for flags in dealt])


@dataclass(frozen=True, eq=False)
class FeelingUnits:
    """Whether the first unit of a word's code answers to faces that feel it.

    Args:
        layer: the layer of the codes.
        words: k words, each with at least one face.
        units: (k,) the unit that adds most to each word; −1 where none adds.
        shows: (n, k) bool, whether a face shows a word's feeling.
        answers: (n, k) what the word's unit says to each face, largest over the map, before the ReLU; zeros
            where there is none.
        provenance: model, recipe, seed of the shuffling; n counts faces.
    """

    layer: str
    words: tuple[str, ...]
    units: tuple[int, ...]
    shows: np.ndarray
    answers: np.ndarray
    provenance: Provenance

    @property
    def medians(self) -> np.ndarray:
        """(k,) of a word's faces the median standing, in (0, 1]; 0.2 is the end of the best fifth."""
        return _medians(standing(self.answers), self.shows)

    @property
    def found(self) -> Rate:
        """How many words have the median of their faces among the best fifth."""
        return Rate(int((self.medians <= BEST_FACES).sum()), len(self.words))

    @cached_property
    def permuted(self) -> np.ndarray:
        """(`DRAWS`,) what `found` counts when feelings are dealt out among the faces: chance."""
        rng, places = np.random.default_rng(self.provenance.seed), standing(self.answers)
        dealt = (self.shows[rng.permutation(len(self.shows))] for _ in range(DRAWS))
        return np.array([(_medians(places, shows) <= BEST_FACES).sum() for shows in dealt])

    @property
    def summary(self) -> str:
        """The counts in a sentence."""
        (low, high), found = usual(self.permuted), self.found
        least, most = found.interval
        return (
            f"For {found.hits} of {found.n} words (95 % interval {least:.0%} to {most:.0%}) the code's first "
            f"unit has the median of the feeling's faces among its best 20 %; feelings dealt out at random "
            f"give {self.permuted.mean():.1f} (95 % of shufflings: {low} to {high})."
        )


def country_units(model: ImageModel, layer: str | None = None) -> Iterator[Progress[CountryUnits]]:
    """Show a layer the names and the flags of 159 countries, a batch at a time.

    Args:
        model: any model.
        layer: None takes the last one that has a map.

    Yields:
        After each batch how far it has come, in pictures; the last one, and only that, with the result.

    Raises:
        ClipbenchError: no such layer.
    """
    layer = layer or model.last_layer
    shown = flags()
    step = None
    for step in names(model, [flag.name for flag in shown], layer):
        yield Progress(step.done, step.total + len(shown))
    yield from with_flags(model, step.result)


def with_flags(model: ImageModel, found: Names) -> Iterator[Progress[CountryUnits]]:
    """The same where the names have been read before, of those countries whose flag is shipped.

    Args:
        model: the one that the names were shown.
        found: its answers to the names.
    """
    shown = [flag for flag in flags() if flag.name in found.names]
    own = found.only([flag.name for flag in shown])
    before, total = found.provenance.n, found.provenance.n + len(shown)
    kept = []
    for some in _batches(shown):
        kept.append(answers_to(model, some, found.layer))
        yield Progress(before + sum(map(len, kept)), total)
    recipe = f"{found.provenance.recipe}, and Noto's flags; {DRAWS} shufflings"
    told = Provenance(model.name, model.weights_hash, recipe, seed=0, n=total)
    yield Progress(
        total, total, CountryUnits(found.layer, own.names, np.concatenate(kept), own.answers, told)
    )


def feeling_units(model: ImageModel, codes: Codes) -> FeelingUnits:
    """Show Noto's faces to the first unit of each word's code.

    Args:
        model: the one that the codes are of.
        codes: of words; those that no face shows are left out.
    """
    shown = faces()
    words = tuple(word for word in codes.words if any(word in face.shows for face in shown))
    firsts = [next(iter(codes.code(word, 1)), (-1, 0.0)) for word in words]
    units = tuple(unit if share > 0 else -1 for unit, share in firsts)
    answers = np.concatenate([answers_to(model, some, codes.layer) for some in _batches(shown)])
    own = np.stack([answers[:, unit] if unit >= 0 else np.zeros(len(shown)) for unit in units], axis=1)
    shows = np.array([[word in face.shows for word in words] for face in shown])
    recipe = f"{codes.provenance.recipe}; first units at Noto's faces, {DRAWS} shufflings"
    told = Provenance(model.name, model.weights_hash, recipe, unit=codes.layer, seed=0, n=len(shown))
    return FeelingUnits(codes.layer, words, units, shows, own, told)


def standing(answers: np.ndarray) -> np.ndarray:
    """(n, units) -> (n, units): the share of the n, itself among them, that reach an answer.

    The first has 1 / n. Ties count against all of them, and a unit that is constant puts everything last.
    """
    ordered = np.sort(answers, axis=0)
    below = [
        np.searchsorted(column, own, side="left") for column, own in zip(ordered.T, answers.T, strict=True)
    ]
    return 1 - np.stack(below, axis=1) / len(answers)


def among_best(standings: np.ndarray, share: float) -> np.ndarray:
    """(n, units) -> bool: whether what stands there is among the best share of a unit's n answers."""
    return standings <= share + 1e-9


@torch.no_grad()
def answers_to(model: ImageModel, shown: Sequence[Shipped], layer: str) -> np.ndarray:
    """(n, units) float32: what a layer says to some pictures, largest over the map, before the ReLU."""
    return model.activations([one.image for one in shown], layer).float().amax(dim=(2, 3)).cpu().numpy()


def _medians(places: np.ndarray, shows: np.ndarray) -> np.ndarray:
    return np.nanmedian(np.where(shows, places, np.nan), axis=0)


def _batches(shown: Sequence[Emoji]) -> Iterator[Sequence[Emoji]]:
    return (shown[start : start + _BATCH] for start in range(0, len(shown), _BATCH))
