"""Sparse codes against closed forms, and the article's own equations in its published codes."""

import colorsys
from functools import partial

import numpy as np
import pytest

import clipbench as cb
from clipbench.models import Read
from clipbench.streams import result_of
from clipbench.studies import emotions, records
from clipbench.studies.emotion_check import raised
from clipbench.studies.emotion_wheel import wheel

WORDS = ("happy", "sad", "angry", "scared")


@pytest.fixture(scope="module")
def problem():
    """24 rows of 9 columns, 3 of them of the class: column 2 tells the class, column 5 helps."""
    rng = np.random.default_rng(0)
    rows, own = rng.normal(size=(24, 9)), np.arange(24) < 3
    rows[own, 2] += 3
    rows[own, 5] += 1
    return emotions.standardised(rows), own


def slope(rows: np.ndarray, own: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The loss's slope by each weight, both classes counting alike: written out here, not borrowed."""
    counts = np.where(own, len(own) / (2 * own.sum()), len(own) / (2 * (~own).sum()))
    return rows.T @ (counts * (1 / (1 + np.exp(-rows @ weights)) - own))


def test_below_the_least_penalty_s_inverse_no_unit_is_in_and_above_it_the_steepest(problem):
    rows, own = problem
    least = emotions.least_penalty(rows, own)
    steepest = np.abs(slope(rows, own, np.zeros(9)))
    assert least == pytest.approx(steepest.max())
    assert not emotions.sparse_fit(rows, own, 0.999 / least).any()
    assert np.flatnonzero(emotions.sparse_fit(rows, own, 1.001 / least)).tolist() == [steepest.argmax()]


@pytest.mark.parametrize("detail", [1.5, 2, 5])
def test_a_fit_meets_the_conditions_of_the_minimum(problem, detail):
    """At the minimum of a convex loss with an L1 penalty, every slope is at most the penalty, and it is
    the penalty's against the sign of each weight that is not zero: so the number of units is right, too."""
    rows, own = problem
    penalty = emotions.least_penalty(rows, own) / detail
    weights = emotions.sparse_fit(rows, own, 1 / penalty)
    slopes, used = slope(rows, own, weights), weights != 0
    assert used.any() and not used.all()
    assert slopes[used] == pytest.approx(-penalty * np.sign(weights[used]), rel=1e-3)
    assert (np.abs(slopes[~used]) <= penalty * 1.001).all()


def test_more_detail_lets_more_units_in(problem):
    rows, own = problem
    least = emotions.least_penalty(rows, own)
    sizes = [(emotions.sparse_fit(rows, own, detail / least) != 0).sum() for detail in (0.9, 1.1, 3, 30)]
    assert sizes[0] == 0 < sizes[1] <= sizes[2] < sizes[3]


@pytest.mark.parametrize("silent", [True, False])
def test_slopes_are_what_a_small_push_behind_the_relu_does_to_the_embedding(mini, silent, request):
    layer, unit, push = mini.last_layer, 17, 1e-2
    bias = mini.network.visual.trunk.conv_head.bias.detach()
    request.addfinalizer(partial(bias.copy_, bias.clone()))
    bias[unit] += -9 if silent else 9  # of itself it might be either
    slopes = result_of(emotions.slopes(mini, layer))
    pixels = mini.pixels([emotions.grey(mini)])
    values = mini.read(pixels, [Read(layer)])[Read(layer)]
    assert (values[:, unit] < 0).all() if silent else (values[:, unit] > 0).all()

    def embedding(strength: float) -> np.ndarray:
        pushed = values.clone()
        pushed[:, unit] = pushed[:, unit].relu() + strength
        with mini.replace(layer, pushed):
            return mini.read(pixels, [Read("embedding")])[Read("embedding")].flatten().double().numpy()

    none, one, two = (embedding(strength) for strength in (0.0, push, 2 * push))
    by_hand = (4 * one - 3 * none - two) / (2 * push)  # from one side, to the second order
    assert np.abs(by_hand).max() > 1e-3
    assert slopes[:, unit].numpy() == pytest.approx(by_hand, abs=1e-3 * np.abs(by_hand).max())


def test_codes_of_a_clip_raise_their_words(mini):
    words = emotions.wheel_words()[::4]
    *_, last = emotions.codes(mini, words)
    found = last.result
    assert last.done == last.total == len(words) and found.provenance.n == 3 * len(words)
    assert (found.sizes >= 1).all() and found.sizes.mean() < 30
    told = raised(mini, found)
    assert len(told) >= len(words) // 3 and {one.word for one in told} <= set(words)
    assert sum(one.after > one.before for one in told) >= 0.7 * len(told)  # by chance half


@pytest.mark.parametrize(
    ("words", "detail", "sentence"),
    [
        (("happy",), 2, "at least two words"),
        (("happy", "happy"), 2, "each once"),
        (("happy", " "), 2, "a word is empty"),
        (WORDS, 0, "detail must be above 0"),
    ],
)
def test_what_cannot_be_coded_is_refused(mini, words, detail, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        next(emotions.codes(mini, words, detail=detail))


def test_published_codes_are_shown_as_the_article_shows_them():
    """Figure 9 of the article: jealous is champions + hug + grumpy − …, letters left out, 1 the largest."""
    published = emotions.published_codes()
    code = published.code("jealous", without=emotions.text_units())
    assert [published.names[unit] for unit, _ in code[:3]] == ["Champions", "Hug", "Grumpy"]
    assert code[0][1] == 1 and len(code) == 4 and code[3][1] < 0
    assert not {unit for unit, _ in published.code("mad", without=emotions.text_units())} & set(
        emotions.text_units()
    )
    with pytest.raises(cb.ClipbenchError, match="unknown word 'jelous'; did you mean 'jealous'"):
        published.code("jelous")


def test_units_grow_with_the_published_sparsity():
    sizes = [emotions.published_codes(level).sizes.sum() for level in ("10", "20", "30", "40")]
    assert sizes == [33, 192, 395, 591]
    with pytest.raises(cb.ClipbenchError, match="unknown sparsity '50'"):
        emotions.published_codes("50")


def test_the_wheel_has_its_place_and_colour_for_every_word():
    discs = wheel()
    assert len({(disc.row, disc.column) for disc in discs}) == len(discs) == 121
    pure = next(i for i, one in enumerate(records.record("emotions")["atlas"]) if one["word"] == "helpless")
    alone = 255 * np.array(colorsys.hsv_to_rgb(91 / 360, 0.7, 1))  # one factor has its own hue
    assert discs[pure].colour == pytest.approx(alone, abs=0.51)
    figure = cb.figures.emotion_wheel(emotions.published_codes())
    assert figure.layout.dragmode == "zoom" and len(figure.data[0].x) == 121
    with pytest.raises(cb.ClipbenchError, match="codes lack 'fearful'"):
        found = emotions.published_codes()
        wheel(emotions.Codes(found.layer, ("happy",), found.weights[:1], {}, found.provenance))


def test_factors_are_found_in_codes_that_have_them():
    """Words of one unit share a colour, words of different units do not."""
    published = emotions.published_codes()
    words = [disc.word for disc in wheel()]
    group = np.repeat(np.arange(7), (9, 11, 13, 15, 19, 24, 30))
    weights = np.zeros((121, 2560))
    weights[np.arange(121), group] = 1
    made = emotions.Codes("layer4", tuple(words), weights, {}, published.provenance)
    colours = np.array([disc.colour for disc in wheel(made)])
    middles = np.stack([colours[group == number].mean(axis=0) for number in range(7)])
    assert np.abs(colours - middles[group]).max() < 5
    apart = np.abs(middles[:, None] - middles).max(axis=2)
    assert apart[~np.eye(7, dtype=bool)].min() > 40


def test_bars_of_a_code_tell_unit_name_and_sign():
    published = emotions.published_codes()
    figure = cb.figures.codes(published, ["jealous", "surprised"], emotions.text_units())
    bars = figure.data[0]
    assert figure.layout.yaxis.ticktext[0] == "jealous = 767 Champions" and bars.text[0] == "+1.00"
    assert {
        x > 0 for x, colour in zip(bars.x, bars.marker.color, strict=True) if colour == cb.figures.TICK
    } == {True}
