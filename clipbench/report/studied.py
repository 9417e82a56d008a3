"""The sections on what the article studied: things in three forms, places, feelings, labels, and texts.

Each is a generator: it yields as it works, so that it can be stopped, and at last the section, a `Part`; an
empty one has nothing to say. What a study says of a whole layer is kept beside the pictures, for other units.
"""

from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageDraw

from clipbench.errors import ClipbenchError
from clipbench.figures.style import OTHER, SERIES
from clipbench.models import ClipModel
from clipbench.report.desk import Desk
from clipbench.report.page import number
from clipbench.report.part import Part, key_of, png
from clipbench.results import made_folder
from clipbench.stimuli import MODALITIES, concepts
from clipbench.studies import Multimodal, column, measure
from clipbench.studies.conditional import Conditional, known, swept
from clipbench.studies.emotions import codes, wheel_words
from clipbench.studies.records import world
from clipbench.studies.regions import colours, country_names, rgb

_ALL = 10**6  # examples of a concept: every one counts
_LUCK = 0.01  # below it, something is not put down to chance
_UNUSUAL = 0.99  # of the words: a country is told where its name excites the unit more
_COUNTRIES, _FEELINGS, _LABELS, _PHRASES = 10, 8, 5, 8  # that are told
_BUCKETS, _EACH = 12, 100
_MAP, _NORTH, _SOUTH = 2, 84, -60  # pixels of a degree; degrees that are shown, the rest is ice
_SEA, _BORDER, _UNASKED = (16, 16, 16), (170, 170, 170), (96, 96, 96)


def multimodal(desk: Desk) -> Iterator[object]:
    """Which thing the unit answers to as photo, as drawing and in writing."""
    if desk.unit.layer not in desk.model.layers:
        yield Part({}, {})
        return
    things, layer = concepts(), desk.unit.layer
    path = _shared(desk, "multimodal", "npz", [one.name for one in things])
    if not path.exists():
        for step in measure(desk.model, things, layer):
            yield step
        step.result.save(path)
    found = Multimodal.load(path)
    channel = desk.unit.channel
    shown = column(found, things, channel, found.best(channel), _ALL)
    rows = [
        {"form": form, "sd": float(np.mean(cell.sds)), "first": cell.ticked, "n": len(cell.sds)}
        for form, cell in zip(MODALITIES, shown.cells, strict=True)
    ]
    content = {
        "concept": shown.concept,
        "concepts": len(found.concepts),
        "rows": rows,
        "multimodal": all(row["first"] for row in rows),
        "layer": found.summary,
        "provenance": found.provenance.as_dict(),
    }
    yield Part(content, {})


def regions(desk: Desk) -> Iterator[object]:
    """The countries whose written names excite the unit as few words do, where that is more than chance."""
    words = desk.written
    if words is None:
        yield Part({}, {})
        return
    values = words.column(desk.unit)[: len(words.words)]
    places = {word: at for at, word in enumerate(words.words) if np.isfinite(values[at])}
    asked = {name: values[places[name.lower()]] for name in country_names() if name.lower() in places}
    limit = float(np.nanquantile(values, _UNUSUAL))
    told = [name for name in sorted(asked, key=asked.get, reverse=True) if asked[name] > limit]
    if _luck(len(told), len(asked), 1 - _UNUSUAL) > _LUCK:
        yield Part({}, {})
        return
    mean, sd = float(np.nanmean(values)), float(np.nanstd(values)) or 1.0
    sds = {name: (float(value) - mean) / sd for name, value in asked.items()}
    shown = told[:_COUNTRIES]
    content = {
        "asked": len(asked),
        "known": len(country_names()),
        "above": len(told),
        "chance": (1 - _UNUSUAL) * len(asked),
        "top": [(name, number(float(asked[name])), sds[name] / sds[shown[0]]) for name in shown],
        "picture": "regions/map",
        "provenance": words.provenance(desk.unit.layer, str(desk.unit)).as_dict(),
    }
    yield Part(content, {"regions/map": png(_map(sds))})


def feelings(desk: Desk) -> Iterator[object]:
    """The words of feeling in whose sparse code the unit takes part."""
    if not isinstance(desk.model, ClipModel) or desk.unit.layer not in desk.model.layers:
        yield Part({}, {})
        return
    path, words = _shared(desk, "feelings", "json"), wheel_words()
    kept = Part.load(path)
    if kept is None:
        for step in codes(desk.model, words, desk.unit.layer):
            yield step
        found = step.result
        sums = {word: found.code(word, _ALL) for word in words}
        kept = Part({"sums": sums, "provenance": found.provenance.as_dict()}, {})
        kept.save(path, "")
    sums = {word: {int(unit): share for unit, share in kept.content["sums"][word]} for word in words}
    own = {word: code[desk.unit.channel] for word, code in sums.items() if desk.unit.channel in code}
    if not own:
        yield Part({}, {})
        return
    ranked = sorted(own, key=own.get, reverse=True)[:_FEELINGS]
    content = {
        "words": len(words),
        "codes": len(own),
        "usual": sum(map(len, sums.values())) / desk.model.layer(desk.unit.layer).channels,
        "rows": [(word, number(own[word]), own[word]) for word in ranked],
        "provenance": kept.content["provenance"],
    }
    yield Part(content, {})


def activation(desk: Desk) -> Iterator[object]:
    """How often each label is met at each activation, where the swept pictures lie in folders."""
    try:
        values, labels = swept(desk.store, desk.unit)
    except ClipbenchError:  # they lie in one folder
        yield Part({}, {})
        return
    means = {label: float(values[labels == label].mean()) for label in np.unique(labels).tolist()}
    kept = sorted(means, key=means.get, reverse=True)[:_LABELS]
    given = [label if label in kept else "others" for label in labels.tolist()]
    told = desk.store.provenance(desk.unit.layer, str(desk.unit))
    found = known(values, given, told, buckets=_BUCKETS, each=_EACH)[1]
    order = [label for label in [*kept, "others"] if label in found.labels]
    content = {
        "labels": [_label(found, label, at) for at, label in enumerate(order)],
        "shown": len(kept),
        "folders": len(means),
        "sds": found.sds.tolist(),
        "totals": found.totals.tolist(),
        "columns": _columns(found, order),
        "provenance": found.provenance.as_dict(),
    }
    yield Part(content, {})


def text(desk: Desk) -> Iterator[object]:
    """The phrase that the unit likes most, if it was looked for."""
    if desk.text is None:
        yield Part({}, {})
        return
    found = desk.text
    highest = max(one.score for one in (*found.phrases, *found.directions))

    def bars(phrases) -> list[tuple[str, str, float]]:
        return [(one.text, number(one.score), one.score / highest) for one in phrases]

    content = {
        "phrases": bars(found.phrases[:_PHRASES]),
        "directions": bars(found.directions),
        "summary": found.summary,
        "provenance": found.provenance.as_dict(),
    }
    yield Part(content, {})


def _shared(desk: Desk, study: str, ending: str, *told: object):
    """Where a study of the whole layer is kept for this and other units."""
    key = key_of(study, desk.model.weights_hash, desk.unit.layer, *told)
    return made_folder(desk.folder / "studies") / f"{study}-{key}.{ending}"


def _luck(hits: int, n: int, share: float) -> float:
    """How likely n independent draws of a share give so many hits or more."""
    from scipy.stats import binom

    return float(binom.sf(hits - 1, n, share))


def _map(sds: dict[str, float]) -> Image.Image:
    """The article's map, each country in the colour of its answer; those that were not asked for are grey."""
    highest = max(sds.values())
    shares = np.array([[max(sds.get(name, 0.0), 0.0) / highest for name in country_names()]])
    sheet = Image.new("RGB", (360 * _MAP, (_NORTH - _SOUTH) * _MAP), _SEA)
    pen = ImageDraw.Draw(sheet)
    for country, colour in zip(world().countries, rgb(colours(shares)).tolist(), strict=True):
        fill = tuple(colour) if country.name in sds else _UNASKED
        for ring in country.rings:
            points = [((180 + across) * _MAP, (_NORTH - up) * _MAP) for across, up in ring]
            pen.polygon(points, fill=fill, outline=_BORDER)
    return sheet


def _label(found: Conditional, label: str, place: int) -> dict:
    """A label, its colour, how many pictures have it, and how many of those lie in the upper half."""
    row = found.labels.index(label)
    return {
        "name": label,
        "colour": OTHER if label == "others" else SERIES[place],
        "n": int(found.counts[row].sum()),
        "recall": float(found.recall[row, _BUCKETS // 2]),
    }


def _columns(found: Conditional, order: list[str]) -> list[list[float]]:
    """Shares of the labels in each bucket, in their order; an empty bucket has none."""
    rows = np.nan_to_num(found.shares[[found.labels.index(label) for label in order]])
    return rows.T.tolist()
