"""Results become plotly figures; nothing is computed here but places on a page.

Backgrounds are clear and text is grey, so that a figure suits light and dark pages alike.
"""

import html
import textwrap
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from clipbench.classify import BeforeAfter, Similarities

BEFORE, AFTER = "#56B4E9", "#D55E00"  # Okabe and Ito's sky blue and vermilion: told apart by everybody
_ROW = 30  # height of one label in pixels: two bars of the height of small print, and air
_LEGEND = 30
_LINE = 24  # letters of a label in one line; a phone's page has room for these and for bars
_CLEAR = "rgba(0,0,0,0)"
_LETTERING = 18  # height of one line of a name in pixels
_CELL = 38  # height of a row of a matrix in pixels
_STRIPE = 22  # likewise, where nothing is written in it
_THUMB = 72  # height of the pictures above a matrix in pixels
_FILL = [[0, "rgba(86,180,233,0)"], [1, "rgba(86,180,233,0.6)"]]  # the page's text is read on all of it
_SIGNED = [  # Okabe and Ito's vermilion and blue, both clear at zero
    [0, "rgba(213,94,0,1)"],
    [0.5, "rgba(213,94,0,0)"],
    [0.5, "rgba(0,114,178,0)"],
    [1, "rgba(0,114,178,1)"],
]

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
_AIR = {"automargin": True, "ticks": "outside", "ticklen": 6, "tickcolor": _CLEAR}  # beside names of rows


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
                **_AIR,
            },
            "xaxis": {**quiet, "visible": False, "range": [0, 1]},
        },
    )


def similarities(result: Similarities, images: Sequence[Image.Image], names: Sequence[str] = ()) -> go.Figure:
    """A matrix of cosines: a row for each text, a column below each image, its most similar text framed.

    Args:
        result: n images and k texts.
        images: the n images, drawn small above their columns.
        names: of the k rows, where the texts themselves are too long.
    """
    cells = [[f"{cosine:z.2f}".replace("-", "−") for cosine in row] for row in result.cosines.T.tolist()]
    return _matrix(result, result.cosines.T, cells, images, names, {})


def predictions(result: Similarities, images: Sequence[Image.Image], names: Sequence[str] = ()) -> go.Figure:
    """The same for probabilities: those of a column, of which one image stands above, sum to 1."""
    shares = result.probabilities.T
    cells = [[percent(share) for share in row] for row in shares.tolist()]
    return _matrix(result, shares, cells, images, names, {"zmin": 0, "zmax": 1})


def weights(result: Similarities, names: Sequence[str] = ()) -> go.Figure:
    """The classifier itself: a row of d numbers for each text, blue above zero, vermilion below.

    Args:
        result: k texts.
        names: of the k rows, where the texts themselves are too long.
    """
    reach = float(np.quantile(np.abs(result.weights), 0.99))  # a few large ones would leave the others pale
    row = go.Heatmap(
        z=result.weights, zmin=-reach, zmax=reach, colorscale=_SIGNED, showscale=False, hoverinfo="skip"
    )
    names = [_wrapped(name) for name in names or result.texts]
    return go.Figure(row, _grid(names, result.weights.shape[1], _tall(names, _STRIPE), above=0))


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


def _wrapped(label: str) -> str:
    return "<br>".join(html.escape(line, quote=False) for line in textwrap.wrap(label, _LINE))


def _matrix(
    result: Similarities,
    values: np.ndarray,
    cells: list[list[str]],
    images: Sequence[Image.Image],
    names: Sequence[str],
    limits: dict,
) -> go.Figure:
    heat = go.Heatmap(
        z=values,
        text=cells,
        texttemplate="%{text}",
        colorscale=_FILL,
        showscale=False,
        hoverinfo="skip",
        xgap=2,
        ygap=2,
        **limits,
    )
    names = [_wrapped(name) for name in names or result.texts]
    height = _tall(names, _CELL)
    layout = _grid(names, len(images), height, above=_THUMB + 4)
    pictures = [_above(image, column, _THUMB / height) for column, image in enumerate(images)]
    frames = [_framed(row, column) for column, row in enumerate(result.best.tolist())]
    return go.Figure(heat, {**layout, "images": pictures, "shapes": frames})


def _tall(names: Sequence[str], row: int) -> int:
    """Height of rows that are all as high as the longest name needs, in pixels."""
    return len(names) * max(row, *(_LETTERING * (name.count("<br>") + 1) for name in names))


def _grid(names: Sequence[str], columns: int, height: int, above: int) -> dict:
    """The layout of a matrix, its first row on top; all sizes are in pixels but `columns`."""
    quiet = {"fixedrange": True, "showgrid": False, "zeroline": False}
    rows = {"tickvals": [*range(len(names))], "ticktext": names}
    return {
        **_QUIET,
        "margin": {"l": 0, "r": 0, "t": above, "b": 0},
        "height": height + above,
        "yaxis": {**quiet, **rows, "range": [len(names) - 0.5, -0.5], **_AIR},
        "xaxis": {**quiet, "visible": False, "range": [-0.5, columns - 0.5]},
    }


def _above(image: Image.Image, column: int, height: float) -> dict:
    small = image.convert("RGB")
    small.thumbnail((2 * _THUMB, 2 * _THUMB))  # sharp on a dense screen
    place = {"xref": "x", "x": column, "xanchor": "center", "sizex": 0.92}
    return {"source": small, **place, "yref": "paper", "y": 1.01, "yanchor": "bottom", "sizey": height}


def _framed(row: int, column: int) -> dict:
    corners = {"x0": column - 0.47, "x1": column + 0.47, "y0": row - 0.44, "y1": row + 0.44}
    return {"type": "rect", **corners, "line": {"color": AFTER, "width": 2}}
