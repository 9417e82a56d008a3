"""The article's published records, as they are shipped: read once, checked by nobody but the ledger."""

import gzip
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from clipbench.errors import unknown
from clipbench.results import read_npz

MODEL, LAYER = "RN50x4", "layer4"
CREDIT = "Goh et al. 2021, https://distill.pub/2021/multimodal-neurons, CC-BY 4.0"
_FOLDER = Path(__file__).with_name("records")


@cache
def record(name: str) -> dict:
    """One of the shipped JSON records, as `scripts/make_records.py` has written it."""
    return json.loads(gzip.decompress((_FOLDER / f"{name}.json.gz").read_bytes()))


@cache
def top_words() -> tuple[tuple[str, ...], ...]:
    """Of each of RN50x4's 2,560 units the three words, drawn as pictures, that it answers to most.

    In 47 of them one word is missing, as in the record.
    """
    return tuple(tuple(word for word in words if word) for words in record("words")["words"])


@dataclass(frozen=True)
class Country:
    """A country's outline.

    Args:
        name: in English, as Natural Earth has it.
        rings: closed lines of (longitude, latitude) in degrees.
    """

    name: str
    rings: tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True)
class City:
    """A city, and its (longitude, latitude) in degrees."""

    name: str
    place: tuple[float, float]


@dataclass(frozen=True)
class World:
    """The article's map: 175 countries and 620 cities."""

    countries: tuple[Country, ...]
    cities: tuple[City, ...]

    def country(self, name: str) -> int:
        """Position of a country.

        Raises:
            ClipbenchError: the map lacks it; the sentence names the nearest.
        """
        names = [country.name for country in self.countries]
        if name not in names:
            raise unknown("country", name, names)
        return names.index(name)


@dataclass(frozen=True, eq=False)
class RegionUnit:
    """A unit that answers to a part of the world, as published.

    Args:
        model: "RN50x4", "RN101", "RN50 (A)" or "RN50 (B)".
        unit: its number in the last layer.
        name: what its authors took it for, with their question mark; may be empty.
        warning: what they warn of, or empty.
        words: 20 words that it answers to most.
        map: (40, 80) uint8, rows from 90° north to 90° south, columns from 180° west to 180° east: its
            response to places on a map without words, 254 where it is largest.
        countries: (175,) uint8, its response to their names.
        cities: (620,) uint8, likewise, on the same scale.
    """

    model: str
    unit: int
    name: str
    warning: str
    words: tuple[str, ...]
    map: np.ndarray
    countries: np.ndarray
    cities: np.ndarray

    @property
    def label(self) -> str:
        """Such as "RN50x4 862 · USA?"."""
        return f"{self.model} {self.unit}{f' · {self.name}' if self.name else ''}"


@cache
def world() -> World:
    """The outlines and the cities of the article's map."""
    told = record("regions")
    countries = tuple(
        Country(one["name"], tuple(tuple(map(tuple, ring)) for ring in one["rings"]))
        for one in told["countries"]
    )
    return World(countries, tuple(City(one["name"], tuple(one["place"])) for one in told["cities"]))


@cache
def region_units() -> tuple[RegionUnit, ...]:
    """The 66 published region units, in the order of the record."""
    told, arrays = record("regions"), read_npz(_FOLDER / "regions.npz")
    return tuple(
        RegionUnit(*unit, name, warning, tuple(words), *maps)
        for unit, name, warning, words, *maps in zip(
            told["units"], told["names"], told["warnings"], told["words"],
            arrays["spatial"], arrays["country"], arrays["city"], strict=True,
        )
    )  # fmt: skip


def region_unit(label: str) -> RegionUnit:
    """The region unit of an address such as "RN50x4:862".

    Raises:
        ClipbenchError: it is not among the 66; the sentence names the nearest.
    """
    known = {f"{one.model}:{one.unit}": one for one in region_units()}
    if label not in known:
        raise unknown("region unit", label, known)
    return known[label]


@cache
def families() -> dict[str, tuple[tuple[str, int, str], ...]]:
    """Family -> (model, unit, name) of the 118 units that the article shows in 16 families."""
    return {
        family["name"]: tuple((model, unit, name) for model, unit, name in family["units"])
        for family in record("families")["families"]
    }


@cache
def unit_names() -> dict[int, str]:
    """Unit of RN50x4 -> the name that its authors gave it, of the 191 that they named for the emotions."""
    return {int(unit): name for unit, name in record("emotions")["names"].items()}
