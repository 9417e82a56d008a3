"""The wheel of feelings: a disc for each word, coloured by the factors of the words' codes."""

import colorsys
import warnings
from dataclasses import dataclass

import numpy as np

from clipbench.errors import ClipbenchError
from clipbench.studies.emotions import Codes
from clipbench.studies.records import record

FACTORS = 7  # as published


@dataclass(frozen=True)
class Disc:
    """One word on the wheel.

    Args:
        word: the word.
        row, column: its place on the wheel, 13 × 13.
        colour: (red, green, blue), each 0 … 255.
    """

    word: str
    row: float
    column: float
    colour: tuple[int, int, int]


def wheel(found: Codes | None = None) -> tuple[Disc, ...]:
    """The article's wheel of 121 words, coloured by seven factors of the codes.

    Args:
        found: codes that hold all 121 words; their factors are found anew by non-negative matrix
            factorisation. None takes the published factors.

    Raises:
        ClipbenchError: codes that lack one of the words.
    """
    told = record("emotions")["atlas"]
    factors = np.array([one["factors"] for one in told]) if found is None else _factors(found, told)
    places = [(one["word"], one["row"], one["column"]) for one in told]
    return tuple(Disc(*place, _mixed(row)) for place, row in zip(places, factors, strict=True))


def _factors(found: Codes, told: list[dict]) -> np.ndarray:
    from sklearn.decomposition import NMF
    from sklearn.exceptions import ConvergenceWarning

    missing = [one["word"] for one in told if one["word"] not in found.words]
    if missing:
        raise ClipbenchError(f"the codes lack {missing[0]!r}, which the wheel shows; code all its words")
    rows = np.clip([found.weights[found.words.index(one["word"])] for one in told], 0, None)
    with warnings.catch_warnings():  # factors that still move in their last digits colour as well
        warnings.simplefilter("ignore", ConvergenceWarning)
        return NMF(FACTORS, init="nndsvd", max_iter=1000, random_state=0).fit_transform(rows)


def _mixed(factors: np.ndarray) -> tuple[int, int, int]:
    """The mean of the factors' colours; grey where none takes part. Hues as in the article."""
    total = factors.sum()
    if total == 0:
        return 200, 200, 200
    hues = [((360 / len(factors) * number + 91) / 360) % 1 for number in range(len(factors))]
    colours = 255 * np.array([colorsys.hsv_to_rgb(hue, 0.7, 1) for hue in hues])
    return tuple(int(round(part)) for part in factors @ colours / total)
