"""Results become plotly figures; nothing is computed here but places on a page.

Backgrounds are clear and text is grey, so that a figure suits light and dark pages alike.
"""

import html
import textwrap
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from clipbench.classify import BeforeAfter
from clipbench.stimuli import MODALITIES
from clipbench.studies import Cell, Column

BEFORE, AFTER = "#56B4E9", "#D55E00"  # Okabe and Ito's sky blue and vermilion: told apart by everybody
TICK, CROSS = "#009E73", AFTER  # their bluish green
_ROW = 30  # height of one label in pixels: two bars of the height of small print, and air
_LEGEND = 30
_LINE = 24  # letters of a label in one line; a phone's page has room for these and for bars
_CELL = 120  # height of one cell of a table in pixels: a picture and a line of small print
_TITLE = 22  # letters of a column's title in one line of small print: a third of a phone's page
_SMALL = 15  # height of a line of small print in pixels
_THUMB = 160  # pixels of a picture's longer side in a table: sharp on a dense screen, some 40 kB
_CLEAR = "rgba(0,0,0,0)"

_QUIET = {  # no frame, no background, nothing to drag
    "template": go.layout.Template(),
    "barmode": "group",
    "bargap": 0.28,
    "bargroupgap": 0.08,
    "dragmode": False,
    "margin": {"l": 0, "r": 44, "t": _LEGEND, "b": 0},  # at the right, room for "> 99 %" beside a bar
    "paper_bgcolor": _CLEAR,
    "plot_bgcolor": _CLEAR,
    "font": {"size": 13, "family": "system-ui, sans-serif", "color": "#777"},  # readable on white and black
    "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "itemclick": False},
}


def before_after(result: BeforeAfter, order: Sequence[str] = ()) -> go.Figure:
    """Horizontal bars, two for each label: its probability before and after.

    Args:
        result: k labels.
        order: these labels first and in this order, so that two figures can stand beside each other; the
            others follow, those with the larger of their two probabilities first.
    """
    ranked = sorted(result.ranked, key=lambda label: order.index(label) if label in order else len(order))
    rows = [result.labels.index(label) for label in ranked]
    names = [_wrapped(result.labels[row]) for row in rows]
    lines = sum(max(2, name.count("<br>") + 1) for name in names)
    quiet = {"fixedrange": True, "showgrid": False, "zeroline": False}
    return go.Figure(
        [_bars("before", result.before[rows], BEFORE), _bars("after", result.after[rows], AFTER)],
        {
            **_QUIET,
            "height": _LEGEND + _ROW * lines // 2,
            "yaxis": {
                **quiet,
                "tickvals": [*range(len(names))],
                "ticktext": names,
                "range": [len(names) - 0.5, -0.5],  # the first one on top
                "automargin": True,
                "ticks": "outside",
                "ticklen": 6,
                "tickcolor": _CLEAR,
            },
            "xaxis": {**quiet, "visible": False, "range": [0, 1]},
        },
    )


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
            **_QUIET,
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


def percent(share: float) -> str:
    """A probability for reading: "< 1 %" and "> 99 %" where rounding would say none or all."""
    if 0 < share < 0.005:
        return "< 1\xa0%"
    if 0.995 <= share < 1:
        return "> 99\xa0%"
    return f"{share:.0%}".replace("%", "\xa0%")


def _bars(name: str, shares: np.ndarray, colour: str) -> go.Bar:
    return go.Bar(
        name=name,
        orientation="h",
        x=shares.tolist(),
        y=[*range(len(shares))],
        text=[percent(share) for share in shares.tolist()],
        textposition="outside",
        textfont={"size": 11},
        constraintext="none",
        cliponaxis=False,
        marker={"color": colour},
        hoverinfo="skip",
    )


def _add_cell(figure: go.Figure, cell: Cell, left: float, top: float) -> None:
    """Pictures side by side in a square of width 1, what the unit says of each below, and the mark."""
    width = 0.8 / len(cell.images)
    for number, (image, sds) in enumerate(zip(cell.images, cell.sds, strict=True)):
        middle, size = left + width * (number + 0.5), {"sizex": 0.94 * width, "sizey": 0.72}
        anchors = {"xref": "x", "yref": "y", "xanchor": "center", "yanchor": "middle"}
        figure.add_layout_image(source=_thumb(image), x=middle, y=top + 0.4, **size, **anchors)
        figure.add_annotation(**_text(f"{round(sds, 1) + 0.0:+.1f}".replace("-", "−"), middle, top + 0.86))
    mark, colour = ("✓", TICK) if cell.ticked else ("✗", CROSS)
    figure.add_annotation(**_text(mark, left + 0.9, top + 0.4, size=20, color=colour))
    figure.add_annotation(**_text("sd", left + 0.9, top + 0.86))


def _text(text: str, x: float, y: float, size: int = 11, color: str | None = None, **anchors: str) -> dict:
    return {
        "text": text,
        "x": x,
        "y": y,
        "showarrow": False,
        "font": {"size": size, "color": color},
        **anchors,
    }


def _title(column: Column) -> str:
    """Model, unit and concept in lines of their own, broken where a model's name has a slash."""
    lines = (*column.provenance.model.split("/"), column.provenance.unit, column.concept)
    return "<br>".join(_wrapped(line, _TITLE) for line in lines)


def _thumb(image: Image.Image) -> Image.Image:
    small = image.convert("RGB")
    small.thumbnail((_THUMB, _THUMB))
    return small


def _wrapped(label: str, letters: int = _LINE) -> str:
    return "<br>".join(html.escape(line, quote=False) for line in textwrap.wrap(label, letters))
