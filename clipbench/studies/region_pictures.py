"""A region unit in three rows: names of countries, their flags, and famous monuments."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel
from clipbench.results import Provenance
from clipbench.stimuli import samples
from clipbench.stimuli.emoji import flags
from clipbench.streams import Progress
from clipbench.studies.country_units import CountryUnits, with_flags
from clipbench.studies.picture_rows import Row, answers_to
from clipbench.studies.regions import country_names
from clipbench.studies.written_names import Names, names
from clipbench.units import check_channel


@dataclass(frozen=True, eq=False)
class RegionAnswers:
    """What the units of a layer say to written names, to flags and to monuments.

    Args:
        names: of countries, and perhaps of cities.
        countries: those whose flag is shipped, as Noto draws it.
        monuments: the shipped photos of them.
        provenance: model and recipe; n counts pictures.
    """

    names: Names
    countries: CountryUnits
    monuments: Row
    provenance: Provenance

    @cached_property
    def rows(self) -> tuple[Row, Row]:
        """The flags and the monuments."""
        drawn = {flag.name: flag.image for flag in flags()}
        own = self.countries.countries
        return Row("flags", own, tuple(drawn[name] for name in own), self.countries.flags), self.monuments

    def standing(self, unit: int) -> str:
        """Where the flag of the country stands whose name the unit answers to most, in a sentence.

        Raises:
            ClipbenchError: there is no such unit.
        """
        check_channel(unit, self.names.answers.shape[1], self.names.layer)
        if np.ptp(self.countries.names[:, unit]) == 0:
            return f"Unit {unit} answers the same to every country's name."
        country = int(self.countries.names[:, unit].argmax())
        place, total = self.countries.standings[0][country, unit], len(self.countries.countries)
        (first,) = self.names.only([name for name in self.names.names if name in country_names()]).top(
            unit, 1
        )
        lacking = "" if first in self.countries.countries else f"There is no flag here of {first}. "
        return (
            f"{lacking}Of the {total} countries that have a flag here, unit {unit} answers most to the name "
            f"{self.countries.countries[country]}; that country's flag stands at place {place * total:.0f} "
            f"of {total}."
        )


def region_answers(model: ImageModel, texts: Sequence[str], layer: str) -> Iterator[Progress[RegionAnswers]]:
    """Show a layer written names, then flags and monuments, a batch at a time.

    Args:
        model: any model.
        texts: n different names, among them a country with a flag.
        layer: a name out of `model.layers`.

    Yields:
        After each batch how far it has come, in pictures; the last one, and only that, with the result.

    Raises:
        ClipbenchError: what `names` refuses, or no country whose flag is shipped.

    Source: Goh et al. 2021, section "Region Neurons", has rows of flags and of architecture, too.
    """
    if not set(texts) & {flag.name for flag in flags()}:
        raise ClipbenchError("none of the names is a country with a flag; ask for one, such as Japan")
    monuments = [one for one in samples() if one.kind == "monument"]
    for step in names(model, texts, layer):
        yield Progress(step.done, step.total + len(flags()) + len(monuments))
    found = step.result
    for step in with_flags(model, found):
        yield Progress(step.done, step.total + len(monuments))
    titles, images = zip(*((one.name, one.image) for one in monuments), strict=True)
    photos = np.concatenate([*answers_to(model, images, layer)])
    recipe = f"{found.provenance.recipe}, Noto's flags, shipped photos of monuments"
    told = replace(found.provenance, recipe=recipe, n=step.total + len(monuments))
    answers = RegionAnswers(found, step.result, Row("monuments", titles, images, photos), told)
    yield Progress(told.n, told.n, answers)
