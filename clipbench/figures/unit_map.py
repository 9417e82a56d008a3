"""All units of a layer as points in the plane."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from clipbench.figures.style import AFTER, BEFORE, QUIET, wrapped

_HEIGHT = 420  # pixels
_FAINT, _CLEAR = 0.12, 0.85  # how strongly points are drawn that are left out, and those that are shown


def unit_map(places: np.ndarray, names: Sequence[str], shown: np.ndarray, chosen: int | None) -> go.Figure:
    """A point for each unit; two traces, so that a chosen one lies above the others.

    Args:
        places: (units, 2) in [0, 1].
        names: of the units, read when the pointer is on them; they came from outside.
        shown: (units,) bool; the others are faint.
        chosen: the unit that is marked, or None.
    """
    x, y = places.T
    told = [wrapped(name) for name in names]
    opacity = np.where(shown, _CLEAR, _FAINT)
    points = go.Scatter(
        x=x,
        y=y,
        mode="markers",
        text=told,
        hovertemplate="%{text}<extra></extra>",
        marker={"size": 7, "color": BEFORE, "opacity": opacity},
        showlegend=False,
    )
    at = [] if chosen is None else [chosen]
    ring = go.Scatter(
        x=x[at],
        y=y[at],
        mode="markers",
        hoverinfo="skip",
        marker={"size": 14, "color": AFTER, "symbol": "circle-open", "line": {"width": 3}},
        showlegend=False,
    )
    axis = {"visible": False, "fixedrange": True, "range": [-0.03, 1.03]}
    layout = {**QUIET, "margin": {"l": 0, "r": 0, "t": 0, "b": 0}, "height": _HEIGHT}
    return go.Figure([points, ring], {**layout, "xaxis": axis, "yaxis": axis, "hovermode": "closest"})
