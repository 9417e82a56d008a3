"""Emotions: codes as bars of units, words as discs on a wheel."""

import html
from collections.abc import Sequence

import plotly.graph_objects as go

from clipbench.figures.style import AFTER, AIR, BARE, LEGEND, QUIET, TICK, wrapped
from clipbench.studies.emotion_wheel import Disc, wheel
from clipbench.studies.emotions import Codes

_ROW = 26  # height of one unit in pixels
_SIDE = 620  # of the wheel in pixels
_LONG = 9  # letters of a word that is written smaller
_TOLD = 4  # units of a word that are named where the pointer rests


def codes(result: Codes, words: Sequence[str], without: Sequence[int] = ()) -> go.Figure:
    """Bars of the units of some words' codes: green adds, vermilion takes away; 1 is the largest.

    Args:
        result: codes that hold the words.
        words: at least one.
        without: units to leave out, such as those that answer to letters.
    """
    rows = [
        (word if place == 0 else "", unit, share)
        for word in words
        for place, (unit, share) in enumerate(result.code(word, without=without) or [(None, 0.0)])
    ]
    names = [f"{wrapped(word)} = {_unit(result, unit)}" if word else _unit(result, unit)
             for word, unit, _ in rows]  # fmt: skip
    bars = go.Bar(
        orientation="h",
        x=[share for _, _, share in rows],
        y=[*range(len(rows))],
        marker={"color": [TICK if share > 0 else AFTER for _, _, share in rows]},
        text=["" if unit is None else f"{share:+.2f}".replace("-", "−") for _, unit, share in rows],
        textposition="outside",
        cliponaxis=False,
        hoverinfo="skip",
    )
    ticks = {"tickvals": [*range(len(rows))], "ticktext": names, "range": [len(rows) - 0.5, -0.5], **AIR}
    layout = {
        **QUIET,
        "height": _ROW * len(rows) + LEGEND,
        "xaxis": {**BARE, "visible": False, "range": [1.5 * min(0, *bars.x) - 0.6, 1.4]},
        "yaxis": {**BARE, **ticks},
    }
    return go.Figure(bars, layout)


def emotion_wheel(result: Codes, discs: Sequence[Disc] = (), without: Sequence[int] = ()) -> go.Figure:
    """The wheel of words, a disc each, coloured by the factors of the codes; drag to zoom, twice to go back.

    Args:
        result: the codes that a disc tells where the pointer rests.
        discs: from `wheel`; none takes the published ones.
        without: units that are not told.
    """
    discs = discs or wheel()
    told = [_told(result, disc.word, without) for disc in discs]
    marks = go.Scatter(
        x=[disc.column for disc in discs],
        y=[disc.row for disc in discs],
        mode="markers+text",
        text=["<br>".join(disc.word.split()) for disc in discs],
        textfont={
            "size": [10 if len(disc.word) < _LONG else 8 for disc in discs],
            "color": "#111",
        },
        hovertext=told,
        hoverinfo="text",
        marker={
            "size": 44,
            "color": ["rgb({},{},{})".format(*disc.colour) for disc in discs],
            "line": {"width": 0},
        },
    )
    free = {"showgrid": False, "zeroline": False, "visible": False}
    layout = {
        **QUIET,
        "dragmode": "zoom",
        "height": _SIDE,
        "margin": {"l": 0, "r": 0, "t": 4, "b": 0},
        "xaxis": {**free, "range": [-0.7, 12.7]},
        "yaxis": {**free, "range": [12.7, -0.7]},
    }
    return go.Figure(marks, layout)


def _unit(result: Codes, unit: int | None) -> str:
    if unit is None:
        return "no unit"
    name = result.names.get(unit, "")
    return html.escape(f"{unit}{f' {name}' if name else ''}", quote=False)


def _told(result: Codes, word: str, without: Sequence[int]) -> str:
    """A word's code as a sum, for where the pointer rests."""
    if word not in result.words:
        return html.escape(word)
    parts = [f"{share:+.2f} × {_unit(result, unit)}" for unit, share in result.code(word, _TOLD, without)]
    return f"{html.escape(word)} =<br>" + ("<br>".join(parts) or "no unit")
