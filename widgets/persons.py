"""Persons: what a unit answers to photos of each, and the unit in a row of facets."""

import ipywidgets as w

from clipbench.optvis.facet_rows import PERSONS
from widgets import parts
from widgets.medians import Medians
from widgets.unit_facets import UnitFacets
from widgets.unit_field import UnitField
from widgets.workbench import Workbench

_QUESTION = (
    "The article found units of persons: of Donald Trump, of Jesus, of Spider-Man. It showed the unit photos "
    "of other persons, too, and painted it as a logo, as a pose, as a face and as text."
)


class Persons(w.VBox):
    """Medians by label, and facets side by side.

    Args:
        bench: the shared state.
    """

    def __init__(self, bench: Workbench):
        self._unit = UnitField(bench)
        super().__init__(
            [
                parts.prose("Whom does a unit know?", "h2"),
                parts.prose(_QUESTION),
                self._unit,
                Medians(bench, self._unit),
                parts.prose("Its facets", "h3"),
                UnitFacets(bench, self._unit, PERSONS),
            ]
        )
