"""Bars: what a model sees before and after."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from clipbench.classify import BeforeAfter
from clipbench.figures.style import AFTER, AIR, BARE, BEFORE, LEGEND, QUIET, percent, wrapped

_ROW = 30  # height of one label in pixels: two bars of the height of small print, and air


def before_after(result: BeforeAfter, order: Sequence[str] = ()) -> go.Figure:
    """Horizontal bars, two for each label: its probability before and after.

    Args:
        result: k labels.
        order: these labels first and in this order, so that two figures can stand beside each other; the
            others follow, those with the larger of their two probabilities first.
    """
    ranked = sorted(result.ranked, key=lambda label: order.index(label) if label in order else len(order))
    rows = [result.labels.index(label) for label in ranked]
    names = [wrapped(result.labels[row]) for row in rows]
    lines = len(names) * max([2, *(name.count("<br>") + 1 for name in names)])  # rows are equally high
    return go.Figure(
        [_bars("before", result.before[rows], BEFORE), _bars("after", result.after[rows], AFTER)],
        {
            **QUIET,
            "height": LEGEND + _ROW * lines // 2,
            "yaxis": {
                **BARE,
                "tickvals": [*range(len(names))],
                "ticktext": names,
                "range": [len(names) - 0.5, -0.5],  # the first one on top
                **AIR,
            },
            "xaxis": {**BARE, "visible": False, "range": [0, 1]},
        },
    )


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
