"""Studies: what units answer to, as results that can be drawn and saved."""

from clipbench.studies.adversarial_example import Adversarial, adversarial
from clipbench.studies.circuits import Circuit, Edge
from clipbench.studies.labels import Label, Labels, label_units
from clipbench.studies.likeness import Alike, similar_units
from clipbench.studies.maps import Maps, maps
from clipbench.studies.maximal_text import Looking, MaximalText, look_for_text, maximal_text
from clipbench.studies.multimodal import Multimodal, measure, multimodal
from clipbench.studies.photo_quantiles import PhotoQuantiles, measure_quantiles, shipped_quantiles
from clipbench.studies.table import Cell, Column, column, nearest, table
from clipbench.studies.tracing import circuit, trace
from clipbench.studies.trust_controls import Painting, TrustReport, trust_controls
from clipbench.studies.trust_figures import Recognition, Seeds, Survival, Trust
from clipbench.studies.trust_meter import trust
from clipbench.studies.unit_search import Excited, Match, Matches, excited_by, search_units
from clipbench.studies.words import Answer, Change, UnitWords, WordParity, taught_to, word_parity, words_of

__all__ = [
    "Adversarial",
    "Alike",
    "Answer",
    "Cell",
    "Change",
    "Circuit",
    "Column",
    "Edge",
    "Excited",
    "Label",
    "Labels",
    "Looking",
    "Maps",
    "Match",
    "Matches",
    "MaximalText",
    "Multimodal",
    "Painting",
    "PhotoQuantiles",
    "Recognition",
    "Seeds",
    "Survival",
    "Trust",
    "TrustReport",
    "UnitWords",
    "WordParity",
    "adversarial",
    "circuit",
    "column",
    "excited_by",
    "label_units",
    "look_for_text",
    "maps",
    "maximal_text",
    "measure",
    "measure_quantiles",
    "multimodal",
    "nearest",
    "search_units",
    "shipped_quantiles",
    "similar_units",
    "table",
    "taught_to",
    "trace",
    "trust",
    "trust_controls",
    "word_parity",
    "words_of",
]
