"""Flags, names and faces on made-up answers that are known, and with random weights, where all is chance."""

import numpy as np
import pytest

from clipbench.intervals import usual
from clipbench.results import Provenance
from clipbench.stimuli.emoji import faces, flags
from clipbench.studies.country_units import CountryUnits, country_units
from clipbench.studies.emotions import Codes, wheel_words
from clipbench.studies.feeling_units import FeelingUnits, feeling_units
from clipbench.studies.regions import country_names
from clipbench.studies.standing import among_best, standing

TOLD = Provenance("made up", "0" * 12, "made up", seed=0, n=1)
N = 100


def made_up(units: int, planted: int) -> CountryUnits:
    """Noise, and for every other country up to a number a unit that wants its flag and its name."""
    rng = np.random.default_rng(0)
    flag, name = rng.normal(size=(2, N, units))
    for unit, country in enumerate(range(0, 2 * planted, 2)):
        flag[country, unit], name[country, unit] = 9, 8
    return CountryUnits("layer", tuple(f"country {n}" for n in range(N)), flag, name, TOLD)


def test_standing_is_the_share_that_reaches_an_answer_and_ties_count_against_all():
    answers = np.array([[3.0, 5], [1, 5], [2, 5], [3, 5]])
    assert standing(answers).tolist() == [[0.5, 1], [1, 1], [0.75, 1], [0.5, 1]]
    assert among_best(standing(answers), 0.5)[:, 0].tolist() == [True, False, False, True]


def test_a_planted_unit_is_found_and_no_other():
    found = made_up(units=50, planted=25)
    asked = set(found.asked.tolist())
    planted = {country for country in range(0, 50, 2) if country in asked}
    assert len(asked) == 60 and found.found.n == 60
    assert len(planted) <= found.found.hits <= len(planted) + 3  # 50 units find 1 in 50 by chance
    assert found.unit_of(4) == 2
    assert found.found.hits > usual(found.permuted)[1]
    assert found.found_by_name.hits > usual(found.permuted_by_name)[1]
    assert found.summary.startswith("For 16 of 60 countries (95\xa0% interval 17% to 39%) a unit of layer")


def test_chance_is_what_independent_answers_give():
    """By hand: a unit has a given flag and a given name among its first two of 100 in 4 of 10,000 cases."""
    found = made_up(units=1000, planted=0)
    assert found.permuted.mean() == pytest.approx(60 * (1 - (1 - 4e-4) ** 1000), rel=0.1)
    assert found.permuted_by_name.mean() == pytest.approx(60 * 0.02, rel=0.35)


def test_a_word_is_found_when_half_of_its_faces_are_in_the_best_fifth():
    answers = np.stack([np.arange(10.0), np.arange(10.0), np.zeros(10)], axis=1)
    shows = np.zeros((10, 3), bool)
    shows[[9, 8, 0], 0] = shows[[8, 1, 0], 1] = shows[[0, 1, 2], 2] = True
    found = FeelingUnits("layer", ("glad", "sad", "numb"), (1, 2, -1), shows, answers, TOLD)
    assert found.medians == pytest.approx([0.2, 0.9, 1])
    assert (found.found.hits, found.found.n) == (1, 3)


def test_the_shipped_flags_are_of_the_map_and_the_faces_of_the_wheel():
    assert {flag.name for flag in flags()} <= set(country_names()) and len(flags()) == 159
    assert {word for face in faces() for word in face.shows} <= set(wheel_words())
    assert all(one.image.size == (144, 144) for one in (flags()[0], faces()[0]))


def test_with_random_weights_countries_fall_to_chance(untaught):
    *_, last = country_units(untaught)
    found, (_, high) = last.result, usual(last.result.permuted)
    assert last.done == last.total == 3 * len(flags())
    assert found.found.hits <= high and found.found_by_name.hits <= usual(found.permuted_by_name)[1]


def test_with_random_weights_feelings_fall_to_chance(untaught):
    layer, words = untaught.last_layer, wheel_words()
    weights = np.random.default_rng(0).normal(size=(len(words), untaught.layer(layer).channels))
    found = feeling_units(untaught, Codes(layer, words, weights, {}, TOLD))
    assert len(found.words) > 30
    assert found.found.hits <= np.quantile(found.permuted, 0.999)
