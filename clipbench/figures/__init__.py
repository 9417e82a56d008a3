"""Results become plotly figures; nothing is computed here but places on a page.

Backgrounds are clear and text is grey, so that a figure suits light and dark pages alike.
"""

from clipbench.figures.attacks import defence, nine, search
from clipbench.figures.bars import before_after
from clipbench.figures.circuit import circuit, kernel_picture
from clipbench.figures.conditional import conditional, given_label, recall
from clipbench.figures.curves import robustness
from clipbench.figures.emotions import codes, emotion_wheel
from clipbench.figures.explanation import places, why
from clipbench.figures.growth import growth
from clipbench.figures.inks import stroop, stroop_opacity
from clipbench.figures.ledger import ledger
from clipbench.figures.matrix import predictions, similarities, weights
from clipbench.figures.medians import label_medians
from clipbench.figures.phrases import maximal_text
from clipbench.figures.picture_rows import picture_rows
from clipbench.figures.strip import facet_row, strip
from clipbench.figures.style import AFTER, BEFORE, CROSS, TICK, percent
from clipbench.figures.table import multimodal_table
from clipbench.figures.trust import survival
from clipbench.figures.unit_map import unit_map
from clipbench.figures.wild import in_the_wild, thing_table
from clipbench.figures.world import world_map

__all__ = [
    "AFTER",
    "BEFORE",
    "CROSS",
    "TICK",
    "before_after",
    "circuit",
    "codes",
    "conditional",
    "defence",
    "emotion_wheel",
    "facet_row",
    "given_label",
    "growth",
    "in_the_wild",
    "kernel_picture",
    "label_medians",
    "ledger",
    "maximal_text",
    "multimodal_table",
    "nine",
    "percent",
    "picture_rows",
    "places",
    "predictions",
    "recall",
    "robustness",
    "search",
    "similarities",
    "strip",
    "stroop",
    "stroop_opacity",
    "survival",
    "thing_table",
    "unit_map",
    "weights",
    "why",
    "world_map",
]
