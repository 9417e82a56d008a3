"""The ledger of published numbers: how many of each topic agree."""

import plotly.graph_objects as go

from clipbench.figures.style import AIR, BARE, BEFORE, CROSS, LEGEND, OTHER, QUIET, TICK, wrapped
from clipbench.parity import Ledger

_ROW = 26  # height of a topic in pixels
_COLOURS = {"agrees": TICK, "erratum": BEFORE, "differs": CROSS, "not run": OTHER}


def ledger(result: Ledger) -> go.Figure:
    """A bar for each topic, split by what became of its entries; lengths are shares, numbers are entries."""
    topics = result.topics
    names = [wrapped(f"{topic} · {sum(own.values()):,}") for topic, own in topics.items()]
    bars = []
    for state, colour in _COLOURS.items():
        counts = [own[state] for own in topics.values()]
        totals = [sum(own.values()) for own in topics.values()]
        bars.append(
            go.Bar(
                name=state,
                orientation="h",
                x=[count / total for count, total in zip(counts, totals, strict=True)],
                y=[*range(len(names))],
                text=[f"{count:,}" if count else "" for count in counts],
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                insidetextfont={"color": "#111" if state in ("not run", "erratum") else "#fff"},
                marker={"color": colour, "opacity": 0.35 if state == "not run" else 1},
                hoverinfo="skip",
            )
        )
    rows = {"tickvals": [*range(len(names))], "ticktext": names, "range": [len(names) - 0.5, -0.5], **AIR}
    layout = {
        **QUIET,
        "barmode": "stack",
        "height": LEGEND + _ROW * len(names) + 8,
        "margin": {"l": 0, "r": 8, "t": LEGEND, "b": 0},
        "legend": {**QUIET["legend"], "traceorder": "normal"},
        "xaxis": {**BARE, "visible": False, "range": [0, 1]},
        "yaxis": {**BARE, **rows},
    }
    return go.Figure(bars, layout)
