"""Flags and monuments that a unit answers to most, as the article shows them below its maps."""

import plotly.graph_objects as go
from PIL import Image

from clipbench.figures.style import BARE, QUIET, jpeg_address, wrapped
from clipbench.studies.region_pictures import RegionAnswers

_COLUMNS = 5
_PICTURE, _LINE = 76, 14  # height in pixels of a picture, and of a line of small print
_LINES = 3  # of small print: a name in two lines, and what the unit says
_LETTERS = 14  # of a name in a line: a sixth of a phone's page
_THUMB = 144  # pixels of a picture that are drawn


def region_rows(found: RegionAnswers, unit: int) -> go.Figure:
    """Two rows of pictures, the strongest first; below each its name and the answer in sd of its row.

    Args:
        found: what a layer says to flags and monuments.
        unit: number of a unit.

    Raises:
        ClipbenchError: there is no such unit.
    """
    height = _PICTURE + _LINES * _LINE
    figure = go.Figure(
        layout={
            **QUIET,
            "height": len(found.rows) * height,
            "margin": {"l": 78, "r": 0, "t": 0, "b": 0},
            "xaxis": {**BARE, "visible": False, "range": [0, _COLUMNS]},
            "yaxis": {**BARE, "visible": False, "range": [len(found.rows) * height, 0]},
        }
    )
    for number, row in enumerate(found.rows):
        top = number * height
        figure.add_annotation(
            text=row.kind, x=0, y=top + _PICTURE / 2, xref="paper", xanchor="right", showarrow=False
        )
        for place, (name, image, sds) in enumerate(row.top(unit, _COLUMNS)):
            figure.add_layout_image(
                source=jpeg_address(_thumb(image)),
                **{"x": place + 0.5, "y": top + _PICTURE / 2, "xref": "x", "yref": "y"},
                **{"sizex": 0.92, "sizey": 0.94 * _PICTURE, "xanchor": "center", "yanchor": "middle"},
            )
            told = f"{sds:+.1f} sd".replace("-", "−")
            figure.add_annotation(
                text=f"{wrapped(name, _LETTERS)}<br>{told}",
                **{"x": place + 0.5, "y": top + _PICTURE, "yanchor": "top", "showarrow": False},
                font={"size": 10},
            )
    return figure


def _thumb(image: Image.Image) -> Image.Image:
    small = image.convert("RGB")
    small.thumbnail((_THUMB, _THUMB))
    return small
