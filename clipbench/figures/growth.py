"""How pictures grow: a row for each, from noise to what excites."""

import plotly.graph_objects as go

from clipbench.figures.style import LINE, QUIET, wrapped
from clipbench.optvis import Frames

_CELL, _TITLE, _NAME = 150, 24, 18  # height in pixels of a picture, of the captions, of a line of a name


def growth(frames: Frames) -> go.Figure:
    """A table of pictures: a row for each, below what it is to excite, and a column for each step.

    Args:
        frames: n pictures at t steps; a handful of either.
    """
    names = [wrapped(name, LINE * len(frames.numbers)) for name in frames.names]
    above = _NAME * max(name.count("<br>") + 1 for name in names) / (_CELL + _NAME)
    hidden = {"visible": False, "fixedrange": True}
    rows, columns = len(names), len(frames.numbers)
    figure = go.Figure(
        layout={
            **QUIET,
            "height": _TITLE + rows * (_CELL + _NAME) + _TITLE,
            "margin": {"l": 0, "r": 0, "t": _TITLE, "b": _TITLE},
            "xaxis": {**hidden, "range": [0, columns]},
            "yaxis": {**hidden, "range": [rows, 0]},  # the first one on top
        }
    )
    for column, caption in enumerate(frames.captions):
        figure.add_annotation(**_text(caption, column + 0.5, 0, xanchor="center", yanchor="bottom"))
    for row, (name, pictures) in enumerate(zip(names, frames.rows, strict=True)):
        figure.add_annotation(**_text(name, 0, row + above, xanchor="left", yanchor="bottom"))
        for column, picture in enumerate(pictures):
            figure.add_layout_image(
                source=picture,
                **{"x": column + 0.01, "y": row + above, "sizex": 0.98, "sizey": 0.98 - above},
                **{"xref": "x", "yref": "y", "xanchor": "left", "yanchor": "top"},
            )
    figure.add_annotation(**_text(frames.provenance.source, 0, rows, xanchor="left", yanchor="top"))
    return figure


def _text(text: str, x: float, y: float, **anchors: str) -> dict:
    return {"text": text, "x": x, "y": y, "showarrow": False, "font": {"size": 12}, **anchors}
