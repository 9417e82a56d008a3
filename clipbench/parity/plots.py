"""The conditional plots, the people of unit 89, and numbers that stand in the article's text."""

import math
from functools import cache

import numpy as np

from clipbench.parity.claim import Answers, Chapter, Claim
from clipbench.results import Provenance
from clipbench.studies import records
from clipbench.studies.conditional import Conditional, from_article

_COUNTED = "whole numbers of pictures in each bucket, found from the plot's shares, summed over the buckets"
_PHOTOS = "RN50x4 and the article's photos of eleven people"
_MEDIAN = "the bucket of a second record in which the person's middle photo lies; half its width is tolerated"
_TEXT = "counted in the record that the sentence is about"
_TRUMP = ("Trump Profile", "Trump Art", "Trump Text", "Trump Minor", "Political trump aligned")
_AUDIT = (38, 50)  # of the units looked at were interpretable


def chapter() -> Chapter:
    """Counts and shares of four plots, eleven medians, and sentences."""
    return Chapter((*_plots(), *_people(), *_sentences()), _recount)


@cache
def published_plot(unit: int) -> Conditional:
    """One of the article's conditional plots."""
    told = records.record("conditional")["plots"][str(unit)]
    provenance = Provenance(
        "RN50x4 (published)", "", "labels by hand, blind to the activation", f"{records.LAYER}:{unit}",
        n=sum(told["labelCounts"]),
    )  # fmt: skip
    return from_article(told, told["sd"], provenance)


def plotted_units() -> tuple[int, ...]:
    """The units that the article has conditional plots of."""
    return tuple(int(unit) for unit in records.record("conditional")["plots"])


def _plots() -> list[Claim]:
    claims = []
    for unit in plotted_units():
        told = records.record("conditional")["plots"][str(unit)]
        for label, count in zip(told["labelNames"], told["labelCounts"], strict=True):
            symbol = unit == 1257 and label == "Non-African Symbol"
            claims.append(
                Claim(
                    f"plot {unit}/labels/{label}",
                    f"pictures labelled {label} for unit {unit}",
                    count,
                    _COUNTED,
                    erratum="one of them lies in no bucket of the plot" if symbol else "",
                    corrected=18 if symbol else None,
                )
            )
        for place, edge in enumerate(told["bins"]):
            what = f"shares of all labels of unit {unit} in the bucket at {edge / told['sd']:.1f} sd"
            claims.append(Claim(f"plot {unit}/bucket/{place}", what, 1.0, "summed", 1e-9))
    return claims


def _people() -> list[Claim]:
    told = records.record("conditional")["people"]
    known, claims = _buckets(), []
    for name, median in zip(told["names"], told["medians"], strict=True):
        what = f"median answer of unit 89 to photos of {name}, in sd"
        claims.append(Claim(f"people/{name}", what, median, "measured", 0.01, _PHOTOS))
        if name in known:
            half = (known[name][1] - known[name][0]) / 2
            claims.append(Claim(f"people twice/{name}", what, median, _MEDIAN, half))
    return claims


def _buckets() -> dict[str, tuple[float, float]]:
    """Person -> ends, in sd, of the bucket of the middle photo.

    Only of those whose buckets all hold another person, too: where one stands alone, the record's shares do
    not say how many photos there were.
    """
    told = records.record("conditional")
    names, sd = told["people_buckets"]["names"], told["people"]["sd"]
    heights, bins = np.array(told["people_buckets"]["heights"]), np.array(told["people_buckets"]["bins"])
    shape = {"bins": bins, "heights": heights, "labelNames": names, "labelCounts": [0] * len(names)}
    counts = from_article(shape, sd, Provenance("RN50x4 (published)", "", "second record")).counts
    found = {}
    for name, row, shares in zip(names, counts, heights, strict=True):
        if (shares < 1).all():
            middle = int(np.searchsorted(row.cumsum(), (row.sum() + 1) / 2))
            found[name] = bins[middle] / sd, bins[middle + 1] / sd
    return found


def _sentences() -> list[Claim]:
    figures = "figure {}: the caption's number of labelled images"
    return [
        Claim("text/figure 2", figures.format(2), "about 650", _TEXT),
        Claim("text/figure 7", figures.format(7), "more than 400", _TEXT),
        Claim("text/above 30 sd", "images above 30 sd that relate to Trump", "more than 90 %", _TEXT),
        Claim("text/audit low", "interpretable units, lower end of 95 %", 0.64, "normal interval", 0.005),
        Claim("text/audit high", "interpretable units, upper end of 95 %", 0.88, "normal interval", 0.005),
        Claim("text/audit rest", "units of neither kind", 0.06, "1 − 76 % − 18 %", 0.005),
        Claim("text/regional", "share of 64 region units among 2,560", 0.025, "divided", 0.0005),
        Claim("text/families", "units shown in the families", 118, _TEXT),
        Claim("text/words", "units whose words are told", 2560, _TEXT),
    ]


def _recount() -> Answers:
    for unit in plotted_units():
        plot = published_plot(unit)
        for label, count in zip(plot.labels, plot.counts.sum(axis=1).tolist(), strict=True):
            yield f"plot {unit}/labels/{label}", count
        heights = np.array(records.record("conditional")["plots"][str(unit)]["heights"])
        for place, total in enumerate(heights.sum(axis=0).tolist()):
            yield f"plot {unit}/bucket/{place}", total
    for name, ends in _buckets().items():
        yield f"people twice/{name}", sum(ends) / 2
    trump = published_plot(89)
    images = int(trump.totals.sum())
    yield "text/figure 2", "about 650" if abs(images - 650) < 10 else str(images)
    named = int(published_plot(1317).totals.sum())
    yield "text/figure 7", "more than 400" if named > 400 else str(named)
    above = trump.counts[:, trump.sds[:-1] >= 30]
    share = above[[trump.labels.index(label) for label in _TRUMP]].sum() / above.sum()
    yield "text/above 30 sd", "more than 90 %" if share > 0.9 else f"{share:.0%}"
    hits, n = _AUDIT
    half = 1.959964 * math.sqrt(hits / n * (1 - hits / n) / n)
    yield "text/audit low", hits / n - half
    yield "text/audit high", hits / n + half
    yield "text/audit rest", 1 - hits / n - 0.18
    yield "text/regional", 64 / len(records.top_words())
    yield "text/families", sum(map(len, records.families().values()))
    yield "text/words", len(records.top_words())
