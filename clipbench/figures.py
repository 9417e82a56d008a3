"""Results become plotly figures; nothing is computed here but places on a page.

Backgrounds are clear and text is grey, so that a figure suits light and dark pages alike.
"""

import html
import textwrap
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from clipbench.classify import BeforeAfter

BEFORE, AFTER = "#56B4E9", "#D55E00"  # Okabe and Ito's sky blue and vermilion: told apart by everybody
_ROW = 30  # height of one label in pixels: two bars of the height of small print, and air
_LEGEND = 30
_LINE = 24  # letters of a label in one line; a phone's page has room for these and for bars
_CLEAR = "rgba(0,0,0,0)"

_QUIET = {  # no frame, no background, nothing to drag
    "template": go.layout.Template(),
    "barmode": "group",
    "bargap": 0.28,
    "bargroupgap": 0.08,
    "dragmode": False,
    "margin": {"l": 0, "r": 44, "t": _LEGEND, "b": 0},  # at the right, room for "> 99 %" beside a bar
    "paper_bgcolor": _CLEAR,
    "plot_bgcolor": _CLEAR,
    "font": {"size": 13, "family": "system-ui, sans-serif", "color": "#777"},  # readable on white and black
    "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "itemclick": False},
}


def before_after(result: BeforeAfter, order: Sequence[str] = ()) -> go.Figure:
    """Horizontal bars, two for each label: its probability before and after.

    Args:
        result: k labels.
        order: these labels first and in this order, so that two figures can stand beside each other; the
            others follow, those with the larger of their two probabilities first.
    """
    ranked = sorted(result.ranked, key=lambda label: order.index(label) if label in order else len(order))
    rows = [result.labels.index(label) for label in ranked]
    names = [_wrapped(result.labels[row]) for row in rows]
    lines = sum(max(2, name.count("<br>") + 1) for name in names)
    quiet = {"fixedrange": True, "showgrid": False, "zeroline": False}
    return go.Figure(
        [_bars("before", result.before[rows], BEFORE), _bars("after", result.after[rows], AFTER)],
        {
            **_QUIET,
            "height": _LEGEND + _ROW * lines // 2,
            "yaxis": {
                **quiet,
                "tickvals": [*range(len(names))],
                "ticktext": names,
                "range": [len(names) - 0.5, -0.5],  # the first one on top
                "automargin": True,
                "ticks": "outside",
                "ticklen": 6,
                "tickcolor": _CLEAR,
            },
            "xaxis": {**quiet, "visible": False, "range": [0, 1]},
        },
    )


def percent(share: float) -> str:
    """A probability for reading: "< 1 %" and "> 99 %" where rounding would say none or all."""
    if 0 < share < 0.005:
        return "< 1\xa0%"
    if 0.995 <= share < 1:
        return "> 99\xa0%"
    return f"{share:.0%}".replace("%", "\xa0%")


def _bars(name: str, shares: np.ndarray, colour: str) -> go.Bar:
    return go.Bar(
        name=name,
        orientation="h",
        x=shares.tolist(),
        y=[*range(len(shares))],
        text=[percent(share) for share in shares.tolist()],
        textposition="outside",
        textfont={"size": 11},
        constraintext="none",
        cliponaxis=False,
        marker={"color": colour},
        hoverinfo="skip",
    )


def _wrapped(label: str) -> str:
    return "<br>".join(html.escape(line, quote=False) for line in textwrap.wrap(label, _LINE))
