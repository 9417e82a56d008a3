"""Faces, bodies and words in the eyes of a unit, against what the model says when it is asked directly."""

from dataclasses import replace

import numpy as np
import pytest

import clipbench as cb
from clipbench.results import Provenance
from clipbench.stimuli.emoji import bodies, faces
from clipbench.studies.emotions import wheel_words
from clipbench.studies.feeling_rows import FeelingRows, feeling_rows
from clipbench.studies.picture_rows import Row

TOLD = Provenance("made up", "", "made up", n=1)


@pytest.fixture(scope="module")
def rows(untaught) -> FeelingRows:
    *steps, last = feeling_rows(untaught)
    done = [step.done for step in steps]
    assert done == sorted(done) and {step.total for step in steps} == {last.total}
    assert last.done == last.total == last.result.provenance.n == 2 * 126 + 99 + 63
    return last.result


def test_each_row_is_what_the_layer_says_to_its_pictures(untaught, rows):
    for row, shown in ((rows.faces, faces()), (rows.bodies, bodies())):
        assert row.names == tuple(one.name for one in shown)
        direct = untaught.activations([one.image for one in shown], untaught.last_layer)
        np.testing.assert_allclose(row.answers, direct.amax(dim=(2, 3)).numpy(), atol=1e-5)
    assert rows.words.names == wheel_words() and len(rows.words.images) == 126
    assert {word for own in rows.shows for word in own} <= set(wheel_words())


def test_bodies_have_no_face_and_are_no_faces():
    assert len(bodies()) == 63 and not {one.name for one in bodies()} & {one.name for one in faces()}
    assert {"thumbs up", "person shrugging", "raised fist"} <= {one.name for one in bodies()}


def test_the_faces_of_the_word_that_a_unit_likes_most_are_placed_among_all():
    """ "glad" is liked more, but no face shows it; of "sad" faces 1 and 2 stand at places 4 and 2."""
    images = (None,) * 4
    words = Row("words", ("glad", "sad", "mad"), images[:3], np.array([[9.0], [2], [1]]))
    drawn = Row("faces", ("a", "b", "c", "d"), images, np.array([[5.0], [1], [4], [3]]))
    shows = (("mad",), ("sad",), ("sad", "mad"), ())
    found = FeelingRows("layer", drawn, drawn, words, shows, TOLD)
    assert found.median_place(0) == ("sad", 2, 3.0)
    told = found.standing(0)
    assert "Of the 2 words" in told and "most to 'sad'; of its 2 faces" in told and "place 3 of 4" in told
    with pytest.raises(cb.ClipbenchError, match="channel 1"):
        found.standing(1)
    silent = replace(found, words=replace(words, answers=np.zeros((3, 1))))
    assert silent.standing(0) == "Unit 0 answers the same to every word."


def test_with_random_weights_the_faces_of_a_unit_s_word_stand_in_the_middle(rows):
    units = range(rows.words.answers.shape[1])
    places = [rows.median_place(unit)[2] / len(rows.shows) for unit in units]
    assert np.mean(places) == pytest.approx(0.5, abs=0.1)


def test_the_figure_has_three_rows_whose_names_do_not_overlap(rows):
    figure = cb.figures.picture_rows(rows.rows, 3)
    assert len(figure.layout.images) == 3 * 5
    tops = sorted({image.y for image in figure.layout.images})
    lines = [note.text.count("<br>") + 1 for note in figure.layout.annotations if "sd" in note.text]
    for below, above, count in zip(tops[1:], tops, (max(lines[:5]), max(lines[5:10])), strict=False):
        assert below - above >= 76 + 14 * count - 1
