"""How sure a mean or a median over some units, labels or pictures is."""

from collections.abc import Callable, Sequence

import numpy as np

TIMES = 10_000


def resampled(values: Sequence[float], figure: Callable = np.mean) -> tuple[float, float, float]:
    """A figure of some values, and a 95 % interval of it from as many values drawn anew with replacement.

    Args:
        values: one a unit, label or picture.
        figure: takes `axis`, as `np.mean` and `np.median` do.

    Returns:
        The figure, and the lower and upper end of its interval.
    Source: Efron 1979, the percentile bootstrap, seed 0.
    """
    drawn = np.random.default_rng(0).choice(values, (TIMES, len(values)))
    low, high = np.quantile(figure(drawn, axis=1), (0.025, 0.975)).tolist()
    return float(figure(values, axis=0)), low, high
