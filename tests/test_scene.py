""" "Fool it" without a browser: its address, its command, and the shipped example."""

import json
import shlex
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

import clipbench as cb
from clipbench.cli import main
from clipbench.stimuli import sample
from widgets import scene
from widgets.scene import Scene


@pytest.fixture
def example():
    return scene.example()


@pytest.fixture(scope="module")
def model():
    return cb.load("mini", device="cpu")


def on_photo(chosen: Scene):
    photo = sample(chosen.photo)
    return chosen.on(photo.image, photo.name, str(photo.path))


def test_the_example_flips_as_its_file_says(example, model):
    told = json.loads(scene.EXAMPLE.read_text())
    result = on_photo(example).judge(model)
    assert told["provenance"]["weights_hash"] == model.weights_hash, "run scripts/make_typographic_example.py"
    for moment in ("before", "after"):
        shares = dict(zip(result.labels, getattr(result, moment).tolist(), strict=True))
        assert shares == pytest.approx(told[moment], abs=0.01)
    assert result.winners == (example.photo, example.text)
    assert on_photo(example).cover == pytest.approx(told["cover"], abs=1e-4)


def test_with_random_weights_nothing_flips(example):
    result = on_photo(example).judge(cb.load("mini/random", device="cpu"))
    assert abs(result.after - result.before).max() < 0.05  # all labels are about as likely, before and after


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"label": "printed", "size": 40 / 288, "opacity": 0.5},
        {"text": "-- “x” & y=é", "size": 0.7, "x": 0.25, "y": 1.0, "labels": ("apple", "iPod nano")},
    ],
)
def test_address_and_command_say_all_of_it(example, model, capsys, changes):
    chosen = replace(example, **changes)
    query = dict(parse_qsl(chosen.query()))
    again = Scene.from_query(query, default=replace(example, text="other", labels=("other",)))
    assert again == replace(chosen, size=pytest.approx(chosen.size, rel=0.01))
    drawing = on_photo(chosen)
    program, *arguments = shlex.split(drawing.command("mini"))
    assert program == "clipbench" and main([*arguments, "--json", "--device", "cpu"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)["images"]
    result = drawing.judge(model)
    shares = {row["label"]: (row["before"], row["after"]) for row in entry["labels"]}
    wanted = zip(result.labels, zip(result.before.tolist(), result.after.tolist(), strict=True), strict=True)
    assert shares == {label: pytest.approx(pair, abs=1e-4) for label, pair in wanted}
    assert entry["cover"] == pytest.approx(drawing.cover)


def test_keys_that_are_missing_or_of_other_panels_change_nothing(example):
    assert Scene.from_query({"unit": "conv_head:1", "tab": "fool", "photo": ""}, example) == example


def test_a_kind_of_label_comes_with_its_size(example):
    assert Scene.from_query({"label": "printed"}, example).size == pytest.approx(20 / 288)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"photo": "aple"}, "unknown sample photo 'aple'; did you mean 'apple'"),
        ({"label": "papr"}, "did you mean 'paper'"),
        ({"size": "large"}, "size=large in the address cannot be; write a number from 0.02 to 1"),
        ({"x": "1.5"}, "x=1.5"),
        ({"opacity": "nan"}, "opacity=nan"),
    ],
)
def test_an_address_that_cannot_be(example, query, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        Scene.from_query(query, example)


def test_what_is_on_a_photo_is_among_the_labels_while_it_is_there(example):
    cat = example.with_photo("cat")
    assert cat.labels == ("cat", *example.labels)
    assert cat.with_photo("dog").labels == ("dog", *example.labels)
    assert cat.with_photo("laptop").labels == example.labels


def test_the_text_is_asked_for_too(example):
    assert example.asked == example.labels
    assert replace(example, text=" ipod").asked == example.labels
    assert replace(example, text="rifle").asked == (*example.labels, "rifle")
    assert replace(example, labels=("",)).asked == ("",)  # the complaint is about the labels, then


def test_labels_are_split_where_commas_are():
    assert scene.split("apple, a big  dog\nmug,") == ("apple", "a big  dog", "mug")
    assert scene.split("apple,,mug") == ("apple", "", "mug")
