"""The recipe of the feature panel: its address, and the command that makes the same picture again."""

import shlex
from dataclasses import replace
from urllib.parse import parse_qsl

import numpy as np
import pytest
import torch
from PIL import Image

import clipbench as cb
from clipbench.cli import main
from clipbench.optvis.denoiser import WEIGHTS
from clipbench.optvis.faces import find_faces
from clipbench.optvis.probes import Facet
from clipbench.results import read_provenance
from clipbench.stimuli import sample
from widgets.ascent import Ascent, read_direction
from widgets.growth import Example, Growth
from widgets.photos import unlabelled
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
    Recipe(unit="conv_head:7", want="label", words="spider", pixels=64),
]
# What the options of the command cannot say, so that it repeats a file.
FURTHER = [
    Recipe(unit="conv_head:7", want="direction", words="7 - 0.5*12"),
    Recipe(unit="conv_head:7", frequency=False, robustness=False, prior=False, photo="cat", rate=0.1),
    Recipe(unit="conv_head:7", canvas="maco", crops=6, noise=0.05, jitter=0),
    Recipe(unit="conv_head:7", decay=1.5, bilateral=0.5, perspective=0.2, colour=0.1, natural=0.1),
    Recipe(unit="conv_head:7", faces="diverse", k=3, diversity=2.0),
    Recipe(unit="conv_head:7", faces="strip", facet="text", strength=5.0),
]


@pytest.fixture(scope="module")
def model():
    return cb.load("mini", device="cpu")


@pytest.mark.parametrize("recipe", RECIPES + FURTHER, ids=Recipe.query)
def test_the_address_says_everything(recipe):
    assert Recipe.from_query(dict(parse_qsl(recipe.query())), PLAIN) == recipe


def test_the_address_is_short_and_readable():
    assert Recipe(unit="conv_head:550@4,4", tv=0.25).query() == "unit=conv_head:550@4,4&tv=0.25"


def test_keys_of_other_panels_are_left_alone():
    assert Recipe.from_query({"tab": "fool", "text": "iPod", "size": "0.3"}, PLAIN) == PLAIN


@pytest.mark.parametrize(
    "query", [{"steps": "many"}, {"tv": "strong"}, {"want": "lots"}, {"canvas": "linen"}, {"faces": "many"}]
)
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


@pytest.mark.parametrize("recipe", FURTHER, ids=Recipe.query)
def test_what_the_options_cannot_say_is_repeated_from_its_file(recipe):
    assert recipe.command("mini", 2).startswith(f"clipbench visualize --like {recipe.name}.png")


def test_two_recipes_say_how_they_differ():
    other = replace(PLAIN, tv=0.01, photo="cat").without("robustness")
    assert PLAIN.difference(other) == "tv 0.01, robustness off, photo cat"
    assert other.difference(PLAIN) == "tv 0, robustness on, photo none"
    assert PLAIN.difference(PLAIN) == ""


# what a recipe comes to


def test_a_family_that_is_switched_off_does_nothing(tiny):
    full = Recipe(unit="layer3:1", tv=0.01, noise=0.1, pixels=64)
    bare = Ascent(full.without("frequency").without("robustness").without("prior"), tiny)
    assert str(bare.parametrization) == "pixel(64 px)"
    assert (bare.transforms, bare.regularizers, bare.prior) == ((), (), None)
    ascent = Ascent(full, tiny)
    assert str(ascent.parametrization) == "fft(64 px, decay 1)" and len(ascent.transforms) == 5
    assert [str(each) for each in ascent.regularizers] == ["tv 0.01"] and ascent.prior is None


@pytest.mark.skipif(not WEIGHTS.exists(), reason="the denoiser has not been trained")
def test_the_learned_prior_can_be_switched_off(tiny):
    full = Recipe(unit="layer3:1", natural=0.1)
    assert "0.1 of the way to" in Ascent(full, tiny).provenance(1).recipe
    assert Ascent(full.without("prior"), tiny).prior is None


def test_macos_views_are_those_of_the_library(tiny):
    recipe = Recipe(unit="layer3:1", canvas="maco", jitter=0, scale=0, rotate=0, noise=0.05, crops=6)
    views = Ascent(recipe, tiny).transforms
    still = {str(each) for each in cb.transforms.standard(0, 0, 0)}
    assert {str(each) for each in views} - still == {str(each) for each in cb.transforms.maco()}
    assert "NAdam 1," in Ascent(recipe, tiny).provenance(4).recipe


def test_each_choice_of_faces_paints_as_many_pictures(tiny):
    for faces, n in (("one", 1), ("diverse", 3), ("of photos", 3)):
        recipe = Recipe(unit="layer3:1", faces=faces, k=3, pixels=64, steps=1)
        growth = Growth(recipe, lambda: tiny)
        assert all(step.images.shape == (n, 3, 64, 64) for step in growth.grow())
        assert growth.provenance(1).n == n


def test_faces_of_photos_start_from_the_mean_of_photos(tiny):
    recipe = Recipe(unit="layer3:1", faces="of photos", k=2, pixels=64)
    ascent = Ascent(recipe, tiny)
    photos = [photo.image for photo in unlabelled()]
    found = find_faces(tiny, cb.objectives.channel("layer3", 1), photos, k=2)
    start = next(ascent.steps()).images.permute(0, 2, 3, 1) * 255
    np.testing.assert_allclose(start, found.starts, atol=1.1)  # a level of rounding, and black is never quite


def test_a_photo_whose_features_are_wanted_is_no_start(tiny):
    ascent = Ascent(Recipe(unit="layer3:1", want="inversion", photo="cat", pixels=64), tiny)
    assert ascent.objective == cb.objectives.inversion("layer3", sample("cat").image)
    assert str(ascent.parametrization) == "fft(64 px, decay 1)"
    assert ascent.provenance(1).unit == "layer3"


def test_a_facet_of_ones_own_leans_the_objective(tiny):
    facet = Facet("mine", {"layer1": torch.ones(tiny.layer("layer1").channels)})
    recipe = Recipe(unit="layer3:1", faces="strip", k=3, strength=5.0, own_facet=facet)
    ascent = Ascent(recipe, tiny)
    expected = cb.objectives.faceted(cb.objectives.channel("layer3", 1), facet, [0.1, 2.55, 5.0])
    assert ascent.objective == expected


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"faces": "facet"}, "no facet is shipped for tiny"),
        ({"photo": "cat", "canvas": "maco"}, "cannot start from a photo"),
        ({"photo": "dogg"}, "dogg"),
        ({"want": "text", "words": "spider"}, "no text tower"),
        ({"want": "caricature"}, "caricature is of a photo; choose one under Start"),
        ({"want": "inversion", "photo": "cat", "faces": "of photos"}, "are found for a unit"),
        ({"unit": "FIRST:1", "faces": "diverse"}, "has no layer before it to tell faces apart"),
    ],
)
def test_what_cannot_be_painted_is_told(tiny, changes, told):
    recipe = replace(Recipe(unit="layer3:1", pixels=64), **changes)
    recipe = replace(recipe, unit=recipe.unit.replace("FIRST", next(iter(tiny.layers))))
    growth = Growth(recipe, lambda: tiny)
    with pytest.raises(cb.ClipbenchError, match=told):
        next(growth.grow())


def test_a_direction_is_a_sum_of_channels():
    assert read_direction("1 + 2*3 - 0.5*0", "layer", 5) == [-0.5, 1.0, 0.0, 2.0, 0.0]
    assert read_direction("-2", "layer", 3) == [0.0, 0.0, -1.0]
    for text in ("", "1 2", "1 +", "x", "1.5", "1 - 1"):
        with pytest.raises(cb.ClipbenchError, match="is no direction"):
            read_direction(text, "layer", 5)
    with pytest.raises(cb.ClipbenchError, match="no channel 9"):
        read_direction("1 + 9", "layer", 5)


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
    found = {"trust": ["keeps half"], "photos": [["cat", 1.5]], "asked": 64}
    growth.save(tmp_path / "new", [("spider", 0.5)], found)
    example = Example(tmp_path / "new")
    assert (example.recipe, example.values, example.numbers) == (growth.recipe, growth.values, [0, 4])
    assert example.likely == [("spider", 0.5)] and example.found == found
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
