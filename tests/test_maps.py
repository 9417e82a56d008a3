"""The three maps of a photo against the plain road: activations of the model, one by one."""

import numpy as np
import pytest
from PIL import Image

import clipbench as cb
from clipbench.studies import Maps, maps

LAYER = "conv_head"


@pytest.fixture(scope="module")
def model():
    return cb.load("mini", device="cpu")


@pytest.fixture(scope="module")
def photo():
    return cb.samples()[0].image


@pytest.mark.parametrize("layer", [LAYER, "blocks.3", "embedding"])
def test_the_channel_is_that_of_the_activations(model, photo, layer):
    found = maps(model, photo, f"{layer}:7")
    np.testing.assert_allclose(found.channel, model.activations([photo], layer)[0, 7], atol=1e-5)
    rectified = model.activations([photo], layer, relu=True)[0].numpy()
    np.testing.assert_allclose(found.layer, np.sqrt((rectified**2).mean(axis=0)), atol=1e-5)


def test_the_neuron_is_the_strongest_one_or_the_one_asked_for(model, photo):
    found = maps(model, photo, f"{LAYER}:7")
    assert found.neuron == found.channel.max()
    asked = maps(model, photo, f"{LAYER}:7@0,1")
    assert asked.position == (0, 1) and asked.neuron == asked.channel[0, 1]
    assert asked.provenance.unit == f"{LAYER}:7@0,1"


def test_the_photo_is_shown_as_the_model_sees_it(model):
    wide = Image.new("RGB", (300, 100), "red")
    wide.paste("blue", (100, 0, 200, 100))  # the middle third is what a centre crop leaves
    seen = maps(model, wide, f"{LAYER}:0").photo
    assert seen.shape == (model.image_size, model.image_size, 3)
    assert (np.abs(seen.astype(int) - [0, 0, 255]) <= 1)[:, 8:-8].all()


def test_what_is_saved_comes_back(model, photo, tmp_path):
    found = maps(model, photo, f"{LAYER}:7@1,2")
    found.save(tmp_path / "maps.npz")
    again = Maps.load(tmp_path / "maps.npz")
    for name in ("photo", "channel", "layer"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
    assert (again.position, again.neuron, again.provenance) == ((1, 2), found.neuron, found.provenance)


@pytest.mark.parametrize("unit", ["nowhere:1", f"{LAYER}:99999", f"{LAYER}:1@40,40"])
def test_what_is_not_there_is_refused(model, photo, unit):
    with pytest.raises(cb.ClipbenchError):
        maps(model, photo, unit)
