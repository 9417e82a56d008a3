"""The phrases that a unit likes most, beside what the same search finds for nothing in particular."""

import plotly.graph_objects as go

from clipbench.figures.style import AFTER, AIR, BARE, LEGEND, OTHER, QUIET, wrapped
from clipbench.studies import MaximalText

_ROW = 34  # height of one phrase in pixels, which may take two lines
_SHOWN = 10  # phrases of the unit


def maximal_text(result: MaximalText) -> go.Figure:
    """Scores as horizontal bars: the unit's phrases, and below them the best of each random direction.

    Args:
        result: at least one phrase.
    """
    groups = {
        "this unit": (result.phrases[:_SHOWN], AFTER),
        "best for a random direction": (result.directions, OTHER),
    }
    rows = [phrase for phrases, _ in groups.values() for phrase in phrases]
    bars, start = [], 0
    for name, (phrases, colour) in groups.items():
        bars.append(
            go.Bar(
                name=name,
                orientation="h",
                x=[one.score for one in phrases],
                y=[*range(start, start + len(phrases))],
                marker={"color": colour},
                text=[f"{one.score:.3f}" for one in phrases],
                textposition="outside",
                cliponaxis=False,
                hovertext=[f"cosine {one.cosine:.3f}, surprise {one.surprise:.1f} nats" for one in phrases],
                hoverinfo="text",
            )
        )
        start += len(phrases)
    names = {"tickvals": [*range(len(rows))], "ticktext": [wrapped(one.text) for one in rows]}
    layout = {
        **QUIET,
        "barmode": "overlay",
        "height": LEGEND + _ROW * len(rows),
        "xaxis": {**BARE, "visible": False, "rangemode": "tozero"},
        "yaxis": {**BARE, **names, "range": [len(rows) - 0.5, -0.5], **AIR},
    }
    return go.Figure(bars, layout)
