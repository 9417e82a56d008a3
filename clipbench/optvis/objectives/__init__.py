"""What an optimised picture is to excite: weighted sums of terms, maximised.

An objective is a value: it adds, scales, compares and prints itself, weights included, into the
provenance of the picture. It does nothing by itself; `bind` checks it against a model and says what to
read in each step.
"""

from clipbench.optvis.objectives.base import Activations, Bound, Objective, Seen, Term
from clipbench.optvis.objectives.batches import alignment, batch, diversity, interpolate
from clipbench.optvis.objectives.facets import faceted
from clipbench.optvis.objectives.photos import caricature, elsewhere, inversion
from clipbench.optvis.objectives.units import channel, direction, layer, neuron
from clipbench.optvis.objectives.words import label, text

__all__ = [
    "Activations",
    "Bound",
    "Objective",
    "Seen",
    "Term",
    "alignment",
    "batch",
    "caricature",
    "channel",
    "direction",
    "diversity",
    "elsewhere",
    "faceted",
    "interpolate",
    "inversion",
    "label",
    "layer",
    "neuron",
    "text",
]
