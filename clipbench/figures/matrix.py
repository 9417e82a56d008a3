"""Matrices: images against texts, and the classifier that texts make."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from clipbench.classify import Similarities
from clipbench.figures.style import AFTER, AIR, BARE, QUIET, percent, wrapped

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
    names = [wrapped(name) for name in names or result.texts]
    return go.Figure(row, _grid(names, result.weights.shape[1], _tall(names, _STRIPE), above=0))


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
    names = [wrapped(name) for name in names or result.texts]
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
    rows = {"tickvals": [*range(len(names))], "ticktext": names}
    return {
        **QUIET,
        "margin": {"l": 0, "r": 0, "t": above, "b": 0},
        "height": height + above,
        "yaxis": {**BARE, **rows, "range": [len(names) - 0.5, -0.5], **AIR},
        "xaxis": {**BARE, "visible": False, "range": [-0.5, columns - 0.5]},
    }


def _above(image: Image.Image, column: int, height: float) -> dict:
    small = image.convert("RGB")
    small.thumbnail((2 * _THUMB, 2 * _THUMB))  # sharp on a dense screen
    place = {"xref": "x", "x": column, "xanchor": "center", "sizex": 0.92}
    return {"source": small, **place, "yref": "paper", "y": 1.01, "yanchor": "bottom", "sizey": height}


def _framed(row: int, column: int) -> dict:
    corners = {"x0": column - 0.47, "x1": column + 0.47, "y0": row - 0.44, "y1": row + 0.44}
    return {"type": "rect", **corners, "line": {"color": AFTER, "width": 2}}
