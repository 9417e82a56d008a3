"""The Stroop test: against the article's record, and answers that are known beforehand."""

import re

import numpy as np
import pytest

import clipbench as cb
from clipbench.attacks import Stroop
from clipbench.attacks.published import RECORDS, stroop_record
from clipbench.attacks.stroop_effect import INKS, WORDS, picture
from clipbench.figures.style import CROSS, TICK


def answering(choose) -> Stroop:
    """A model that is sure of choose(ink, word)."""
    table = [[np.eye(8)[INKS.index(choose(ink, word))] for word in WORDS] for ink in INKS]
    return Stroop(np.array(table, np.float32), cb.Provenance("stub", "0", "by hand", n=64))


def reader(ink, word):
    return word if word in INKS else ink


def hits(result):
    return tuple(getattr(result, name).hits for name in ("neutral", "congruent", "word", "ink"))


def test_the_article_s_model_reads_the_word_in_all_conflicts():
    result = stroop_record(RECORDS / "stroop_experiment.json")
    assert hits(result) == (8, 7, 49, 0)
    assert [getattr(result, name).n for name in ("neutral", "congruent", "word", "ink")] == [8, 7, 49, 49]
    assert result.counts and "with the word in 49 of 49" in result.summary
    assert np.allclose(result.probabilities.sum(axis=2), 1, atol=1e-3)
    assert result.probabilities[0, 1, 1] == pytest.approx(0.98927617)  # the word red in black ink


def test_whoever_reads_and_whoever_looks():
    assert hits(answering(reader)) == (8, 7, 49, 0)
    assert hits(answering(lambda ink, word: ink)) == (8, 7, 0, 49)


def test_without_a_sense_of_colour_nothing_counts():
    blind = answering(lambda ink, word: word if word in INKS else "red")
    assert hits(blind) == (1, 7, 49, 0)
    assert not blind.counts and "does not show the Stroop effect" in blind.summary
    six = answering(
        lambda ink, word: "red" if word == "example" and ink in ("blue", "pink") else reader(ink, word)
    )
    five = answering(
        lambda ink, word: (
            "red" if word == "example" and ink in ("blue", "pink", "black") else reader(ink, word)
        )
    )
    assert (six.counts, five.counts) == (True, False)
    slip = answering(lambda ink, word: "red" if word == ink == "blue" else reader(ink, word))
    assert slip.congruent.hits == 6 and not slip.counts


def test_any_model_gives_a_whole_table(chaos, tmp_path):
    result = cb.stroop(chaos)
    assert result.probabilities.shape == (8, 8, 8)
    assert np.allclose(result.probabilities.sum(axis=2), 1, atol=1e-5)
    pictures = [picture(ink, word, chaos.image_size) for ink in INKS[:2] for word in WORDS]
    template = "my favorite word, written in the color {}"
    expected = cb.zero_shot(chaos, pictures, INKS, template).numpy()
    assert np.allclose(result.probabilities[:2].reshape(16, 8), expected, atol=1e-4)
    again = Stroop.load(result.save(tmp_path / "x.npz"))
    assert np.array_equal(again.probabilities, result.probabilities)
    assert again.provenance == result.provenance and again.provenance.n == 64


def test_a_word_is_in_its_ink_and_fades():
    full, half = (np.asarray(picture("red", "blue", 96, opacity)).astype(int) for opacity in (1, 0.5))
    assert (full.reshape(-1, 3).min(axis=0) == (255, 0, 0)).all() and full.max() == 255
    assert np.abs(half - (full + 255) / 2).max() <= 1
    assert (np.asarray(picture("red", "blue", 96, 0)) == 255).all()


def test_bad_input(chaos, control, tmp_path):
    with pytest.raises(cb.ClipbenchError, match="has no text tower"):
        cb.stroop(control)
    with pytest.raises(cb.ClipbenchError, match="opacity must be"):
        cb.stroop(chaos, opacity=2)
    (tmp_path / "x.npz").write_bytes(b"")
    with pytest.raises(cb.ClipbenchError, match="is not a Stroop test"):
        Stroop.load(tmp_path / "x.npz")
    with pytest.raises(cb.ClipbenchError, match="no record of the article"):
        stroop_record(tmp_path / "x.npz")


def test_the_figure_has_each_word_in_its_ink_and_marks_the_answer():
    figure = cb.figures.stroop(answering(lambda ink, word: reader(ink, word) if ink == "red" else ink))
    notes = figure.layout.annotations
    assert len(notes) == 2 * 64
    words = [note for note in notes if note.yshift > 0]
    assert [re.sub("<.*?>", "", note.text) for note in words] == list(WORDS) * 8
    assert [note.font.color for note in words] == [ink for ink in INKS for _ in WORDS]
    answers = [note for note in notes if note.yshift < 0]
    assert "blue<br>100\xa0%" in answers[8 + 3].text  # red ink, WORDS[3]
    colours = [note.font.color for note in answers]
    conflicts_in_red = sum(word not in ("example", "red") for word in WORDS)
    assert colours.count(CROSS) == conflicts_in_red == 6 and colours.count(TICK) == 64 - 6
