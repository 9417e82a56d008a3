"""Results become plotly figures; nothing is computed here but places on a page.

Backgrounds are clear and text is grey, so that a figure suits light and dark pages alike.
"""

from clipbench.figures.attacks import defence, nine, search
from clipbench.figures.bars import before_after
from clipbench.figures.circuit import circuit, kernel_picture
from clipbench.figures.explanation import places, why
from clipbench.figures.growth import growth
from clipbench.figures.inks import stroop, stroop_opacity
from clipbench.figures.matrix import predictions, similarities, weights
from clipbench.figures.robustness import robustness
from clipbench.figures.strip import strip
from clipbench.figures.style import AFTER, BEFORE, CROSS, TICK, percent
from clipbench.figures.table import multimodal_table
from clipbench.figures.trust import survival
from clipbench.figures.wild import in_the_wild, thing_table

__all__ = [
    "AFTER",
    "BEFORE",
    "CROSS",
    "TICK",
    "before_after",
    "circuit",
    "defence",
    "growth",
    "in_the_wild",
    "kernel_picture",
    "multimodal_table",
    "nine",
    "percent",
    "places",
    "predictions",
    "robustness",
    "search",
    "similarities",
    "strip",
    "stroop",
    "stroop_opacity",
    "survival",
    "thing_table",
    "weights",
    "why",
]
