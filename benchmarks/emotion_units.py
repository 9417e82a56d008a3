"""Does the first unit of a feeling's code answer to faces that feel it? Counted for a model and chance.

    python benchmarks/emotion_units.py [MODEL ...] [--json | --write]

Without a model, mini. The codes are of the 126 words of the feeling wheel; the faces are Noto's, which no
training showed. For each word that is among a face's keywords in Unicode's CLDR: whether the median of its
faces is among the best 20 % of all 99. Chance is counted by dealing out the feelings among the faces a
thousand times.
"""

from emoji_table import row, run

import clipbench as cb
from clipbench.studies.emotions import codes, wheel_words
from clipbench.studies.feeling_units import feeling_units

LEAST = 10  # words


def measure(name: str) -> tuple[list[dict], list[dict]]:
    """The row of the table, and of each word its unit and where its faces are."""
    model = cb.load(name, device="cpu")
    *_, last = codes(model, wheel_words())
    found = feeling_units(model, last.result)
    rows = [row(found, "the code's first unit, faces", found.found, found.permuted, LEAST)]
    medians, faces = found.medians.tolist(), found.shows.sum(axis=0).tolist()
    told = zip(found.words, found.units, medians, faces, strict=True)
    names = ("word", "unit", "median of its faces", "faces")
    return rows, [dict(zip(names, one, strict=True)) for one in told]


if __name__ == "__main__":
    run(__doc__, "emotion_units", "words", measure, ["mini"])
