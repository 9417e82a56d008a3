"""What is left of a painted picture's value under changes, beside its controls."""

import plotly.graph_objects as go

from clipbench.figures.style import AFTER, AIR, BEFORE, LEGEND, QUIET, wrapped
from clipbench.studies import TrustReport

_ROW = 44  # height of one change in pixels: up to four bars and air
_AXIS = 50  # below the bars, for numbers and what they are
_COLOURS = (AFTER, BEFORE, "#CC79A7", "#999999")  # the subject, then controls; Okabe and Ito, and grey
_LINE = "#999"
_TITLE = {"text": "left of the rise over plain grey"}
_WIDEST = 1.5  # shares beyond it, either side, are cut: a value may rise under a change


def survival(report: TrustReport) -> go.Figure:
    """Horizontal bars, one for each change and subject: the share of the rise over grey that is left.

    Args:
        report: a picture and its controls; one that does not rise over grey has no bars.
    """
    figures = {"the picture": report.subject, **report.controls}
    changes = list(report.subject.survival.changed)
    traces = [
        go.Bar(
            name=name,
            orientation="h",
            x=[figure.survival.kept[change] for change in changes],
            y=[wrapped(change) for change in changes],
            marker={"color": colour},
            hovertemplate="%{y}: %{x:.0%}",
        )
        for (name, figure), colour in zip(figures.items(), _COLOURS, strict=False)
        if figure.survival.kept
    ]
    ends = [share for trace in traces for share in trace.x]
    low, high = min([0.0, *ends]), max([1.0, *ends])
    line = {"fixedrange": True, "zeroline": True, "zerolinecolor": _LINE, "showgrid": False}
    drawn = go.Figure(
        traces,
        {
            **QUIET,
            "height": LEGEND + _ROW * len(changes) + _AXIS,
            "margin": {**QUIET["margin"], "b": _AXIS},
            "yaxis": {"fixedrange": True, "autorange": "reversed", **AIR},
            "xaxis": {
                **line,
                "tickformat": ".0%",
                "title": _TITLE,
                "range": [max(low, -_WIDEST), min(high, _WIDEST)],
            },
        },
    )
    return drawn.add_vline(x=1, line_color=_LINE, line_width=1)
