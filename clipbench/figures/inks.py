"""Stroop's test as a square of words in inks, and as a curve over how faint the ink is."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from clipbench.attacks import Stroop
from clipbench.attacks.stroop_effect import INKS, WORDS
from clipbench.figures.style import (
    AFTER,
    AIR,
    BARE,
    BEFORE,
    CROSS,
    LEGEND,
    OTHER,
    QUIET,
    TICK,
    coloured,
    percent,
    whiskers,
)

_CELL = 46  # height of one cell of the square in pixels: two lines and air
_GRID = "rgba(127,127,127,0.2)"
_CURVES = {  # of a result: what it is called, its colour
    "word": ("word, where they disagree", AFTER),
    "ink": ("ink, where they disagree", TICK),
    "congruent": ("ink, where they agree", BEFORE),
    "neutral": ("ink of a neutral word", OTHER),
}


def stroop(result: Stroop) -> go.Figure:
    """A row for each ink, a column for each word; below the word in its ink stands the answer.

    The answer is green where it is the ink, vermilion where it is another colour's name that was written.
    """
    columns = {"tickvals": [*range(len(WORDS))], "ticktext": WORDS, "tickfont": {"size": 11}}
    rows = {**BARE, "tickvals": [*range(len(INKS))], "ticktext": INKS, "range": [len(INKS) - 0.5, -0.5]}
    shares = result.probabilities.max(axis=2)
    notes = [
        note
        for row, ink in enumerate(INKS)
        for column, word in enumerate(WORDS)
        for note in _cell(ink, word, result.answers[row][column], float(shares[row, column]), row, column)
    ]
    paper = go.Heatmap(  # white, whatever the page: the inks were on white
        z=np.zeros((len(INKS), len(WORDS))),
        colorscale=[[0, "white"], [1, "white"]],
        showscale=False,
        hoverinfo="skip",
        xgap=2,
        ygap=2,
    )
    layout = {
        **QUIET,
        "height": LEGEND + _CELL * len(INKS),
        "margin": {"l": 0, "r": 0, "t": LEGEND, "b": 0},
        "xaxis": {
            **BARE,
            **columns,
            "side": "top",
            "tickangle": 0,
            "ticks": "",
            "range": [-0.5, len(WORDS) - 0.5],
        },
        "yaxis": {**rows, **AIR},
        "annotations": notes,
    }
    return go.Figure(paper, layout)


def _cell(ink: str, word: str, answer: str, share: float, row: int, column: int) -> list[dict]:
    colour = TICK if answer == ink else CROSS if answer == word else OTHER
    place = {"x": column, "y": row, "showarrow": False}
    told = coloured(f"{answer}<br>{percent(share)}", colour)
    return [
        {**place, "text": coloured(word, ink), "yshift": 12, "font": {"size": 11, "color": ink}},
        {**place, "text": told, "yshift": -9, "font": {"size": 9, "color": colour}},
    ]


def stroop_opacity(results: Mapping[float, Stroop]) -> go.Figure:
    """How often the word and the ink are named, over the opacity of the ink, with 95 % intervals.

    Args:
        results: opacity -> result.
    """
    opacities = sorted(results)
    lines = []
    for kind, (name, colour) in _CURVES.items():
        rates = [getattr(results[opacity], kind) for opacity in opacities]
        lines.append(
            go.Scatter(
                name=name,
                x=opacities,
                y=[rate.share for rate in rates],
                mode="lines+markers",
                line={"color": colour},
                hoverinfo="skip",
                error_y=whiskers(rates),
            )
        )
    axis = {"fixedrange": True, "zeroline": False, "tickformat": ".0%", "gridcolor": _GRID}
    layout = {
        **QUIET,
        "height": 340,
        "margin": {"l": 52, "r": 12, "t": 2 * LEGEND, "b": 44},
        "xaxis": {**axis, "range": [-0.03, 1.03], "title": {"text": "opacity of the ink"}},
        "yaxis": {**axis, "range": [-0.03, 1.05], "title": {"text": "answers"}},
    }
    return go.Figure(lines, layout)
