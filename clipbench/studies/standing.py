"""Where one answer of a unit stands among all its answers."""

import numpy as np

DRAWS = 1000  # shufflings, by which chance is counted


def standing(answers: np.ndarray) -> np.ndarray:
    """(n, units) -> (n, units): the share of the n, itself among them, that reach an answer.

    The first has 1 / n. Ties count against all of them, and a unit that is constant puts everything last.
    """
    ordered = np.sort(answers, axis=0)
    below = [
        np.searchsorted(column, own, side="left") for column, own in zip(ordered.T, answers.T, strict=True)
    ]
    return 1 - np.stack(below, axis=1) / len(answers)


def among_best(standings: np.ndarray, share: float) -> np.ndarray:
    """(n, units) -> bool: whether what stands there is among the best share of a unit's n answers."""
    return standings <= share + 1e-9
