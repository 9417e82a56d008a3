"""Pictures of one unit in a row, with more and more of a facet or with several, and what was measured."""

import html
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from clipbench.figures.style import BARE, QUIET, jpeg_address
from clipbench.optvis.facet_rows import FacetRow
from clipbench.optvis.strengths import Strip

_PICTURE, _LINE = 120, 15  # height in pixels of a picture, and of a line of small print
_THUMB = 200  # pixels of a picture that are drawn


def strip(result: Strip) -> go.Figure:
    """The pictures in a row; below each the strength of the facet, and how much unit and theme there is.

    Args:
        result: n pictures.
    """
    lines = {"strength": result.strengths, "unit": result.unit, "theme": result.theme}
    return _row(result.images, {name: [*map(_number, values)] for name, values in lines.items()})


def facet_row(result: FacetRow) -> go.Figure:
    """The pictures in a row; below each its facet, and how much unit and theme there is.

    The theme is told of the plain picture, too, before the arrow: what the facet has changed.

    Args:
        result: m pictures.
    """
    themes = [
        "" if np.isnan(own) else f"{_number(plain)} → {_number(own)}"
        for plain, own in zip(result.plain_theme, result.theme, strict=True)
    ]
    lines = {"facet": result.names, "unit": [*map(_number, result.unit)], "theme": themes}
    return _row(result.images, lines)


def _row(images: np.ndarray, lines: Mapping[str, Sequence[str]]) -> go.Figure:
    """(n, s, s, 3) uint8, and below each picture a line of small print for each name."""
    top = -0.5 - len(lines) * _LINE / _PICTURE
    figure = go.Figure(
        layout={
            **QUIET,
            "height": _PICTURE + _LINE * len(lines),
            "margin": {"l": 60, "r": 0, "t": 0, "b": 0},
            "xaxis": {**BARE, "visible": False, "range": [-0.5, len(images) - 0.5]},
            "yaxis": {**BARE, "visible": False, "range": [top, 0.5]},
        }
    )
    for place, pixels in enumerate(images):
        small = Image.fromarray(pixels)
        small.thumbnail((_THUMB, _THUMB))
        figure.add_layout_image(
            source=jpeg_address(small),
            **{"x": place, "y": 0, "xref": "x", "yref": "y", "sizex": 0.96, "sizey": 0.96},
            **{"xanchor": "center", "yanchor": "middle"},
        )
    for row, (name, told) in enumerate(lines.items()):
        y = -0.5 - (row + 0.5) * _LINE / _PICTURE
        small = {"y": y, "showarrow": False, "font": {"size": 11}}
        figure.add_annotation(text=name, x=0, xref="paper", xanchor="right", **small)
        for place, text in enumerate(told):
            figure.add_annotation(text=html.escape(text, quote=False), x=place, **small)
    return figure


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
