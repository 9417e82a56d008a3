"""The 66 region units: the colours of their maps, and the countries that they answer to."""

import numpy as np

from clipbench.models import ClipModel
from clipbench.parity.claim import Answers, Chapter, Claim
from clipbench.studies import records, regions
from clipbench.studies.records import RegionUnit
from clipbench.studies.written_names import names

_DRAWN = (
    "hue, saturation and lightness of 3,995 places by the stated formula, less those by the article's code"
)
_NAMED = "the five largest of the unit's answers to the written names of 175 countries"


def chapter() -> Chapter:
    """Maps, which need nothing, and countries, which need the unit's model."""
    claims = []
    for one in records.region_units():
        what = f"largest error in the colours of the map of {one.label}, in degrees and percent"
        claims.append(Claim(f"{_key(one)}/map", what, 0.0, _DRAWN, tolerance=1e-5))
        countries, _ = regions.strongest(one)
        what = f"countries that {one.label} answers to most"
        claims.append(Claim(f"{_key(one)}/countries", what, countries, _NAMED, 2, one.model))
    return Chapter(tuple(claims), _recount, _measure)


def _key(one: RegionUnit) -> str:
    return f"regions/{one.model}:{one.unit}"


def _by_article(one: RegionUnit) -> np.ndarray:
    """Colours of all countries, cities and cells, looked up in what the article's code gives to a value."""
    told = records.record("regions")["colours"]
    places, cells = np.array(told["places"]), np.array(told["map"])
    return np.concatenate([places[one.countries], places[one.cities], cells[one.map.reshape(-1)]])


def _recount() -> Answers:
    for one in records.region_units():
        parts = (one.countries / 255, one.cities / 255, 1.1 * one.map.reshape(-1) / 255)
        drawn = np.concatenate([regions.colours(part[None]) for part in parts])
        yield f"{_key(one)}/map", float(np.abs(drawn - _by_article(one)).max())


def _measure(model: ClipModel) -> Answers:
    *_, last = names(model, regions.country_names(), records.LAYER)
    for one in records.region_units():
        if one.model == records.MODEL:
            yield f"{_key(one)}/countries", last.result.top(one.unit, 5)
