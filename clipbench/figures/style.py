"""What all figures have in common: colours, a quiet layout, and how numbers and names are written."""

import html
import io
import textwrap
from base64 import b64encode
from collections.abc import Sequence

import plotly.graph_objects as go
from PIL import Image

from clipbench.intervals import Rate

BEFORE, AFTER = "#56B4E9", "#D55E00"  # Okabe and Ito's sky blue and vermilion: told apart by everybody
TICK, CROSS = "#009E73", AFTER  # their bluish green
LEGEND = 30  # height in pixels
LINE = 24  # letters of a label in one line; a phone's page has room for these and for bars
CLEAR = "rgba(0,0,0,0)"
OTHER = "#777"  # of what is neither good nor bad, such as published values
SERIES = (AFTER, BEFORE, TICK, "#CC79A7", "#F0E442", "#0072B2")  # of Okabe and Ito's, for what stands beside

QUIET = {  # no frame, no background, nothing to drag
    "template": go.layout.Template(),
    "barmode": "group",
    "bargap": 0.28,
    "bargroupgap": 0.08,
    "dragmode": False,
    "margin": {"l": 0, "r": 44, "t": LEGEND, "b": 0},  # at the right, room for "> 99 %" beside a bar
    "paper_bgcolor": CLEAR,
    "plot_bgcolor": CLEAR,
    "font": {"size": 13, "family": "system-ui, sans-serif", "color": "#777"},  # readable on white and black
    "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "itemclick": False},
}
BARE = {"fixedrange": True, "showgrid": False, "zeroline": False}  # an axis without lines
AIR = {  # beside names of rows, none of which is left out for its length
    "automargin": True, "ticks": "outside", "ticklen": 6, "tickcolor": CLEAR, "ticklabeloverflow": "allow"
}  # fmt: skip


def percent(share: float) -> str:
    """A probability for reading: "< 1 %" and "> 99 %" where rounding would say none or all."""
    if 0 < share < 0.005:
        return "< 1\xa0%"
    if 0.995 <= share < 1:
        return "> 99\xa0%"
    return f"{share:.0%}".replace("%", "\xa0%")


def wrapped(label: str, letters: int = LINE) -> str:
    """A name that came from outside, as text of a figure, broken into lines."""
    return "<br>".join(html.escape(line, quote=False) for line in textwrap.wrap(label, letters))


def coloured(text: str, colour: str) -> str:
    """A text of a figure that keeps its colour whatever the page gives to all text."""
    return f'<span style="color:{colour}">{text}</span>'


def jpeg_address(image: Image.Image) -> str:
    """A photo as a data address; of plotly's own, which are PNG, a wall of photos would take megabytes."""
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{b64encode(file.getvalue()).decode()}"


def whiskers(rates: Sequence[Rate | None]) -> dict:
    """The 95 % interval of each rate as plotly's error bars; a rate that is missing has none."""
    ends = [(rate.share, *rate.interval) if rate else (0.0, 0.0, 0.0) for rate in rates]
    return {
        "type": "data",
        "symmetric": False,
        "array": [high - share for share, _, high in ends],
        "arrayminus": [share - low for share, low, _ in ends],
        "thickness": 1,
        "width": 2,
    }
