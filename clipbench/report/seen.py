"""The sections for which a store is asked: photos, words, names that lead to the unit, units like it.

Each is a generator: it yields as it works, so that it can be stopped, and at last the section, a `Part`; an
empty one has nothing to say.
"""

from collections.abc import Iterator

import numpy as np

from clipbench.report.desk import Desk
from clipbench.report.page import number
from clipbench.report.part import Part, jpeg
from clipbench.report.portraits import COARSE
from clipbench.studies import Answer, taught_to, words_of
from clipbench.studies.likeness import compared
from clipbench.sweeps import Examples
from clipbench.units import Unit

_HUNG = 3  # photos in each part of the spectrum
_TOP = 14  # favourites, cut where they excite the unit
_SIDE = 112  # pixels of a photo
_WORDS = 15  # of the most and of the least exciting
_LIKE = 6  # units that are like this one


def photos(desk: Desk) -> Iterator[object]:
    """The whole spectrum: a histogram, photos that hang where they belong, and the favourites."""
    store, unit, files, buckets = desk.store, desk.unit, {}, []
    for bucket in store.spectrum(unit, each=_HUNG):
        examples = []
        for place, photo in enumerate(bucket.examples.numbers.tolist()):
            files[f"photos/{photo}"] = picture = jpeg(store.seen(photo), _SIDE)
            examples.append(_example(bucket.examples, place, f"photos/{photo}"))
            yield picture
        buckets.append({"share": bucket.share, "limits": bucket.limits, "examples": examples})
    top = store.top(unit, _TOP)
    for photo in top.numbers.tolist():
        files[f"photos/cut {photo}"] = picture = jpeg(store.crop(unit, photo), _SIDE)
        yield picture
    histogram = store.histogram(unit)
    content = {
        "n": int(histogram.counts.sum()),
        "histogram": {"edges": histogram.edges.tolist(), "counts": histogram.counts.tolist()},
        "mean": float(histogram.mean),
        "sd": 0.0 if desk.constant else float(histogram.sd),
        "buckets": buckets,
        "top": [
            _example(top, place, f"photos/cut {photo}") for place, photo in enumerate(top.numbers.tolist())
        ],
        "provenance": histogram.provenance.as_dict(),
    }
    yield Part(content, files)


def _example(examples: Examples, place: int, picture: str) -> dict:
    """What the page says of a photo."""
    return {"picture": picture, "name": examples.names[place], "value": float(examples.values[place])}


def words(desk: Desk) -> Iterator[object]:
    """The written words that excite the unit most and least, in the first look that they were swept in."""
    if desk.written is None:
        yield Part({}, {})
        return
    told = words_of(desk.written, desk.unit, _WORDS, taught_to(desk.model))
    reach = max(abs(answer.sd) for answer in (*told.most, *told.least))
    if told.most[0].value == told.least[0].value:  # it says the same to all of them
        yield Part({}, {})
        return
    content = {
        "n": int(np.isfinite(desk.written.column(desk.unit)[: len(desk.written.words)]).sum()),
        "look": str(told.look),
        "untaught": any(answer.taught is False for answer in (*told.most, *told.least)),
        "most": [_bar(answer, reach) for answer in told.most],
        "least": [_bar(answer, reach) for answer in told.least],
        "changes": [change.as_dict() for change in told.changes],
        "provenance": told.provenance.as_dict(),
    }
    yield Part(content, {})


def _bar(answer: Answer, reach: float) -> tuple[str, str, float]:
    """A word, the answer, and how unusual it is as a share of the most unusual; a star if never taught."""
    star = " *" if answer.taught is False else ""
    return f"{answer.word}{star}", number(answer.value), answer.sd / reach


def neighbours(desk: Desk) -> Iterator[object]:
    """The units of the layer that are most like this one: by photos, by words, by what they do."""
    if desk.unit.layer in desk.model.heads:
        yield Part({}, {})  # nothing comes after it that it could do anything to
        return
    kinds, files = [], {}
    found = yield from compared(desk.model, desk.unit, desk.store, desk.written, top=_LIKE)
    for alike in found:
        told = zip(alike.units, alike.likeness, strict=True)
        near = {Unit.parse(unit, desk.model): likeness for unit, likeness in told if likeness > 0}
        yield from desk.portraits.paint([*near], COARSE)
        rows = []
        for unit, likeness in near.items():
            files[f"neighbours/{unit}"] = jpeg(desk.portraits.image(unit), _SIDE)
            rows.append({"unit": str(unit), "score": likeness, "picture": f"neighbours/{unit}"})
        if rows:  # a unit that always says the same is like none
            kinds.append({"name": f"by {alike.by}", "rows": rows})
    yield Part({"kinds": kinds, "provenance": alike.provenance.as_dict()} if kinds else {}, files)
