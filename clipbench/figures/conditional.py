"""What a unit's activation says about a picture, and a label about the activation."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from clipbench.errors import ClipbenchError
from clipbench.figures.style import LEGEND, QUIET, SERIES, wrapped
from clipbench.studies.conditional import Conditional

_HEIGHT = 310  # in pixels, without the legend
_LINE = 20  # of the legend
_FAINT = "rgba(127,127,127,0.25)"
_SMALL = {"size": 13}
_SDS = {"fixedrange": True, "gridcolor": _FAINT, "zerolinecolor": "#777", "zerolinewidth": 1.5,
        "title": {"text": "standard deviations from zero activation", "font": _SMALL}}  # fmt: skip


def conditional(result: Conditional, colours: Sequence[str] = (), at: str = "edge") -> go.Figure:
    """P(label | activation) as stacked areas, as the article draws it.

    Args:
        result: k labels.
        colours: of the labels; none takes Okabe and Ito's, over and over.
        at: a share stands at its bucket's "edge", the lower one, as in the article, or in its "middle".

    Raises:
        ClipbenchError: `at` is neither.
    """
    if at not in ("edge", "middle"):
        raise ClipbenchError(f'a share stands at the "edge" or in the "middle" of its bucket, not at {at!r}')
    kept = result.totals > 0
    ends = result.sds
    across = (ends[:-1] if at == "edge" else (ends[:-1] + ends[1:]) / 2)[kept]
    areas = [
        go.Scatter(
            name=wrapped(f"{label} · {int(own.sum())}"),
            x=across,
            y=share[kept],
            stackgroup="all",
            mode="lines",
            line={"width": 0.5, "color": _colour(colours, row)},
            fillcolor=_colour(colours, row),
            text=[
                f"{label}: {value:.0%} ({low:.0%} to {high:.0%}), n = {total}"
                for value, (low, high), total in zip(
                    share[kept], result.intervals[row][kept], result.totals[kept], strict=True
                )
            ],
            hoverinfo="text",
        )
        for row, (label, own, share) in enumerate(
            zip(result.labels, result.counts, result.shares, strict=True)
        )
    ]
    shares = {"fixedrange": True, "range": [0, 1], "tickformat": ".0%", "gridcolor": _FAINT}
    return go.Figure(
        areas,
        _layout(
            len(result.labels), _SDS, {**shares, "title": {"text": "share of the labels", "font": _SMALL}}
        ),
    )


def given_label(result: Conditional, colours: Sequence[str] = ()) -> go.Figure:
    """Activation given the label, a line for each: where the pictures of a label lie.

    Raises:
        ClipbenchError: the numbers of pictures in the buckets are not known.
    """
    middle = (result.sds[:-1] + result.sds[1:]) / 2
    lines = [
        go.Scatter(
            name=wrapped(label), x=middle, y=row, mode="lines+markers",
            line={"color": _colour(colours, number), "shape": "hvh"}, marker={"size": 4},
        )
        for number, (label, row) in enumerate(zip(result.labels, result.given_label, strict=True))
    ]  # fmt: skip
    shares = {"fixedrange": True, "rangemode": "tozero", "tickformat": ".0%", "gridcolor": _FAINT}
    return go.Figure(
        lines,
        _layout(
            len(result.labels),
            _SDS,
            {**shares, "title": {"text": "share of the label's pictures", "font": _SMALL}},
        ),
    )


def recall(result: Conditional, colours: Sequence[str] = ()) -> go.Figure:
    """Share of a label's pictures at or above an activation, a falling line for each label.

    Raises:
        ClipbenchError: the numbers of pictures in the buckets are not known.
    """
    lines = [
        go.Scatter(
            name=wrapped(label),
            x=result.sds,
            y=np.append(row, 0),
            mode="lines+markers",
            line={"color": _colour(colours, number)},
            marker={"size": 4},
        )
        for number, (label, row) in enumerate(zip(result.labels, result.recall, strict=True))
    ]
    shares = {"fixedrange": True, "range": [0, 1.03], "tickformat": ".0%", "gridcolor": _FAINT}
    return go.Figure(
        lines,
        _layout(
            len(result.labels), _SDS, {**shares, "title": {"text": "recall at or above", "font": _SMALL}}
        ),
    )


def _layout(labels: int, across: dict, up: dict) -> dict:
    """A page with room for the legend above, two labels in a line as on a phone."""
    above = max(LEGEND, _LINE * -(-labels // 2))
    margins = {"l": 56, "r": 8, "t": above, "b": 48}
    return {**QUIET, "height": _HEIGHT + above, "margin": margins, "xaxis": across, "yaxis": up}


def _colour(colours: Sequence[str], number: int) -> str:
    """A colour as plotly reads it: eight hexadecimal digits lose the opacity."""
    series = colours or SERIES
    colour = series[number % len(series)]
    return colour[:7] if colour.startswith("#") else colour
