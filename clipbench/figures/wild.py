"""Photos of things with words on them, and what was made of them: as a wall, and as the article's tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import plotly.graph_objects as go
from PIL import Image

from clipbench.attacks import WildPhoto, WildTable
from clipbench.figures.style import (
    AFTER,
    AIR,
    BARE,
    CROSS,
    LEGEND,
    OTHER,
    QUIET,
    TICK,
    coloured,
    jpeg_address,
    percent,
    wrapped,
)

_THUMB = 110  # pixels of a photo's side
_LINE = 20  # height of a line of text in pixels
_BAR = 13  # height of a bar in pixels
_LEAST = 0.05  # probability that earns a label a row of its own in one of the tables
_ROOM = 1.9  # width of a column of bars in full bars: a full one, and the number beside it


def in_the_wild(table: WildTable) -> go.Figure:
    """The photos as the article shows them: a row for each thing, a column for each word, the answer below.

    The answer is green where it is the thing, vermilion where it is the word.
    """
    items = list(dict.fromkeys(row.photo.item for row in table.rows))
    words = list(dict.fromkeys(row.photo.word for row in table.rows))
    columns = {"tickvals": [*range(len(words))], "ticktext": [_said(word) for word in words]}
    rows = {"tickvals": [*range(len(items))], "ticktext": [wrapped(item) for item in items]}
    figure = go.Figure(
        layout={
            **QUIET,
            "height": LEGEND + (_THUMB + _LINE) * len(items),
            "margin": {"l": 0, "r": 0, "t": LEGEND, "b": 0},
            "xaxis": {**BARE, **columns, "side": "top", "range": [-0.5, len(words) - 0.5]},
            "yaxis": {**BARE, **rows, "range": [len(items) - 0.5, -0.5], **AIR},
        }
    )
    for row in table.rows:
        x, y = words.index(row.photo.word), items.index(row.photo.item)
        colour = TICK if row.seen == row.truth else CROSS if row.seen == row.photo.word else OTHER
        told = coloured(f"{wrapped(row.seen)} {percent(float(row.shares.max()))}", colour)
        figure.add_layout_image(_thumb(row.photo.path, x, y - 0.08, sizex=0.96, sizey=0.8))
        figure.add_annotation(
            x=x, y=y, text=told, yshift=-_THUMB // 2, showarrow=False, font={"size": 10, "color": colour}
        )
    return figure


def thing_table(
    photos: Sequence[WildPhoto], answers: Mapping[str, Sequence[Mapping[str, float]]]
) -> go.Figure:
    """One of the article's tables: photos of a thing side by side, below each the probabilities of labels.

    Args:
        photos: n photos of one thing.
        answers: who answered, such as "mini", -> for each photo label -> probability; an empty sequence
            stands for an answer that is still to come.
    """
    labels = _labels(photos, answers)
    whole = _THUMB + _LINE + (_BAR * len(answers) + 8) * len(labels)  # the plot's height in pixels
    bars = [
        _column(name, shares[place] if shares else {}, labels, place, colour)
        for (name, shares), colour in zip(answers.items(), (AFTER, OTHER), strict=True)
        for place in range(len(photos))
    ]
    names = {"tickvals": [*range(len(labels))], "ticktext": [wrapped(label, 14) for label in labels]}
    rows = {**BARE, **names, "range": [len(labels) - 0.5, -0.5], "domain": [0, 1 - (_THUMB + _LINE) / whole]}
    layout = {
        **QUIET,
        "height": LEGEND + whole,
        "margin": {"l": 0, "r": 0, "t": 0, "b": LEGEND},
        # Bound to the plot, it would run into the words above it or the bars when the page gets narrow.
        "legend": {**QUIET["legend"], "yref": "container", "y": 0},
        "yaxis": {**rows, **AIR, "tickfont": {"size": 11}},
    }
    figure = go.Figure(bars, layout)
    for place, photo in enumerate(photos):
        start, end = place / len(photos), (place + 0.94) / len(photos)
        axis = {**BARE, "visible": False, "range": [0, _ROOM], "domain": [start, end]}
        figure.update_layout({f"xaxis{place + 1}": axis})
        top = {"xref": "paper", "yref": "paper", "yanchor": "top", "y": 1}
        figure.add_annotation(x=start, text=_said(photo.word), xanchor="left", showarrow=False, **top)
        beneath = {**top, "y": 1 - _LINE / whole, "sizex": end - start, "sizey": _THUMB / whole}
        figure.add_layout_image({**_thumb(photo.path, start, 0), **beneath, "xanchor": "left"})
    return figure


def _labels(photos: Sequence[WildPhoto], answers: Mapping[str, Sequence[Mapping[str, float]]]) -> list[str]:
    """The labels worth a row: the thing, the words, and whatever somebody thinks likely."""
    given = [shares for each in answers.values() for shares in each]
    words = {photo.word for photo in photos}
    told = dict.fromkeys(label for shares in given for label in shares)
    return [
        label
        for place, label in enumerate(told)
        if place == 0 or label in words or max(shares.get(label, 0) for shares in given) >= _LEAST
    ]


def _column(name: str, shares: Mapping[str, float], labels: Sequence[str], place: int, colour: str) -> go.Bar:
    """The bars below one photo; the highest one's number is bold, a label that is not there has none."""
    best = max(shares, key=shares.get, default=None)
    numbers = {label: percent(float(share)) for label, share in shares.items()}
    if best is not None:
        numbers[best] = f"<b>{numbers[best]}</b>"
    return go.Bar(
        name=name,
        legendgroup=name,
        showlegend=place == 0 and bool(name),
        orientation="h",
        xaxis=f"x{place + 1}",
        x=[float(shares.get(label, 0)) for label in labels],
        y=[*range(len(labels))],
        text=[numbers.get(label, "") for label in labels],
        textposition="outside",
        textfont={"size": 10},
        constraintext="none",
        cliponaxis=False,
        marker={"color": colour},
        hoverinfo="skip",
    )


def _said(word: str) -> str:
    return wrapped(word) or "no word"


def _thumb(path: Path, x: float, y: float, **size: float) -> dict:
    with Image.open(path) as image:
        small = image.convert("RGB")
    small.thumbnail((2 * _THUMB, 2 * _THUMB))  # sharp on a dense screen
    place = {"xref": "x", "yref": "y", "xanchor": "center", "yanchor": "middle"}
    return {"source": jpeg_address(small), "x": x, "y": y, **place, **size}
