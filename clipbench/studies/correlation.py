"""Rows whose products are correlations."""

import numpy as np


def standardised(rows: np.ndarray) -> np.ndarray:
    """Rows with mean 0 and length 1, so that a product of two is Pearson's correlation.

    Args:
        rows: (m, n).

    Returns:
        (m, n) float64; constant rows become zeros, which correlate with nothing.
    """
    centred = rows - rows.mean(axis=1, keepdims=True, dtype=np.float64)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 0)
