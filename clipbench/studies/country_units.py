"""Units asked for countries, by flags that no training showed and by written names."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from clipbench.intervals import Rate, by_chance, usual
from clipbench.models import ImageModel
from clipbench.results import Provenance
from clipbench.stimuli.emoji import flags
from clipbench.streams import Progress
from clipbench.studies.picture_rows import read_row
from clipbench.studies.standing import DRAWS, among_best, standing
from clipbench.studies.written_names import Names, names

COUNTRIES = 60  # that are asked for, evenly spread over the alphabet
BEST = 0.02  # of all flags, or of all names: where a country's own must be


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
        flag, name = (among_best(each, BEST) for each in self.standings)
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
        return among_best(self.standings[0], BEST)[:, own]

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
        return unit if place[unit] <= BEST else None

    @property
    def summary(self) -> str:
        """The counts in a sentence."""
        once, (low, high) = self.found_by_name, usual(self.permuted_by_name)
        return (
            f"For {self.found.told('countries')} a unit of {self.layer} has the flag and the name among its "
            f"best 2 %; flags dealt out at random give {by_chance(self.permuted)}. Where the name alone "
            f"chooses the unit, its flag is there for {once.hits}; by chance for {low} to {high}."
        )

    def _rate(self, table: np.ndarray) -> Rate:
        return Rate(int(table[self.asked, self.asked].sum()), len(self.asked))

    def _shuffled(self, table: np.ndarray) -> np.ndarray:
        rng = np.random.default_rng(self.provenance.seed)
        dealt = (rng.permutation(len(self.countries))[self.asked] for _ in range(DRAWS))
        return np.array([table[flags, self.asked].sum() for flags in dealt])


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
    answers = yield from read_row(model, [flag.image for flag in shown], found.layer, before, total)
    recipe = f"{found.provenance.recipe}, and Noto's flags; {DRAWS} shufflings"
    told = Provenance(model.name, model.weights_hash, recipe, seed=0, n=total)
    yield Progress(total, total, CountryUnits(found.layer, own.names, answers, own.answers, told))
