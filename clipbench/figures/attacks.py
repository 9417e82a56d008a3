"""What became of written words: rates of attacks as bars, a defence as curves."""

from collections.abc import Sequence

import plotly.graph_objects as go

from clipbench.attacks import Defence, NineRow, SearchResult
from clipbench.attacks.defence_result import KINDS
from clipbench.figures.style import (
    AFTER,
    AIR,
    BARE,
    BEFORE,
    LEGEND,
    OTHER,
    QUIET,
    SERIES,
    percent,
    whiskers,
    wrapped,
)
from clipbench.intervals import Rate

_ROW = 16  # height of one bar in pixels


def nine(rows: Sequence[NineRow]) -> go.Figure:
    """Success of each text: the published share, and below it each column's with its 95 % interval."""
    bars = [_bars("published", [row.published.success for row in rows], OTHER)]
    for number, name in enumerate(rows[0].results):
        successes = [row.results[name] and row.results[name].success for row in rows]
        bars.append(_bars(name, successes, SERIES[number % len(SERIES)]))
    return _barred(bars, [f"{row.published.text} → {row.published.target}" for row in rows])


def search(result: SearchResult) -> go.Figure:
    """Success of the texts that were found, the best first, on photos that no search has seen.

    The target's own name has another colour; behind each bar stand hits and photos.
    """
    rates = [one.success for one in result.found]
    colours = [BEFORE if one.text == result.target else AFTER for one in result.found]
    bars = _bars("success", rates, colours)
    bars.text = [f"{rate.hits} of {rate.n}" for rate in rates]  # in place of the share
    figure = _barred([bars], [one.text for one in result.found])
    figure.update_layout(showlegend=False, margin_t=0, height=1.6 * _ROW * len(rates))
    return figure


def _barred(bars: Sequence[go.Bar], names: Sequence[str]) -> go.Figure:
    """Rows of horizontal bars, the first row on top, their numbers behind the whiskers."""
    rows = {"tickvals": [*range(len(names))], "ticktext": [wrapped(name) for name in names]}
    step = (1 - QUIET["bargap"]) / len(bars)  # from one bar of a row to the next
    numbers = [
        {
            **{"x": share + reach, "y": row + step * (place - (len(bars) - 1) / 2), "text": text},
            **{"xanchor": "left", "showarrow": False, "font": {"size": 10}},
        }
        for place, bar in enumerate(bars)
        for row, (share, reach, text) in enumerate(zip(bar.x, bar.error_x.array, bar.text, strict=True))
    ]
    layout = {
        **QUIET,
        "height": LEGEND + _ROW * len(names) * (len(bars) + 1),
        "yaxis": {**BARE, **rows, "range": [len(names) - 0.5, -0.5], **AIR},
        "xaxis": {**BARE, "visible": False, "range": [0, 1.1]},  # room for the number behind a full bar
        "annotations": numbers,
    }
    return go.Figure(bars, layout)


def _bars(name: str, rates: Sequence[Rate | None], colour: str | list[str]) -> go.Bar:
    """One column's bars; where there is no rate stands "no data"."""
    return go.Bar(
        name=name,
        orientation="h",
        x=[rate.share if rate else 0.0 for rate in rates],
        y=[*range(len(rates))],
        text=[percent(rate.share) if rate else "no data" for rate in rates],
        textposition="none",  # it stands behind the whisker
        marker={"color": colour},
        hoverinfo="skip",
        error_x=whiskers(rates),
    )


def defence(result: Defence) -> go.Figure:
    """Success of the attacks against accuracy on clean photos, a line for each kind of held units.

    Each line begins where nothing is held; its points bear the number of units and a 95 % interval. A defence
    is good where its line falls steeply and the controls' do not.
    """
    plain = result.rows[0]
    lines = []
    for kind, colour, side in zip(KINDS, (AFTER, OTHER, BEFORE), ("left", "center", "right"), strict=True):
        rows = [plain, *(row for row in result.rows if row.kind == kind)]
        lines.append(
            go.Scatter(
                name=kind,
                x=[row.clean.share for row in rows],
                y=[row.success.share for row in rows],
                text=[str(row.k) for row in rows],
                mode="lines+markers+text",
                textposition=f"{'top' if side == 'center' else 'middle'} {side}",
                line={"color": colour},
                hoverinfo="skip",
                error_y=whiskers([row.success for row in rows]),
            )
        )
    least = min(row.clean.share for row in result.rows)
    axis = {"fixedrange": True, "tickformat": ".0%", "gridcolor": "rgba(127,127,127,0.2)"}
    layout = {
        **QUIET,
        "height": 420,
        "margin": {"l": 60, "r": 12, "t": LEGEND, "b": 48},
        "xaxis": {**axis, "range": [least - 0.08, 1.02], "title": {"text": "clean photos that are right"}},
        "yaxis": {**axis, "range": [0, 1.05], "title": {"text": "attacks that succeed"}},
    }
    return go.Figure(lines, layout)
