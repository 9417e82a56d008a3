"""Rows of pictures that a unit answers to most, such as flags, as the article shows them below its maps."""

from collections.abc import Sequence

import plotly.graph_objects as go
from PIL import Image

from clipbench.figures.style import BARE, QUIET, jpeg_address, wrapped
from clipbench.studies.picture_rows import Row

_COLUMNS = 5
_PICTURE, _LINE = 76, 14  # height in pixels of a picture, and of a line of small print
_LETTERS = 14  # of a name in a line: a sixth of a phone's page
_THUMB = 144  # pixels of a picture that are drawn


def picture_rows(rows: Sequence[Row], unit: int) -> go.Figure:
    """The strongest pictures of each row first; below each its name and the answer in sd of its row.

    Args:
        rows: at least one.
        unit: number of a unit.

    Raises:
        ClipbenchError: there is no such unit.
    """
    figure, height = go.Figure(), 0.0
    for row in rows:
        shown = [(_told(name, sds), image) for name, image, sds in row.top(unit, _COLUMNS)]
        _add(figure, row.kind, shown, height)
        height += _PICTURE + _LINE * max(1 + told.count("<br>") for told, _ in shown)
    figure.update_layout(
        **{key: value for key, value in QUIET.items() if key != "margin"},
        height=height,
        margin={"l": 78, "r": 0, "t": 0, "b": 0},
        xaxis={**BARE, "visible": False, "range": [0, _COLUMNS]},
        yaxis={**BARE, "visible": False, "range": [height, 0]},
    )
    return figure


def _add(figure: go.Figure, kind: str, shown: Sequence[tuple[str, Image.Image]], top: float) -> None:
    middle = {"y": top + _PICTURE / 2, "xref": "paper", "xanchor": "right", "showarrow": False}
    figure.add_annotation(text=kind, x=0, **middle)
    for place, (told, image) in enumerate(shown):
        figure.add_layout_image(
            source=jpeg_address(_thumb(image)),
            **{"x": place + 0.5, "y": top + _PICTURE / 2, "xref": "x", "yref": "y"},
            **{"sizex": 0.92, "sizey": 0.94 * _PICTURE, "xanchor": "center", "yanchor": "middle"},
        )
        below = {"x": place + 0.5, "y": top + _PICTURE, "yanchor": "top", "showarrow": False}
        figure.add_annotation(text=told, font={"size": 10}, **below)


def _told(name: str, sds: float) -> str:
    answer = f"{sds:+.1f} sd".replace("-", "−")
    return f"{wrapped(name, _LETTERS)}<br>{answer}"


def _thumb(image: Image.Image) -> Image.Image:
    small = image.convert("RGB")
    small.thumbnail((_THUMB, _THUMB))
    return small
