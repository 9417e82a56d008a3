"""Why an attack worked: what each unit added, and where on the picture."""

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from clipbench.attacks import Why
from clipbench.figures.style import AFTER, AIR, BARE, BEFORE, QUIET, percent

_ROW = 26  # height of a unit's bar in pixels
_SIDE = 300  # of a map in pixels
_HEAT = [[0, "rgba(0,114,178,0.75)"], [0.5, "rgba(0,114,178,0)"], [0.5, "rgba(213,94,0,0)"],
         [1, "rgba(213,94,0,0.75)"]]  # fmt: skip


def why(result: Why, k: int = 10) -> go.Figure:
    """The k units that added most to the target's margin, in logits; behind each bar its share of the sum."""
    says = result.top(k)
    added = [say.added for say in says]
    low, high = min(0.0, *added), max(0.0, *added)
    bars = go.Bar(
        orientation="h",
        x=added,
        y=[*range(len(says))],
        text=[f"{say.added:+.2f} ({percent(say.share)})".replace("-", "−") for say in says],
        textposition="outside",
        textfont={"size": 11},
        constraintext="none",
        cliponaxis=False,
        marker={"color": [AFTER if value > 0 else BEFORE for value in added]},
        hoverinfo="skip",
    )
    names = {"tickvals": [*range(len(says))], "ticktext": [say.unit for say in says]}
    layout = {
        **QUIET,
        "height": _ROW * len(says),
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "yaxis": {**BARE, **names, "range": [len(says) - 0.5, -0.5], **AIR},
        "xaxis": {**BARE, "visible": False, "range": [low, high + 0.4 * (high - low)]},  # for the numbers
    }
    return go.Figure(bars, layout)


def places(result: Why, image: Image.Image, number: int = 0) -> go.Figure:
    """Where on a picture the answer moved: vermilion towards the target, blue away from it.

    Args:
        result: of n pairs.
        image: the picture with the text, cut as the model sees it.
        number: which of the n pairs.
    """
    values = result.places[number]
    reach = float(np.abs(values).max()) or 1.0
    heat = go.Heatmap(
        z=values, zmin=-reach, zmax=reach, colorscale=_HEAT, showscale=False, hoverinfo="skip", zsmooth="best"
    )
    rows, columns = values.shape
    corner = {"x": -0.5, "y": -0.5, "sizex": columns, "sizey": rows, "xref": "x", "yref": "y"}
    photo = {"source": image, **corner, "sizing": "stretch", "layer": "below"}
    layout = {
        **QUIET,
        "width": _SIDE,
        "height": _SIDE,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "xaxis": {**BARE, "visible": False, "range": [-0.5, columns - 0.5]},
        "yaxis": {**BARE, "visible": False, "range": [rows - 0.5, -0.5]},
        "images": [photo],
    }
    return go.Figure(heat, layout)
