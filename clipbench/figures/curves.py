"""Success of an attack against one thing about its text."""

import plotly.graph_objects as go

from clipbench.attacks import AXES, Curve
from clipbench.attacks.axes import Axis
from clipbench.errors import ClipbenchError
from clipbench.figures.style import LEGEND, OTHER, QUIET, SERIES, whiskers, wrapped

_GRID = "rgba(127,127,127,0.2)"


def robustness(*curves: Curve) -> go.Figure:
    """Success at each value, with 95 % intervals; a line for each curve, such as mini's and its control's.

    The dotted line, on the axis at the right, is the share of the pixels that the text covers. Values that
    are no numbers stand side by side and are not joined.

    Raises:
        ClipbenchError: no curve, or curves of different axes.
    """
    if len({curve.axis for curve in curves}) != 1:
        raise ClipbenchError("there must be curves of one axis; draw those of another one by themselves")
    axis = AXES[curves[0].axis]
    mode = "lines+markers" if axis.counts else "markers"
    lines = [
        go.Scatter(
            name=wrapped(f"success, {curve.provenance.model}", 60),
            x=_values(curve),
            y=[point.success.share for point in curve.points],
            mode=mode,
            marker={"size": 8},
            line={"color": SERIES[number % len(SERIES)]},
            hoverinfo="skip",
            error_y=whiskers([point.success for point in curve.points]),
        )
        for number, curve in enumerate(curves)
    ]
    covered = go.Scatter(
        name="pixels covered",
        x=_values(curves[0]),
        y=[point.cover for point in curves[0].points],
        mode=mode,
        marker={"size": 6, "symbol": "diamond-open"},
        line={"color": OTHER, "dash": "dot"},
        yaxis="y2",
        hoverinfo="skip",
    )
    return go.Figure([*lines, covered], _layout(axis))


def _layout(axis: Axis) -> dict:
    """One scale at the left for success, one at the right for the cover."""
    shares = {"fixedrange": True, "tickformat": ".0%", "zeroline": False}
    return {
        **QUIET,
        "height": 380,
        "margin": {"l": 60, "r": 70, "t": LEGEND, "b": 60},
        "xaxis": {
            "fixedrange": True,
            "gridcolor": _GRID,
            "zeroline": False,
            "type": "linear" if axis.counts else "category",
            "title": {"text": f"{axis.name}: {wrapped(axis.told, 80)}"},
        },
        "yaxis": {
            **shares,
            "range": [0, 1.05],
            "gridcolor": _GRID,
            "title": {"text": "attacks that succeed"},
        },
        "yaxis2": {
            **shares,
            "overlaying": "y",
            "side": "right",
            "rangemode": "tozero",
            "tickformat": ".1~%",
            "showgrid": False,
            "title": {"text": "pixels covered"},
        },
    }


def _values(curve: Curve) -> list:
    return [wrapped(point.value) if isinstance(point.value, str) else point.value for point in curve.points]
