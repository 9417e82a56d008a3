"""Studies: what units answer to, as results that can be drawn and saved."""

from clipbench.studies.circuits import Circuit, Edge, Tracing, circuit, trace
from clipbench.studies.maps import Maps, maps
from clipbench.studies.multimodal import Multimodal, Progress, measure, multimodal
from clipbench.studies.table import Cell, Column, column, nearest, table

__all__ = [
    "Cell",
    "Circuit",
    "Column",
    "Edge",
    "Maps",
    "Multimodal",
    "Progress",
    "Tracing",
    "circuit",
    "column",
    "maps",
    "measure",
    "multimodal",
    "nearest",
    "table",
    "trace",
]
