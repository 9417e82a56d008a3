"""The three words that each of 2,560 units answers to most, and 19 of them a second time."""

from functools import partial

from clipbench.models import ClipModel
from clipbench.parity.claim import Answers, Chapter, Claim
from clipbench.studies import records
from clipbench.studies.names import names

_METHOD = "the three largest of the unit's answers to the record's own 3,698 words, each drawn as a picture"


def chapter() -> Chapter:
    """Every unit's words, which need RN50x4, and the words that two records tell of the same unit."""
    words = records.top_words()
    claims = [
        Claim(
            f"words/{unit}",
            f"words that unit {unit} answers to most",
            own,
            _METHOD,
            tolerance=1,
            needs=records.MODEL,
        )
        for unit, own in enumerate(words)
    ]
    second = [one for one in records.region_units() if one.model == records.MODEL]
    claims += [
        Claim(
            f"words twice/{one.unit}",
            f"first three words of region unit {one.unit}",
            words[one.unit],
            "the record of the region units against that of all units",
        )
        for one in second
    ]
    recount = partial(_first_three, second)
    return Chapter(tuple(claims), recount, _measure)


def _first_three(units: list[records.RegionUnit]) -> Answers:
    for one in units:
        yield f"words twice/{one.unit}", one.words[:3]


def _measure(model: ClipModel) -> Answers:
    vocabulary = sorted({word for words in records.top_words() for word in words})
    *_, last = names(model, vocabulary, records.LAYER)
    for unit in range(len(records.top_words())):
        yield f"words/{unit}", last.result.top(unit)
