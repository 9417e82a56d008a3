"""The article's map of the world, coloured by region units."""

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from clipbench.figures.style import BARE, QUIET
from clipbench.studies.records import world
from clipbench.studies.regions import RegionMap

_NORTH, _SOUTH = 84, -60  # degrees; what is beyond is ice
_WIDTH = 700  # pixels for which the radii are meant
_SEA, _BORDER = "#000", "#AAA"


def world_map(result: RegionMap, title: str = "") -> go.Figure:
    """Countries as areas, cities as discs, the answers to an unlabelled map as a veil over both.

    Args:
        result: a published or an answered map.
        title: a line above it.
    """
    places = world()
    traces = [
        _area(country.name, country.rings, colour)
        for country, colour in zip(places.countries, result.countries.tolist(), strict=True)
    ]
    traces.append(_cities(result))
    images = [] if result.cells is None else [_veil(result.cells)]
    above = 28 if title else 4
    layout = {
        **QUIET,
        "plot_bgcolor": _SEA,
        "height": 340 + above,
        "margin": {"l": 0, "r": 0, "t": above, "b": 0},
        "showlegend": False,
        "title": {"text": title, "x": 0, "xanchor": "left", "font": {"size": 13}, "yref": "container"},
        "xaxis": {**BARE, "visible": False, "range": [-180, 180]},
        "yaxis": {**BARE, "visible": False, "range": [_SOUTH, _NORTH]},
        "images": images,
    }
    return go.Figure(traces, layout)


def _area(name: str, rings: tuple, colour: list[int]) -> go.Scatter:
    """A country; None between its outlines lifts the pen."""
    points = [point for ring in rings for point in (*ring, (None, None))]
    across, up = zip(*points, strict=True)
    red, green, blue = colour
    return go.Scatter(
        x=across,
        y=up,
        fill="toself",
        fillcolor=f"rgba({red},{green},{blue},0.9)",
        line={"color": _BORDER, "width": 0.5},
        mode="lines",
        hoveron="fills",
        text=name,
        hoverinfo="text",
    )


def _cities(result: RegionMap) -> go.Scatter:
    if result.cities is None:
        return go.Scatter(x=[], y=[], mode="markers")
    shown = np.flatnonzero(result.cities[:, 3] > 12)  # what is fainter cannot be seen
    cities = [world().cities[place] for place in shown]
    across, up = zip(*(city.place for city in cities), strict=True) if cities else ((), ())
    return go.Scatter(
        x=across,
        y=up,
        mode="markers",
        text=[city.name for city in cities],
        hoverinfo="text",
        marker={
            "size": 2 * result.radii[shown] * _WIDTH / 1000,
            "color": [f"rgba({r},{g},{b},{a / 255:.3f})" for r, g, b, a in result.cities[shown].tolist()],
            "line": {"width": 0.5, "color": _BORDER},
        },
    )


def _veil(cells: np.ndarray) -> dict:
    """The 40 × 80 cells, which span the whole globe, as one picture."""
    place = {"xref": "x", "yref": "y", "x": -180, "y": 90, "sizex": 360, "sizey": 180}
    return {"source": Image.fromarray(cells, "RGBA"), "sizing": "stretch", "layer": "above", **place}
