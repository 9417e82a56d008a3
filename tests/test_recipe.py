"""The recipe of the feature panel: its address, and the command that makes the same picture again."""

import shlex
from urllib.parse import parse_qsl

import numpy as np
import pytest
from PIL import Image

import clipbench as cb
from clipbench.cli import main
from clipbench.results import read_provenance
from widgets.growth import Example, Growth
from widgets.pictures import curve, heat, picture
from widgets.recipe import Recipe

PLAIN = Recipe(unit="conv_head:7")
RECIPES = [
    Recipe(unit="conv_head:7", pixels=64),
    Recipe(
        unit="blocks.4:3", pixels=64, tv=0.01, l1=0.002, l2=0.1, blur=0.5, jitter=4, scale=0.05, rotate=3.0
    ),
    Recipe(unit="blocks.4:3@1,2", want="neuron", pixels=64, seed=5),
    Recipe(unit="blocks.4:3", want="neuron", pixels=64),
    Recipe(unit="blocks.4:3@1,2", want="channel", pixels=64),
    Recipe(unit="blocks.4:3", want="layer", pixels=64),
    Recipe(unit="conv_head:7", want="text", words='a "spider" & web', pixels=64),
]


@pytest.fixture(scope="module")
def model():
    return cb.load("mini", device="cpu")


@pytest.mark.parametrize("recipe", RECIPES, ids=Recipe.query)
def test_the_address_says_everything(recipe):
    assert Recipe.from_query(dict(parse_qsl(recipe.query())), PLAIN) == recipe


def test_the_address_is_short_and_readable():
    assert Recipe(unit="conv_head:550@4,4", tv=0.25).query() == "unit=conv_head:550@4,4&tv=0.25"


def test_keys_of_other_panels_are_left_alone():
    assert Recipe.from_query({"tab": "fool", "text": "iPod", "size": "0.3"}, PLAIN) == PLAIN


@pytest.mark.parametrize("query", [{"steps": "many"}, {"tv": "strong"}, {"want": "lots"}])
def test_a_wrong_address_is_told(query):
    with pytest.raises(cb.ClipbenchError):
        Recipe.from_query(query, PLAIN)


@pytest.mark.parametrize("recipe", RECIPES, ids=Recipe.query)
def test_the_command_makes_the_same_picture(recipe, model, tmp_path, monkeypatch, capsys):
    growth = Growth(recipe, lambda: model)
    steps = {step.number: step for step in take(growth, 3)}
    monkeypatch.chdir(tmp_path)
    program, *arguments = shlex.split(recipe.command("mini", 2))
    assert program == "clipbench"
    assert main([*arguments, "--device", "cpu"]) == 0
    (file,) = tmp_path.iterdir()
    with Image.open(file) as written:
        np.testing.assert_array_equal(np.asarray(written), np.asarray(picture(steps[2])))
    told, own = read_provenance(file), growth.provenance(2)
    assert (told.recipe, told.seed, told.weights_hash) == (own.recipe, own.seed, own.weights_hash)


def take(growth, count):
    steps = growth.grow()
    return [next(steps) for _ in range(count)]


def test_a_growth_that_stops_and_goes_on_is_the_same_as_one_in_one_go(model):
    recipe = Recipe(unit="conv_head:7", pixels=64, steps=6)
    whole, parts = Growth(recipe, lambda: model), Growth(recipe, lambda: model)
    *_, last = whole.grow()
    take(parts, 3)
    *_, last_of_parts = parts.grow()
    assert (last_of_parts.number, parts.missing) == (6, 0)
    assert parts.values == whole.values and len(parts.values) == 7
    np.testing.assert_array_equal(picture(last), picture(last_of_parts))
    parts.extend()
    assert [step.number for step in parts.grow()] == [7, 8, 9, 10, 11, 12]


def test_a_growth_keeps_the_pictures_of_some_steps(model):
    growth = Growth(Recipe(unit="conv_head:7", pixels=64, steps=20), lambda: model)
    seen = {step.number: picture(step) for step in growth.grow()}
    assert growth.numbers == [0, 4, 16]
    np.testing.assert_array_equal(growth.image(4), seen[4])
    assert "4 steps" in growth.provenance(4).recipe


def test_what_is_saved_is_an_example(model, tmp_path):
    growth = Growth(Recipe(unit="conv_head:7", pixels=64, steps=4), lambda: model)
    list(growth.grow())
    growth.save(tmp_path / "new", [("spider", 0.5)])
    example = Example(tmp_path / "new")
    assert (example.recipe, example.values, example.numbers) == (growth.recipe, growth.values, [0, 4])
    assert example.likely == [("spider", 0.5)]
    assert example.provenance(4) == growth.provenance(4)
    np.testing.assert_array_equal(example.image(4), growth.image(4))


def test_the_largest_value_of_a_map_is_yellow_and_the_smallest_blue():
    colours = np.asarray(heat(np.array([[0.0, 1.0], [0.5, 0.5]])))
    assert colours[0, 0].tolist() == [0, 32, 77]
    assert colours[0, -1].tolist() == [255, 234, 70]
    assert np.asarray(heat(np.zeros((2, 2)))).std(axis=(0, 1)).max() == 0  # nothing to tell apart


def test_a_curve_says_in_words_what_it_draws():
    svg = curve([1.0, 4.0, 3.0], "<b>value")
    assert "&lt;b&gt;value: 1 at first, 3 now, at most 4" in svg
    assert 'points="0.0,54.0 192.0,2.0 384.0,19.3"' in svg
