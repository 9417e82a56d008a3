"""What became of written words: the Stroop test as a square, the nine attacks as bars."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from clipbench.attacks import Defence, NineRow, Stroop, WildTable
from clipbench.attacks.defence import KINDS
from clipbench.attacks.stroop import INKS, WORDS
from clipbench.figures.style import AFTER, AIR, BEFORE, CROSS, LEGEND, QUIET, TICK, percent, wrapped
from clipbench.intervals import Rate

_CELL = 46  # height of one cell of the square in pixels: two lines and air
_ROW = 16  # height of one bar in pixels
_THUMB = 110  # pixels of a photo's side on the wall, of which a line is left for the answer
_OTHER = "#777"
_COLOURS = ("#777", AFTER, BEFORE, TICK, "#CC79A7", "#F0E442")  # the rest of Okabe and Ito's


def stroop(result: Stroop) -> go.Figure:
    """A row for each ink, a column for each word; below the word in its ink stands the answer.

    The answer is green where it is the ink, vermilion where it is another colour's name that was written.
    """
    hidden = {"fixedrange": True, "showgrid": False, "zeroline": False}
    columns = {**hidden, "side": "top", "tickvals": [*range(len(WORDS))], "ticktext": WORDS}
    rows = {**hidden, "tickvals": [*range(len(INKS))], "ticktext": INKS, "range": [len(INKS) - 0.5, -0.5]}
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
        "xaxis": {**columns, "range": [-0.5, len(WORDS) - 0.5]},
        "yaxis": {**rows, **AIR},
        "annotations": notes,
    }
    return go.Figure(paper, layout)


def _cell(ink: str, word: str, answer: str, share: float, row: int, column: int) -> list[dict]:
    colour = TICK if answer == ink else CROSS if answer == word else _OTHER
    place = {"x": column, "y": row, "showarrow": False}
    told = {"text": f"{answer} {percent(share)}", "yshift": -10, "font": {"size": 10, "color": colour}}
    return [{**place, "text": word, "yshift": 9, "font": {"size": 14, "color": ink}}, {**place, **told}]


def nine(rows: Sequence[NineRow]) -> go.Figure:
    """Success of each text: the published share, and below it each column's with its 95 % interval."""
    names = list(rows[0].results)
    bars = [_bars("published", [row.published.success for row in rows], _COLOURS[0])]
    for number, name in enumerate(names, start=1):
        successes = [row.results[name] and row.results[name].success for row in rows]
        bars.append(_bars(name, successes, _COLOURS[number % len(_COLOURS)]))
    labels = [wrapped(f"{row.published.text} → {row.published.target}") for row in rows]
    quiet = {"fixedrange": True, "showgrid": False, "zeroline": False}
    layout = {
        **QUIET,
        "height": LEGEND + _ROW * len(rows) * (len(bars) + 1),
        "yaxis": {
            **quiet,
            "tickvals": [*range(len(rows))],
            "ticktext": labels,
            "range": [len(rows) - 0.5, -0.5],
            **AIR,
        },
        "xaxis": {**quiet, "visible": False, "range": [0, 1.1]},  # room for the number beside a full bar
    }
    return go.Figure(bars, layout)


def _bars(name: str, rates: Sequence[Rate | None], colour: str) -> go.Bar:
    """One column's bars; where there is no rate stands "no data"."""
    known = [rate or Rate(0, 1) for rate in rates]
    reach = [rate.interval if rate else (0.0, 0.0) for rate in rates]
    shares = [rate.share for rate in known]
    return go.Bar(
        name=name,
        orientation="h",
        x=shares,
        y=[*range(len(rates))],
        text=[percent(rate.share) if rate else "no data" for rate in rates],
        textposition="outside",
        textfont={"size": 10},
        constraintext="none",
        cliponaxis=False,
        marker={"color": colour},
        hoverinfo="skip",
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [high - share for share, (_, high) in zip(shares, reach, strict=True)],
            "arrayminus": [share - low for share, (low, _) in zip(shares, reach, strict=True)],
            "thickness": 1,
            "width": 2,
        },
    )


def in_the_wild(table: WildTable) -> go.Figure:
    """The photos as the article shows them: a row for each thing, a column for each word, the answer below.

    The answer is green where it is the thing, vermilion where it is the word.
    """
    items = list(dict.fromkeys(row.photo.item for row in table.rows))
    words = list(dict.fromkeys(row.photo.word for row in table.rows))
    hidden = {"fixedrange": True, "showgrid": False, "zeroline": False}
    figure = go.Figure(
        layout={
            **QUIET,
            "height": LEGEND + (_THUMB + 20) * len(items),
            "margin": {"l": 0, "r": 0, "t": LEGEND, "b": 0},
            "xaxis": {
                **hidden,
                "side": "top",
                "tickvals": [*range(len(words))],
                "ticktext": [wrapped(word) or "no word" for word in words],
                "range": [-0.5, len(words) - 0.5],
            },
            "yaxis": {
                **hidden,
                "tickvals": [*range(len(items))],
                "ticktext": [wrapped(item) for item in items],
                "range": [len(items) - 0.5, -0.5],
                **AIR,
            },
        }
    )
    for row in table.rows:
        place = {"x": words.index(row.photo.word), "y": items.index(row.photo.item)}
        colour = TICK if row.seen == row.truth else CROSS if row.seen == row.photo.word else _OTHER
        told = f"{wrapped(row.seen)} {percent(float(row.shares.max()))}"
        figure.add_layout_image(
            source=_thumb(row.photo.path), xref="x", yref="y", sizex=0.96, sizey=0.8, xanchor="center",
            yanchor="middle", x=place["x"], y=place["y"] - 0.08,
        )  # fmt: skip
        figure.add_annotation(
            **place, text=told, yshift=-_THUMB // 2, showarrow=False, font={"size": 10, "color": colour}
        )
    return figure


def _thumb(path: Path) -> Image.Image:
    with Image.open(path) as image:
        small = image.convert("RGB")
    small.thumbnail((_THUMB, _THUMB))
    return small


def defence(result: Defence) -> go.Figure:
    """Success of the attacks against accuracy on clean photos, a line for each kind of held units.

    Each line begins where nothing is held; its points bear the number of units and a 95 % interval. A defence
    is good where its line falls steeply and the controls' do not.
    """
    plain = result.rows[0]
    lines = []
    for kind, colour in zip(KINDS, (AFTER, _OTHER, BEFORE), strict=True):
        rows = [plain, *(row for row in result.rows if row.kind == kind)]
        shares = [row.success.share for row in rows]
        ends = [row.success.interval for row in rows]
        lines.append(
            go.Scatter(
                name=kind,
                x=[row.clean.share for row in rows],
                y=shares,
                text=[str(row.k) for row in rows],
                mode="lines+markers+text",
                textposition="top center",
                line={"color": colour},
                hoverinfo="skip",
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [high - share for share, (_, high) in zip(shares, ends, strict=True)],
                    "arrayminus": [share - low for share, (low, _) in zip(shares, ends, strict=True)],
                    "thickness": 1,
                    "width": 2,
                },
            )
        )
    axis = {"fixedrange": True, "range": [0, 1.05], "tickformat": ".0%", "gridcolor": "rgba(127,127,127,0.2)"}
    layout = {
        **QUIET,
        "height": 420,
        "margin": {"l": 60, "r": 12, "t": LEGEND, "b": 48},
        "xaxis": {**axis, "title": {"text": "clean photos that are right"}},
        "yaxis": {**axis, "title": {"text": "attacks that succeed"}},
    }
    return go.Figure(lines, layout)
