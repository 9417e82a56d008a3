"""Bars of a unit's median answer to each label."""

import plotly.graph_objects as go

from clipbench.figures.style import AIR, BARE, BEFORE, QUIET, wrapped
from clipbench.studies.label_medians import LabelMedians

_ROW = 26  # height of a label in pixels


def label_medians(result: LabelMedians) -> go.Figure:
    """A bar for each label, the largest median on top; whiskers are the spread of the label's photos."""
    counts = [""] * len(result.labels) if result.counts is None else [f" · {n}" for n in result.counts]
    names = [wrapped(f"{label}{count}", 40) for label, count in zip(result.labels, counts, strict=True)]
    bars = go.Bar(
        orientation="h",
        x=result.medians,
        y=[*range(len(names))],
        marker={"color": BEFORE},
        error_x={"type": "data", "array": result.deviations, "thickness": 1, "width": 2},
        hovertemplate="%{x:+.2f} sd<extra></extra>",
    )
    rows = {"tickvals": [*range(len(names))], "ticktext": names, "range": [-0.5, len(names) - 0.5], **AIR}
    across = {"fixedrange": True, "gridcolor": "rgba(127,127,127,0.25)", "zerolinecolor": "#777"}
    layout = {
        **QUIET,
        "height": _ROW * len(names) + 56,
        "margin": {"l": 0, "r": 8, "t": 8, "b": 48},
        "xaxis": {
            **across,
            "title": {"text": "sd from zero activation", "font": {"size": 13}},
        },
        "yaxis": {**BARE, **rows},
    }
    return go.Figure(bars, layout)
