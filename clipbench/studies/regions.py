"""Region units on the map: the article's colours, for one unit or a mixture of several."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clipbench.errors import ClipbenchError
from clipbench.studies.records import CREDIT, RegionUnit, world
from clipbench.studies.written_names import Names

_TURN = 6.28  # the article's 2 π
_MAP, _MAP_OPACITY, _CITY_OPACITY = 1.1, 1.6, 1.5  # by which its map scales answers before it colours them


@dataclass(frozen=True, eq=False)
class RegionMap:
    """A coloured world, ready to be drawn.

    Args:
        labels: of the units in it.
        countries: (175, 3) uint8, red, green, blue; countries are as opaque as 0.9.
        cities: (620, 4) uint8, the same and how opaque they are; None where only countries were asked for.
        radii: (620,) float, in thousandths of the map's width, or None.
        cells: (40, 80, 4) uint8 of the unlabelled map, or None.
        told: what the map is of, for a caption.
    """

    labels: tuple[str, ...]
    countries: np.ndarray
    cities: np.ndarray | None
    radii: np.ndarray | None
    cells: np.ndarray | None
    told: str


def colours(answers: np.ndarray) -> np.ndarray:
    """The colour of each place by what some units answer to it.

    Unit i of n has the hue 2πi / n. Answers squared are added as arrows; the mean arrow's direction is the
    hue, its length over the mean square, cubed, the saturation: where units oppose each other it is grey.

    Args:
        answers: (n, places), each in [0, 1] or a little above.

    Returns:
        (places, 3): hue in degrees, saturation in percent up to 120, lightness in percent.

    Source: `acts2color` in src/components/Map.svelte of the article's repository.
    """
    answers = np.asarray(answers, np.float64)
    angles = np.arange(len(answers)) * _TURN / len(answers)
    squares = answers**2
    across = (squares * np.cos(angles)[:, None]).mean(axis=0)
    up = (squares * np.sin(angles)[:, None]).mean(axis=0)
    saturation = np.sqrt(across**2 + up**2) / (squares.mean(axis=0) + 0.001)
    most, mean = answers.max(axis=0), answers.mean(axis=0)
    lightness = 1 - 0.6 * np.clip(0.4 * (2 * most + mean), 0.1, 1)
    told = np.stack([np.degrees(np.arctan2(up, across)), 120 * saturation**3, 100 * lightness], axis=1)
    return np.where(mean[:, None] == 0, (0.0, 0.0, 95.0), told)


def rgb(hsl: np.ndarray) -> np.ndarray:
    """(places, 3) as `colours` gives them -> (places, 3) uint8, as a browser draws them.

    Source: CSS Color Module Level 4, "HSL to RGB"; saturation above 100 % counts as 100 %.
    """
    hue, saturation, light = hsl[:, 0] % 360, np.clip(hsl[:, 1] / 100, 0, 1), hsl[:, 2] / 100
    reach = saturation * np.minimum(light, 1 - light)
    turned = (np.array([0, 8, 4])[None] + hue[:, None] / 30) % 12
    shares = light[:, None] - reach[:, None] * np.clip(np.minimum(turned - 3, 9 - turned), -1, 1)
    return np.round(255 * shares).astype(np.uint8)


def published_map(units: Sequence[RegionUnit]) -> RegionMap:
    """The article's map of some of its units, their hues mixed.

    Args:
        units: at least one of `records.region_units()`.

    Raises:
        ClipbenchError: no unit.
    """
    if not units:
        raise ClipbenchError("there is no region unit; choose at least one")
    countries, cities = (
        np.stack([getattr(unit, part) for unit in units]) / 255 for part in ("countries", "cities")
    )
    cells = np.stack([unit.map.reshape(-1) for unit in units]) / 255
    labels = tuple(unit.label for unit in units)
    return RegionMap(
        labels,
        rgb(colours(countries)),
        *_dots(cities),
        _opaque(rgb(colours(_MAP * cells)), _mixed(_MAP_OPACITY * cells)).reshape(*units[0].map.shape, 4),
        f"published record, {CREDIT}",
    )


def answered_map(found: Names, units: Sequence[int]) -> RegionMap:
    """The map of a model's units by what they answer to the written names of places.

    Answers below a unit's mean count as none; its largest as 1.

    Args:
        found: of `place_names()`, or of `country_names()`; then the map has no cities.
        units: at least one.

    Raises:
        ClipbenchError: no unit, one that the layer lacks, or a country whose name was not asked for.
    """
    if not units:
        raise ClipbenchError("there is no unit; choose at least one")
    above = np.stack([np.clip(found.sds(unit), 0, None) for unit in units])
    shares = above / np.maximum(above.max(axis=1, keepdims=True), 1e-12)
    places = {name: place for place, name in enumerate(found.names)}
    missing = next((name for name in country_names() if name not in places), None)
    if missing is not None:
        raise ClipbenchError(f"a map needs answers to all 175 countries, and {missing!r} was not asked for")
    countries = shares[:, [places[name] for name in country_names()]]
    labels = tuple(f"{found.layer}:{unit}" for unit in units)
    told, drawn = found.provenance.caption(), rgb(colours(countries))
    names = [city.name for city in world().cities]
    if not set(names) <= set(places):
        return RegionMap(labels, drawn, None, None, None, told)
    cities = shares[:, [places[name] for name in names]]
    return RegionMap(labels, drawn, *_dots(cities), None, told)


def country_names() -> tuple[str, ...]:
    """The 175 countries of the article's map, in its order."""
    return tuple(country.name for country in world().countries)


def place_names() -> tuple[str, ...]:
    """The countries, then the cities; a name that both bear stands once."""
    return tuple(dict.fromkeys([*country_names(), *(city.name for city in world().cities)]))


def strongest(unit: RegionUnit, count: int = 5) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The countries and the cities whose names a published unit answers to most."""
    places = world()
    lists = ((places.countries, unit.countries), (places.cities, unit.cities))
    return tuple(
        tuple(known[place].name for place in np.argsort(-answers.astype(int), kind="stable")[:count])
        for known, answers in lists
    )


def _dots(cities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colours and radii of cities, by (n, 620) answers."""
    opacity = 1.2 * _mixed(_CITY_OPACITY * cities)
    return _opaque(rgb(colours(cities)), opacity), 10 * _mixed(cities)


def _mixed(answers: np.ndarray) -> np.ndarray:
    """(n, places) -> (places,), half the largest answer and half the mean."""
    return (answers.max(axis=0) + answers.mean(axis=0)) / 2


def _opaque(colour: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    """(places, 3) uint8 and (places,) in [0, 1] or above -> (places, 4) uint8."""
    return np.column_stack([colour, np.round(255 * np.clip(opacity, 0, 1))]).astype(np.uint8)
