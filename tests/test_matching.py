""" "What is CLIP?" without a browser: its address, its command, its example, and what it cannot take."""

import json
import shlex
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

import clipbench as cb
from clipbench.cli import main
from clipbench.stimuli import sample
from widgets import matching
from widgets.matching import EXAMPLE, Question
from widgets.photos import Picked


@pytest.fixture(scope="module")
def photos():
    return [Picked(sample(name).image, name, str(sample(name).path), True) for name in EXAMPLE.photos]


def test_in_the_example_each_photo_goes_best_with_its_own_caption(mini, photos):
    assert EXAMPLE.compare(mini, photos).best.tolist() == [0, 1, 2, 3, 4, 5]


def test_labels_are_put_into_the_template(mini, photos):
    question = replace(EXAMPLE, classes=("cat", "bow tie"), sentence="the word {}")
    result = question.classify(mini, photos)
    assert result.texts == ("the word cat", "the word bow tie")
    expected = cb.zero_shot(mini, [photo.image for photo in photos], ["cat", "bow tie"], "the word {}")
    assert result.probabilities == pytest.approx(expected.numpy(), abs=1e-5)


def test_the_address_says_all_of_it():
    chosen = Question(("cat", "Eiffel Tower"), ("a cat, a dog", "x & y=é"), ("cat", "two words"), "the {}!")
    assert Question.from_query(dict(parse_qsl(chosen.query())), EXAMPLE) == chosen


def test_keys_that_are_missing_or_of_other_panels_change_nothing():
    assert Question.from_query({"tab": "what", "labels": "a,b", "photo": "cat"}, EXAMPLE) == EXAMPLE


@pytest.mark.parametrize(
    ("query", "sentence"),
    [({"photos": "cat,aple"}, "did you mean 'apple'"), ({"photos": ",".join(["cat"] * 9)}, "only 8 photos")],
)
def test_an_address_that_cannot_be(query, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        Question.from_query(query, EXAMPLE)


def test_the_command_prints_the_same_predictions(mini, photos, capsys):
    program, *arguments = shlex.split(EXAMPLE.command(photos, "mini"))
    assert program == "clipbench" and main([*arguments, "--json", "--device", "cpu"]) == 0
    told = json.loads(capsys.readouterr().out)["images"]
    for image, shares in zip(told, EXAMPLE.classify(mini, photos).probabilities.tolist(), strict=True):
        printed = {row["label"]: row["before"] for row in image["labels"]}
        assert printed == pytest.approx(dict(zip(EXAMPLE.classes, shares, strict=True)), abs=1e-4)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"captions": ()}, "there is no caption; write at least one"),
        ({"captions": tuple(map(str, range(17)))}, "17 captions are too many"),
        ({"captions": ("a" * 201,)}, "a caption has 201 letters; write at most 200"),
        ({"classes": ("",)}, "there is no label; write at least one"),
        ({"classes": ("mug", "")}, "an empty label"),
        ({"classes": ("mug", "mug")}, "'mug' is there twice"),
        ({"classes": tuple(map(str, range(17)))}, "17 labels are too many"),
        ({"sentence": "a photo"}, "no place for the label"),
        ({"sentence": "{}" + "a" * 300}, "letters; write at most 200"),
    ],
)
def test_words_that_cannot_be_asked_with(mini, photos, changes, sentence):
    ask = Question.compare if "captions" in changes else Question.classify
    with pytest.raises(cb.ClipbenchError, match=sentence):
        ask(replace(EXAMPLE, **changes), mini, photos)


def test_captions_are_lines_and_empty_ones_are_left_out():
    assert matching.lines("a cat, asleep \n\n  a dog\n") == ("a cat, asleep", "a dog")
