"""Pictures of one unit with more and more of a facet, as in the article's appendix."""

import plotly.graph_objects as go
from PIL import Image

from clipbench.figures.style import BARE, QUIET, jpeg_address
from clipbench.optvis.strengths import Strip

_PICTURE, _LINE = 120, 15  # height in pixels of a picture, and of a line of small print
_THUMB = 200  # pixels of a picture that are drawn


def strip(result: Strip) -> go.Figure:
    """The pictures in a row; below each the strength of the facet, and how much unit and theme there is.

    Args:
        result: n pictures.
    """
    lines = {"strength": result.strengths, "unit": result.unit, "theme": result.theme}
    top = -0.5 - len(lines) * _LINE / _PICTURE
    figure = go.Figure(
        layout={
            **QUIET,
            "height": _PICTURE + _LINE * len(lines),
            "margin": {"l": 60, "r": 0, "t": 0, "b": 0},
            "xaxis": {**BARE, "visible": False, "range": [-0.5, len(result.strengths) - 0.5]},
            "yaxis": {**BARE, "visible": False, "range": [top, 0.5]},
        }
    )
    for place, pixels in enumerate(result.images):
        small = Image.fromarray(pixels)
        small.thumbnail((_THUMB, _THUMB))
        figure.add_layout_image(
            source=jpeg_address(small),
            **{"x": place, "y": 0, "xref": "x", "yref": "y", "sizex": 0.96, "sizey": 0.96},
            **{"xanchor": "center", "yanchor": "middle"},
        )
    for row, (name, values) in enumerate(lines.items()):
        y = -0.5 - (row + 0.5) * _LINE / _PICTURE
        small = {"y": y, "showarrow": False, "font": {"size": 11}}
        figure.add_annotation(text=name, x=0, xref="paper", xanchor="right", **small)
        for place, value in enumerate(values):
            figure.add_annotation(text=f"{value:.3g}".replace("-", "−"), x=place, **small)
    return figure
