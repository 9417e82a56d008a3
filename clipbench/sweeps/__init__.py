"""What all units of a layer say to many pictures or words, in a store that survives anything."""

from clipbench.sweeps.findings import Bucket, Examples, Histogram, Moments
from clipbench.sweeps.pictures import DataSet, Files, Stimuli, listed
from clipbench.sweeps.run import Progress, key_of, sweep
from clipbench.sweeps.store import QUANTILES, Store, sweeps
from clipbench.sweeps.words import LOOKS, Look, Words

__all__ = [
    "LOOKS",
    "QUANTILES",
    "Bucket",
    "DataSet",
    "Examples",
    "Files",
    "Histogram",
    "Look",
    "Moments",
    "Progress",
    "Stimuli",
    "Store",
    "Words",
    "key_of",
    "listed",
    "sweep",
    "sweeps",
]
