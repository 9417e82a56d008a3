"""Studies: what units answer to, as results that can be drawn and saved."""

from clipbench.studies.maps import Maps, maps
from clipbench.studies.multimodal import Multimodal, Progress, measure, multimodal
from clipbench.studies.table import Cell, Column, column, nearest, table

__all__ = [
    "Cell",
    "Column",
    "Maps",
    "Multimodal",
    "Progress",
    "column",
    "maps",
    "measure",
    "multimodal",
    "nearest",
    "table",
]
