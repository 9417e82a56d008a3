"""A circuit as a graph of two layers: the units below on the left, the unit that they build on the right."""

import html
from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from clipbench.figures.style import CLEAR, QUIET
from clipbench.studies import Circuit, Edge

EXCITES, INHIBITS = "#0072B2", "#D55E00"  # Okabe and Ito's blue and vermilion
_ROW = 84  # height of an edge in pixels
_KERNEL = 112  # pixels of a kernel's picture, twice what it takes
_LEFT, _MIDDLE, _RIGHT = 0.0, 0.24, 0.72  # where pictures begin, in widths of the figure
_THICKEST = 9  # pixels of the strongest edge's line


def circuit(result: Circuit, pictures: Mapping[str, Image.Image]) -> go.Figure:
    """The graph of a circuit: blue edges excite, vermilion ones inhibit, dotted ones are not confirmed.

    Each edge shows the picture of the unit below, its kernel and, as measured by ablation, what it adds.

    Args:
        result: with e edges.
        pictures: address of a unit -> its picture; units without one have none.
    """
    rows = len(result.edges)
    strongest = max(abs(edge.effect) for edge in result.edges) or 1.0
    reach = float(np.abs(result.kernels).max()) or 1.0
    height = _ROW * max(rows, 3)
    shapes, images, notes = [], [], []
    for row, edge in enumerate(result.edges):
        y = 1 - (row + 0.5) / rows
        shapes.append(_line(edge, y, strongest))
        images += _picture(pictures.get(edge.unit), _LEFT, y, 0.9 / rows)
        images += _picture(kernel_picture(edge.kernel, reach), _MIDDLE, y, 0.62 / rows)
        notes.append(_note(edge_words(edge), 0.115, y, "left"))
    images += _picture(pictures.get(result.unit), _RIGHT, 0.5, min(1.0, 3 / rows))
    told = (
        f"<b>{html.escape(result.unit)}</b><br>{result.activation.mean():.2f} on {len(result.photos)} photos"
    )
    notes.append(_note(told, _RIGHT, 0.5 - min(1.0, 3 / rows) / 2 - 0.3 / rows, "left"))
    axis = {"visible": False, "fixedrange": True, "range": [0, 1]}
    layout = {**QUIET, "margin": {"l": 0, "r": 0, "t": 0, "b": 24}, "height": height + 24}
    layout |= {"xaxis": axis, "yaxis": axis, "shapes": shapes, "images": images, "annotations": notes}
    return go.Figure(go.Scatter(x=[0.5], y=[0.5], mode="markers", marker={"color": CLEAR}), layout)


def kernel_picture(kernel: np.ndarray, reach: float) -> Image.Image:
    """A kernel as blue (excites) and vermilion (inhibits) on white; ± `reach` is full colour."""
    shares = np.clip(kernel / reach, -1, 1)[..., None]
    blue, vermilion = (np.array(_rgb(colour)) for colour in (EXCITES, INHIBITS))
    full = np.where(shares > 0, blue, vermilion)
    small = Image.fromarray((255 + (full - 255) * np.abs(shares)).round().astype(np.uint8))
    return small.resize((_KERNEL, _KERNEL), Image.Resampling.NEAREST)


def edge_words(edge: Edge) -> str:
    """An edge's address and measured effect, as lines of a figure."""
    sign = "+" if edge.effect > 0 else "−"
    sure = "" if edge.confirmed else "<br><i>not confirmed</i>"
    return f"{html.escape(edge.unit)}<br>{sign}{abs(edge.effect):.2f}{sure}"


def _line(edge: Edge, y: float, strongest: float) -> dict:
    colour = EXCITES if edge.effect > 0 else INHIBITS
    width = 1 + (_THICKEST - 1) * abs(edge.effect) / strongest
    line = {"color": colour, "width": width, "dash": "solid" if edge.confirmed else "dot"}
    return {"type": "line", "x0": _MIDDLE + 0.08, "y0": y, "x1": _RIGHT - 0.01, "y1": 0.5, "line": line}


def _picture(image: Image.Image | None, x: float, y: float, size: float) -> list[dict]:
    """An image whose left edge and middle lie at x, y; `size` is its height."""
    if image is None:
        return []
    place = {"xref": "paper", "yref": "paper", "x": x, "y": y, "yanchor": "middle"}
    return [{"source": image, **place, "sizex": 1, "sizey": size}]


def _note(text: str, x: float, y: float, anchor: str) -> dict:
    place = {"xref": "paper", "yref": "paper", "x": x, "y": y, "xanchor": anchor, "yanchor": "middle"}
    return {"text": text, **place, "showarrow": False, "align": "left"}


def _rgb(colour: str) -> tuple[int, int, int]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
