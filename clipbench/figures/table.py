"""The table of units beside each other, in photos, drawings and writing."""

from collections.abc import Sequence

import plotly.graph_objects as go
from PIL import Image

from clipbench.figures.style import CROSS, QUIET, TICK, coloured, wrapped
from clipbench.stimuli import MODALITIES
from clipbench.studies import Cell, Column

_CELL = 120  # height of one cell of a table in pixels: a picture and a line of small print
_TITLE = 22  # letters of a column's title in one line of small print: a third of a phone's page
_SMALL = 15  # height of a line of small print in pixels
_THUMB = 160  # pixels of a picture's longer side in a table: sharp on a dense screen, some 40 kB


def multimodal_table(columns: Sequence[Column]) -> go.Figure:
    """Units beside each other, photos, drawings and words below each other, as in the article's first table.

    Under each picture stands the unit's activation in standard deviations, sd; ✓ says that the concept is
    among the unit's first two in that modality, ✗ that it is not.

    Args:
        columns: what `studies.table` gives; one or more of any unit.
    """
    rows, titles = len(MODALITIES), [_title(column) for column in columns]
    top = _SMALL * max(title.count("<br>") + 1 for title in titles) + 6
    hidden = {"visible": False, "fixedrange": True}
    figure = go.Figure(
        layout={
            **QUIET,
            "height": top + _CELL * rows,
            "margin": {"l": 74, "r": 0, "t": top, "b": 0},  # at the left, room for "drawings"
            "xaxis": {**hidden, "range": [0, len(columns)]},
            "yaxis": {**hidden, "range": [rows, 0]},  # the first one on top
        }
    )
    for row, modality in enumerate(MODALITIES):
        figure.add_annotation(**_text(modality, 0, row + 0.4, size=13, xanchor="right"))
    for place, (column, title) in enumerate(zip(columns, titles, strict=True)):
        figure.add_annotation(**_text(title, place + 0.5, 0, yanchor="bottom"))
        for row, cell in enumerate(column.cells):
            _add_cell(figure, cell, place, row)
    return figure


def _add_cell(figure: go.Figure, cell: Cell, left: float, top: float) -> None:
    """Pictures side by side in a square of width 1, what the unit says of each below, and the mark."""
    width = 0.8 / len(cell.images)
    for number, (image, sds) in enumerate(zip(cell.images, cell.sds, strict=True)):
        middle, size = left + width * (number + 0.5), {"sizex": 0.94 * width, "sizey": 0.72}
        anchors = {"xref": "x", "yref": "y", "xanchor": "center", "yanchor": "middle"}
        figure.add_layout_image(source=_thumb(image), x=middle, y=top + 0.4, **size, **anchors)
        figure.add_annotation(**_text(f"{round(sds, 1) + 0.0:+.1f}".replace("-", "−"), middle, top + 0.86))
    mark, colour = ("✓", TICK) if cell.ticked else ("✗", CROSS)
    figure.add_annotation(**_text(coloured(mark, colour), left + 0.9, top + 0.4, size=20))
    figure.add_annotation(**_text("sd", left + 0.9, top + 0.86))


def _text(text: str, x: float, y: float, size: int = 11, **anchors: str) -> dict:
    return {"text": text, "x": x, "y": y, "showarrow": False, "font": {"size": size}, **anchors}


def _title(column: Column) -> str:
    """Model, unit and concept in lines of their own, broken where a model's name has a slash."""
    lines = (*column.provenance.model.split("/"), column.provenance.unit, column.concept)
    return "<br>".join(wrapped(line, _TITLE) for line in lines)


def _thumb(image: Image.Image) -> Image.Image:
    small = image.convert("RGB")
    small.thumbnail((_THUMB, _THUMB))
    return small
