"""Every published number as an entry: recomputed where that is possible, told as not run where not."""

from clipbench.parity.claim import Chapter, Claim
from clipbench.parity.ledger import STATES, Ledger, Row, parity
from clipbench.parity.plots import plotted_units, published_plot

__all__ = [
    "STATES",
    "Chapter",
    "Claim",
    "Ledger",
    "Row",
    "parity",
    "plotted_units",
    "published_plot",
]
