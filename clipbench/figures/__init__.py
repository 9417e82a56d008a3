"""Results become plotly figures; nothing is computed here but places on a page.

Backgrounds are clear and text is grey, so that a figure suits light and dark pages alike.
"""

from clipbench.figures.attacks import defence, in_the_wild, nine, stroop
from clipbench.figures.bars import before_after
from clipbench.figures.matrix import predictions, similarities, weights
from clipbench.figures.style import AFTER, BEFORE, CROSS, TICK, percent
from clipbench.figures.table import multimodal_table

__all__ = [
    "AFTER",
    "BEFORE",
    "CROSS",
    "TICK",
    "before_after",
    "defence",
    "in_the_wild",
    "multimodal_table",
    "nine",
    "percent",
    "predictions",
    "similarities",
    "stroop",
    "weights",
]
