"""Figures show the numbers of a result, all of them, under their names."""

import numpy as np
import pytest

from clipbench import figures
from clipbench.classify import BeforeAfter

RESULT = BeforeAfter(
    ("mug", "apple", "iPod"),
    before=np.array([0.02, 0.9, 0.08], np.float32),
    after=np.array([0.04, 0.001, 0.959], np.float32),
    provenance=None,
)


def drawn(figure) -> list[tuple]:
    """From top to bottom: label, before, after."""
    before, after = figure.data
    axis = figure.layout.yaxis
    assert [before.name, after.name] == ["before", "after"]
    assert before.y == after.y == axis.tickvals and axis.range[0] > axis.range[1]
    return list(zip(axis.ticktext, before.x, after.x, strict=True))


def numbers(*rows):
    return [(label, pytest.approx(before), pytest.approx(after)) for label, before, after in rows]


def test_the_larger_of_two_probabilities_decides_the_order():
    figure = figures.before_after(RESULT)
    assert drawn(figure) == numbers(("iPod", 0.08, 0.959), ("apple", 0.9, 0.001), ("mug", 0.02, 0.04))
    assert [text.replace("\xa0", " ") for text in figure.data[1].text] == ["96 %", "< 1 %", "4 %"]


def test_another_figure_gives_the_order():
    figure = figures.before_after(RESULT, order=("laptop", "mug", "apple"))
    assert [label for label, *_ in drawn(figure)] == ["mug", "apple", "iPod"]


def test_a_label_is_text_and_a_long_one_takes_two_lines():
    labels = ("<b>bold</b>", "a rather long label that nobody would print")
    shares = np.array([0.6, 0.4], np.float32)
    figure = figures.before_after(BeforeAfter(labels, shares, shares, provenance=None))
    bold, long = figure.layout.yaxis.ticktext
    assert bold == "&lt;b&gt;bold&lt;/b&gt;"
    assert long.split("<br>") == ["a rather long label that", "nobody would print"]


@pytest.mark.parametrize("k", [1, 7, 100])
def test_each_label_has_room(k):
    shares = np.full(k, 1 / k, np.float32)
    figure = figures.before_after(BeforeAfter(tuple(map(str, range(k))), shares, shares, provenance=None))
    assert figure.layout.height / k >= 24  # two lines of 11 px and a little air


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (1e-9, "< 1 %"),
        (0.006, "1 %"),
        (0.5, "50 %"),
        (0.994, "99 %"),
        (0.9999, "> 99 %"),
        (1, "100 %"),
    ],
)
def test_percent_never_says_none_or_all_of_what_is_not(share, text):
    assert figures.percent(share).replace("\xa0", " ") == text
