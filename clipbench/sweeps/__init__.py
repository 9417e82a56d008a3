"""What all units of a layer say to many pictures or words, in a store that survives anything."""

from clipbench.sweeps.findings import Bucket, Examples, Histogram, Moments
from clipbench.sweeps.pictures import Files, Rows, Stimuli, listed
from clipbench.sweeps.run import Progress, key_of, sweep
from clipbench.sweeps.store import QUANTILES, Store, sweeps
from clipbench.sweeps.words import LOOKS, Look, Words

__all__ = [
    "LOOKS",
    "QUANTILES",
    "Bucket",
    "Examples",
    "Files",
    "Histogram",
    "Look",
    "Moments",
    "Progress",
    "Rows",
    "Stimuli",
    "Store",
    "Words",
    "key_of",
    "listed",
    "sweep",
    "sweeps",
]
