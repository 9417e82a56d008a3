"""Flags and monuments in the eyes of a unit, against what the model says when it is asked directly."""

from dataclasses import replace

import numpy as np
import pytest

import clipbench as cb
from clipbench.results import Provenance
from clipbench.stimuli.emoji import flags
from clipbench.studies.country_units import CountryUnits
from clipbench.studies.picture_rows import Row
from clipbench.studies.region_pictures import RegionAnswers, region_answers
from clipbench.studies.written_names import Names

ASKED = ("Fiji", "Peru", "Japan", "Suva")  # a city has no flag


@pytest.fixture(scope="module")
def answers(tiny) -> RegionAnswers:
    *steps, last = region_answers(tiny, ASKED, tiny.last_layer)
    done = [step.done for step in steps]
    assert done == sorted(done) and {step.total for step in steps} >= {last.total}
    assert last.done == last.total == last.result.provenance.n == 2 * 4 + 3 + 18
    return last.result


def test_each_row_is_what_the_layer_says_to_its_pictures(tiny, answers):
    own, monuments = answers.rows
    assert set(own.names) == set(ASKED) - {"Suva"}
    assert {"Eiffel Tower", "Nagoya Castle", "Taj Mahal"} <= set(monuments.names)
    for row in answers.rows:
        direct = tiny.activations(list(row.images), tiny.last_layer).amax(dim=(2, 3)).numpy()
        np.testing.assert_allclose(row.answers, direct, atol=1e-5)
    japan = next(flag for flag in flags() if flag.name == "Japan")
    assert own.images[own.names.index("Japan")].tobytes() == japan.image.tobytes()


def test_the_first_pictures_are_the_strongest_in_sd_of_their_row(answers):
    row, unit = answers.monuments, 3
    values = row.answers[:, unit].astype(float)
    names, images, sds = zip(*row.top(unit, 4), strict=True)
    assert names == tuple(row.names[place] for place in sorted(range(18), key=lambda i: -values[i])[:4])
    assert images[0] is row.images[row.names.index(names[0])]
    assert sds[0] == pytest.approx((values.max() - values.mean()) / values.std())


def test_the_flag_of_the_unit_s_first_country_is_placed_among_all():
    told = Provenance("made up", "", "made up", seed=0, n=1)
    names = Names("layer", ("Fiji", "Paris", "Japan", "Peru"), np.array([[1.0], [9], [2], [0]]), told)
    flag, name = np.array([[7.0], [5], [6]]), np.array([[1.0], [2], [0]])
    countries = CountryUnits("layer", ("Fiji", "Japan", "Peru"), flag, name, told)
    found = RegionAnswers(names, countries, Row("monuments", (), (), np.zeros((0, 1))), told)
    assert found.standing(0).endswith("to the name Japan; that country's flag stands at place 3 of 3.")
    asked = ("United States of America", "Fiji", "Japan", "Peru")
    lacking = replace(found, names=Names("layer", asked, np.array([[5.0], [1], [2], [0]]), told))
    assert lacking.standing(0).startswith("There is no flag here of United States of America. Of the 3")
    silent = replace(found, countries=replace(countries, names=np.ones((3, 1))))
    assert silent.standing(0) == "Unit 0 answers the same to every country's name."


def test_a_unit_that_never_fires_and_one_that_is_not_there(answers):
    own, _ = answers.rows
    silent = Row("flags", ("Fiji", "Peru"), own.images[:2], np.zeros((2, 1)))
    assert [sds for _, _, sds in silent.top(0)] == [0, 0]
    with pytest.raises(cb.ClipbenchError, match="channel 9999"):
        own.top(9999)
    with pytest.raises(cb.ClipbenchError, match="channel 9999"):
        answers.standing(9999)


def test_names_without_a_flag_are_refused(tiny):
    with pytest.raises(cb.ClipbenchError, match="none of the names is a country with a flag"):
        next(region_answers(tiny, ["Atlantis"], tiny.last_layer))


def test_the_figure_has_a_name_and_an_answer_below_each_picture(answers):
    figure = cb.figures.picture_rows(answers.rows, 3)
    assert len(figure.layout.images) == 3 + 5
    texts = [note.text.replace("<br>", " ") for note in figure.layout.annotations]
    (name, _, sds), *_ = answers.monuments.top(3, 1)
    assert {"flags", "monuments", f"{name} {sds:+.1f} sd"} <= set(texts)
