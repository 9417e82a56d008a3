"""Is there a unit for a country's flag and its written name? Counted for a model, its control and chance.

    python benchmarks/country_units.py [MODEL ...] [--json | --write]

Without a model, mini and its control. The flags are Noto's, which no training showed; the names are written
on white. For 60 countries, evenly spread over the alphabet, of the 159 whose flag is shipped: whether any
unit of the last layer has both among its best 2 % of all 159; and whether the one unit that the name chooses
has the flag there. Chance is counted by dealing out the flags among the countries a thousand times.
"""

from emoji_table import row, run

import clipbench as cb
from clipbench.studies.country_units import CountryUnits, country_units

LEAST = 30  # countries of 60


def measure(name: str) -> tuple[list[dict], list[dict]]:
    """Two rows of the table, and of each country asked for its unit."""
    *_, last = country_units(cb.load(name, device="cpu"))
    found = last.result
    rows = [
        row(found, "any unit, flag and name", found.found, found.permuted, LEAST),
        row(found, "the name's unit, flag", found.found_by_name, found.permuted_by_name),
    ]
    return rows, [dict(zip(("country", "unit"), one, strict=True)) for one in units(found)]


def units(found: CountryUnits) -> list[tuple[str, int | None]]:
    return [(found.countries[place], found.unit_of(place)) for place in found.asked]


if __name__ == "__main__":
    run(__doc__, "country_units", "countries", measure, ["mini", "timm/tf_efficientnet_lite0"])
