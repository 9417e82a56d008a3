"""The shipped denoiser: what its form promises, what it does to photos it was not trained on, its recipe."""

import importlib
import json
import sys
from pathlib import Path

import pytest
import torch
from torchvision.transforms.functional import pil_to_tensor, resize

import clipbench as cb
from clipbench.optvis.denoiser import WEIGHTS, Denoiser, Shipped
from clipbench.optvis.filters import bilateral5
from clipbench.optvis.parametrizations import frequency_grid

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture
def recipe(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module("train_denoiser")


@pytest.fixture(scope="module")
def photos():
    """Twelve shipped photos, none of which it was trained on: (12, 3, 96, 96)."""
    images = [resize(sample.image, [96, 96]) for sample in cb.samples()[9:33:2]]
    return torch.stack([pil_to_tensor(image) for image in images]).float() / 255


def error(images, truth):
    return float((images - truth).square().mean())


# its form


@torch.no_grad()
def test_without_biases_it_scales_with_its_input_and_leaves_grey_alone():
    """A network of convolutions and ReLUs without biases is homogeneous: f(s x) = s f(x) for s > 0."""
    network = Denoiser()
    picture = torch.rand(2, 3, 37, 50, generator=torch.Generator().manual_seed(0)) - 0.5
    once, thrice = network(picture + 0.5) - 0.5, network(3 * picture + 0.5) - 0.5
    assert once.shape == picture.shape and not torch.equal(once, picture)
    torch.testing.assert_close(thrice, 3 * once, atol=1e-5, rtol=1e-4)
    grey = torch.full((1, 3, 16, 16), 0.5)
    torch.testing.assert_close(network(grey), grey)


# what is shipped


def test_it_is_small_and_says_how_it_was_made():
    told = json.loads(WEIGHTS.with_suffix(".json").read_text(encoding="utf-8"))
    assert WEIGHTS.stat().st_size < 4 * 2**20
    assert told["weights"] == Shipped().digest and told["steps"] > 0 and told["photos"]
    assert all(row["denoiser"] > row["noisy"] for row in told["PSNR in dB"])


@pytest.mark.parametrize("strength", [0.1, 0.2])
def test_it_takes_most_of_the_noise_from_photos_it_has_not_seen(photos, strength):
    noise = strength * torch.randn(photos.shape, generator=torch.Generator().manual_seed(1))
    noisy = photos + noise
    restored = Shipped()(noisy)
    assert error(restored, photos) < 0.5 * error(noisy, photos)
    assert error(restored, photos) < error(bilateral5(noisy), photos)  # a filter that has learnt nothing


def test_it_leaves_a_photo_nearer_to_itself_than_noise_would(photos):
    assert error(Shipped()(photos), photos) < 0.1**2 / 2


def test_as_a_prior_it_moves_a_painted_picture_towards_photos(tiny):
    """A picture painted with it is closer to what it makes of the picture than one painted without."""
    settings = {"transforms": (), "steps": 24, "parametrization": cb.parametrizations.pixel(48)}
    unit = cb.objectives.channel("layer2", 3)
    changes = []
    for prior in (None, cb.priors.denoiser(0.3)):
        *_, step = cb.visualize(tiny, unit, prior=prior, **settings)
        changes.append(error(Shipped()(step.images), step.images))
    assert changes[1] < 0.7 * changes[0]


def test_strength_0_is_no_prior_to_the_bit(tiny):
    settings = {"transforms": (), "steps": 3, "parametrization": cb.parametrizations.fft(32)}
    unit = cb.objectives.channel("layer2", 3)
    with_it, without = (
        [step.images for step in cb.visualize(tiny, unit, prior=prior, **settings)]
        for prior in (cb.priors.denoiser(0), None)
    )
    assert all(map(torch.equal, with_it, without))


def test_a_recipe_names_its_weights_and_other_weights_are_refused():
    prior = cb.priors.denoiser(0.05)
    assert str(prior) == f"0.05 of the way to denoiser {Shipped().digest[:8]}"
    with pytest.raises(cb.ClipbenchError, match="'?0123456789ab'? is not the one of this clipbench"):
        Shipped("0123456789ab")


# how it is made


def test_the_noise_has_the_strength_and_a_spectrum_that_falls(recipe):
    strengths = torch.linspace(0.03, 0.3, 64)
    noise = recipe.noise(strengths, torch.Generator().manual_seed(0))
    torch.testing.assert_close(noise.flatten(1).std(dim=1), strengths, atol=1e-4, rtol=1e-3)
    power = torch.fft.rfft2(noise).abs().square().mean(dim=(0, 1))
    grid = frequency_grid(recipe.CROP)
    low, high = power[(grid > 0) & (grid < 0.1)].mean(), power[grid > 0.4].mean()
    assert low > 3 * high  # white noise would have them equal
    spread = torch.cov(noise.transpose(0, 1).flatten(1))
    assert spread[0, 1] > 0.2 * spread[0, 0]  # half of it is in the colours of photos, which go together


def test_the_recipe_learns_resumes_and_writes_what_is_shipped(recipe, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "photos"
    folder.mkdir()
    for sample in cb.samples()[:12]:
        sample.image.resize((80, 80)).save(folder / f"{sample.name}.png")
    weights = tmp_path / "denoiser.safetensors"
    monkeypatch.setattr(recipe, "WEIGHTS", weights)
    monkeypatch.setattr(recipe, "SHOWN", 4)
    monkeypatch.setattr(recipe, "BATCH", 4)
    arguments = ["train_denoiser", str(folder), "--steps", "12", "--out", str(tmp_path / "run")]
    monkeypatch.setattr(sys, "argv", arguments)
    recipe.main()
    told = json.loads(weights.with_suffix(".json").read_text())
    assert told["photos"] == {"photos": 10} and told["steps"] == 12  # two of twelve are held out
    first = weights.read_bytes()
    recipe.main()  # from its checkpoint, which is at the end
    assert weights.read_bytes() == first
    assert "step 12: error" in capsys.readouterr().out
