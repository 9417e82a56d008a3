"""The controls of the feature panel hold a recipe: what they are given, they say."""

from dataclasses import replace

import pytest

from clipbench.optvis.original import Original
from clipbench.stimuli import sample
from widgets.controls import Controls
from widgets.groups import groups
from widgets.many import Many
from widgets.recipe import Recipe
from widgets.start import Start
from widgets.workbench import Workbench

PLAIN = Recipe(unit="conv_head:7")


@pytest.fixture(scope="module")
def bench():
    bench = Workbench("mini", device="cpu")
    bench.loaded()
    return bench


@pytest.mark.parametrize(
    "recipe",
    [
        PLAIN,
        replace(PLAIN, canvas="maco", jitter=0, scale=0.0, rotate=0.0, crops=6, noise=0.05, rate=0.5),
        replace(PLAIN, frequency=False, robustness=False, want="label", words="spider", photo="cat"),
        replace(PLAIN, faces="diverse", k=3, diversity=2.0, steps=8, seed=3),
    ],
    ids=Recipe.query,
)
def test_controls_say_what_they_were_given(bench, recipe):
    assert Controls(bench, recipe).recipe == recipe


def test_macos_choice_brings_its_views_and_takes_them_away():
    made = groups(PLAIN, prior=False)
    canvas = made["frequency"].controls["canvas"]
    canvas.value = "maco"
    told = made["robustness"].read()
    assert (told["crops"], told["noise"], told["jitter"], told["scale"]) == (6, 0.05, 0, 0)
    canvas.value = "fft"
    assert made["robustness"].read() == {
        "robustness": True,
        **{key: getattr(PLAIN, key) for key in made["robustness"].controls},
    }


def test_there_is_no_group_for_a_prior_that_is_not_there():
    assert [*groups(PLAIN, prior=False)] == ["frequency", "robustness"]
    assert [*groups(PLAIN, prior=True)] == ["frequency", "robustness", "prior"]


def test_an_upload_takes_the_place_of_a_shipped_photo(bench):
    start = Start(replace(PLAIN, photo="cat"))
    assert start.read() == {"photo": "cat", "upload": None}
    start._take(type("Read", (), {"image": sample("dog").image, "name": "mine.jpg"}))
    assert start.read() == {"photo": "", "upload": Original(sample("dog").image)}
    start.choose("bee")
    assert start.read() == {"photo": "bee", "upload": None}


def test_a_facet_is_in_the_recipe_only_where_one_is_wanted(bench):
    many = Many(bench, replace(PLAIN, facet="text"))
    assert many.read()["facet"] == "" and many.read()["own_facet"] is None
