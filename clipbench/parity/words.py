"""The three words that each of 2,560 units answers to most, and 19 of them a second time."""

from clipbench.models import ClipModel
from clipbench.parity.claim import Answers, Chapter, Claim
from clipbench.studies import records
from clipbench.studies.written_names import names

_METHOD = "the three largest of the unit's answers to the record's own 3,698 words, each drawn as a picture"
_TWICE = "the record of the region units against that of all units"


def chapter() -> Chapter:
    """Every unit's words, which need RN50x4, and the words that two records tell of the same unit."""
    words = records.top_words()
    claims = [
        Claim(f"words/{unit}", f"words that unit {unit} answers to most", own, _METHOD, 1, records.MODEL)
        for unit, own in enumerate(words)
    ]
    for one in _regional():
        what = f"first three words of region unit {one.unit}"
        claims.append(Claim(f"words twice/{one.unit}", what, words[one.unit], _TWICE))
    return Chapter(tuple(claims), _recount, _measure)


def _regional() -> list[records.RegionUnit]:
    return [one for one in records.region_units() if one.model == records.MODEL]


def _recount() -> Answers:
    for one in _regional():
        yield f"words twice/{one.unit}", one.words[:3]


def _measure(model: ClipModel) -> Answers:
    vocabulary = sorted({word for words in records.top_words() for word in words})
    *_, last = names(model, vocabulary, records.LAYER)
    for unit in range(len(records.top_words())):
        yield f"words/{unit}", last.result.top(unit)
