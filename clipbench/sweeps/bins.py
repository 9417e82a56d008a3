"""Bins that suit any activation, so that histograms of different parts of a sweep add up.

The bins follow float16 itself: sign, exponent and the first two binary digits, so each spans at most a
quarter of the value at its lower end. They need no range beforehand.
"""

import numpy as np

_SHIFT = 8  # the last eight of sixteen bits: of one bin's values they may differ
HALF = 1 << (15 - _SHIFT)  # bins of one sign
BINS = 2 * HALF
_FINITE = (31 << 10) >> _SHIFT  # bins of one sign below the last exponent


def bins_of(values: np.ndarray) -> np.ndarray:
    """(…) float16 -> (…) int, from 0 for the most negative to BINS - 1; finite values only."""
    bits = np.ascontiguousarray(values, dtype=np.float16).view(np.uint16).astype(np.int64) >> _SHIFT
    return np.where(bits < HALF, HALF + bits, 2 * HALF - 1 - bits)


def edges() -> np.ndarray:
    """(BINS + 1,) float32, rising; from the last exponent on, which stands for no number, infinite."""
    finite = (np.arange(_FINITE, dtype=np.uint32) << _SHIFT).astype(np.uint16).view(np.float16)
    positive = np.concatenate([finite.astype(np.float32), np.full(HALF + 1 - _FINITE, np.inf, np.float32)])
    return np.concatenate([-positive[:0:-1], positive])


def histograms(values: np.ndarray) -> np.ndarray:
    """(m, units) float16, rows of nan left out -> (units, BINS) int."""
    values = values[~np.isnan(values[:, 0])]
    units = values.shape[1]
    places = bins_of(values) + BINS * np.arange(units)
    return np.bincount(places.ravel(), minlength=units * BINS).reshape(units, BINS)
