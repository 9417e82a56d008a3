"""Ways to write a picture, each against its definition written out in numpy or plain torch."""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate
from torchvision.transforms.functional import to_pil_image

import clipbench as cb
from clipbench.optvis.original import Original
from clipbench.optvis.parametrizations import COLOUR
from clipbench.optvis.parametrizations.base import mix, unmix
from clipbench.optvis.parametrizations.spectrum import mean_spectrum, photo_spectrum, resampled

parametrizations = cb.parametrizations
fft, pixel = parametrizations.fft, parametrizations.pixel
CPU = torch.device("cpu")
UNIT = cb.objectives.channel("layer2", 3)


def started(parametrization, seed=0):
    return parametrization.start(CPU, torch.Generator().manual_seed(seed))


def random_pictures(n=1, size=24, seed=1):
    return torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def photo():
    return to_pil_image(random_pictures(size=30)[0])


ALL = {
    "fft": lambda: fft(32, 2),
    "pixel": lambda: pixel(32, 2),
    "laplacian": lambda: parametrizations.laplacian(32, 2),
    "lowres": lambda: parametrizations.lowres(32, 2, factor=4),
    "cppn": lambda: parametrizations.cppn(32, 2),
    "shared": lambda: parametrizations.shared(fft(32, 2)),
    "transparent": lambda: parametrizations.transparent(fft(32, 2)),
    "maco": lambda: parametrizations.maco(32, 2),
}


@pytest.mark.parametrize("name", ALL)
def test_every_parametrization_climbs_repeats_and_prints_itself(tiny, name):
    parametrization = ALL[name]()

    def run():
        return list(cb.visualize(tiny, UNIT, parametrization=parametrization, transforms=(), steps=8))

    steps, again = run(), run()
    assert torch.equal(steps[-1].images, again[-1].images), "a seed did not repeat to the bit"
    assert (max(step.value.sum() for step in steps[1:]) > steps[0].value.sum()).item()
    assert steps[0].images.shape == (2, 4 if name == "transparent" else 3, 32, 32)
    assert steps[-1].images.min() >= 0 and steps[-1].images.max() <= 1
    assert str(parametrization).startswith(name) and "32 px" in str(parametrization)
    assert parametrization == ALL[name]() and hash(parametrization) == hash(ALL[name]())


# start points


@pytest.mark.parametrize("make", [fft, pixel, parametrizations.laplacian])
@pytest.mark.parametrize("size", [24, 25])
def test_step_0_from_a_photo_is_the_photo(tiny, photo, make, size):
    parametrization = make(size, 2, photo=photo)
    step = next(iter(cb.visualize(tiny, UNIT, parametrization=parametrization, steps=1)))
    expected = Original(photo).pixels(size).expand(2, -1, -1, -1)
    torch.testing.assert_close(step.images, expected, atol=1 / 510, rtol=0)  # half a level of 8 bits
    assert f"from photo {Original(photo).digest[:8]}" in str(parametrization)


def test_layers_start_from_the_photo_of_their_base(photo):
    expected = Original(photo).pixels(24)
    for layered in (parametrizations.shared, parametrizations.transparent):
        images = started(layered(fft(24, photo=photo)))().detach()
        torch.testing.assert_close(images[:, :3], expected, atol=1 / 510, rtol=0)


def test_moving_a_picture_to_itself_changes_not_a_bit():
    pictures = random_pictures(2)
    for parametrization in (fft(24, 2), pixel(24, 2), parametrizations.laplacian(24, 2)):
        canvas = started(parametrization)
        before = [p.clone() for p in canvas.parameters()]
        canvas.move(pictures, pictures)
        assert all(torch.equal(p, old) for p, old in zip(canvas.parameters(), before, strict=True))
        canvas.move(canvas().detach(), pictures)
        torch.testing.assert_close(canvas().detach(), pictures, atol=1 / 500, rtol=0)


def test_colours_mix_and_unmix():
    pictures = random_pictures()
    torch.testing.assert_close(unmix(mix(pictures)), pictures)
    expected = torch.tensor(COLOUR.numpy() @ pictures[0, :, 3, 4].numpy())
    torch.testing.assert_close(mix(pictures)[0, :, 3, 4], expected)


def test_decay_is_the_power_of_the_frequency():
    """Of equal coefficients, the one at four times the frequency is 4^decay times weaker."""
    for decay in (0.5, 2.0):
        scale = started(fft(32, decay=decay)).scale
        assert math.isclose(scale[0, 2] / scale[0, 8], 4**decay, rel_tol=1e-5)


# grids, networks, layers


def test_a_pyramid_is_the_sum_of_its_enlarged_grids():
    canvas = started(parametrizations.laplacian(24, 2))
    assert [grid.shape[-1] for grid in canvas.grids] == [24, 12, 6, 3]
    colours = sum(interpolate(grid, (24, 24), mode="bilinear") for grid in canvas.grids)
    expected = torch.einsum("nchw,dc->ndhw", colours, COLOUR).sigmoid()
    torch.testing.assert_close(canvas(), expected)
    coarse = started(parametrizations.lowres(24, factor=6))
    assert [tuple(p.shape) for p in coarse.parameters()] == [(1, 3, 4, 4)]


def test_a_cppn_is_its_network_applied_to_every_place():
    canvas = started(parametrizations.cppn(5, 2))
    assert torch.equal(canvas(), torch.full((2, 3, 5, 5), 0.5)), "the last layer starts at zero"
    with torch.no_grad():
        canvas.weights[-1].normal_(generator=torch.Generator().manual_seed(1))
    weights = [weight[1].detach().numpy() for weight in canvas.weights]
    net = np.sqrt(3) * np.array([0.5, -1.0])  # x and y of column 3, row 0 of 5
    for weight in weights[:-1]:
        angle = np.arctan(weight @ net)
        net = np.concatenate([angle / 0.67, angle**2 / 0.6])
    expected = 1 / (1 + np.exp(-weights[-1] @ net))
    np.testing.assert_allclose(canvas()[1, :, 0, 3].detach().numpy(), expected, rtol=1e-4)
    assert parametrizations.cppn(5).lr == 0.005


def test_what_is_shared_moves_all_pictures_alike():
    canvas = started(parametrizations.shared(fft(32, 2)))
    before = canvas.logits().detach()
    with torch.no_grad():
        canvas.common[2][0, 0, 1, 1] = 5.0
    change = canvas.logits().detach() - before
    torch.testing.assert_close(change[0], change[1])
    assert change.abs().max() > 1
    canvas().sum().backward()
    assert all(grid.grad.abs().sum() > 0 for grid in canvas.common)


def test_a_transparent_picture_is_seen_on_random_ground():
    canvas = started(parametrizations.transparent(fft(32, 2)))
    images = canvas()
    generator = torch.Generator().manual_seed(3)
    one, other = canvas.opaque(images, generator), canvas.opaque(images, generator)
    assert one.shape == (2, 3, 32, 32) and not torch.allclose(one, other, atol=0.05)
    solid, clear = images.clone(), images.clone()
    solid[:, 3], clear[:, 3] = 1, 0
    torch.testing.assert_close(canvas.opaque(solid, generator), images[:, :3])
    ground = canvas.opaque(clear, generator)
    assert ground.std() > 0.1 and not torch.allclose(ground, images[:, :3], atol=0.1)


def test_the_opacity_penalty_thins_a_picture_out(tiny):
    def opacity(weight):
        *_, last = cb.visualize(
            tiny,
            0.001 * UNIT,
            parametrization=parametrizations.transparent(fft(32)),
            regularizers=[cb.regularizers.alpha(weight)],
            lr=0.5,
            steps=10,
        )
        return last.images[:, 3].mean()

    assert opacity(10.0) < min(0.4, opacity(0.0))


# maco


@pytest.mark.parametrize("size", [32, 33])
def test_macos_magnitude_never_changes(tiny, size):
    parametrization = parametrizations.maco(size, 2)
    canvas = started(parametrization)
    optimizer = parametrization.optimizer(canvas.parameters(), lr=parametrization.lr)
    for _ in range(4):
        spectrum = np.fft.rfft2(canvas.waves().detach().numpy(), norm="ortho")
        expected = np.broadcast_to(canvas.magnitude.numpy(), spectrum.shape)
        np.testing.assert_allclose(np.abs(spectrum), expected, atol=2e-5 * expected.max())
        optimizer.zero_grad()
        (canvas() * random_pictures(2, size)).sum().backward()
        optimizer.step()
    waves = canvas.waves()
    torch.testing.assert_close(waves.mean(dim=(2, 3)), torch.zeros(2, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(waves.std(dim=(1, 2, 3), correction=0), torch.ones(2), atol=1e-4, rtol=0)
    assert isinstance(optimizer, torch.optim.NAdam) and parametrization.lr == 1
    torch.testing.assert_close(canvas(), torch.einsum("nchw,dc->ndhw", waves, COLOUR).sigmoid())


def test_a_spectrum_is_the_mean_of_the_photos_magnitudes():
    photos = [to_pil_image(random_pictures(size=8, seed=seed)[0]) for seed in range(3)]
    magnitudes = []
    for each in photos:
        colours = np.linalg.inv(COLOUR.numpy()) @ (np.asarray(each) / 255).reshape(-1, 3).T
        magnitudes.append(np.abs(np.fft.rfft2(colours.reshape(3, 8, 8), norm="ortho")))
    expected, got = np.mean(magnitudes, axis=0), mean_spectrum(photos, 8).numpy()
    np.testing.assert_allclose(
        got.reshape(3, -1)[:, 1:], expected.reshape(3, -1)[:, 1:], rtol=1e-3, atol=1e-4
    )
    neighbours = (expected[:, 1, 0] + expected[:, 7, 0] + 2 * expected[:, 0, 1]) / 4
    np.testing.assert_allclose(got[:, 0, 0], neighbours, rtol=1e-3)
    with pytest.raises(cb.ClipbenchError, match="at least one"):
        mean_spectrum([], 8)


def test_a_resampled_spectrum_keeps_its_frequencies():
    spectrum = photo_spectrum()
    torch.testing.assert_close(resampled(spectrum, 256), spectrum, rtol=1e-3, atol=1e-4)
    half = resampled(spectrum, 128)
    torch.testing.assert_close(half[:, 3, 5], spectrum[:, 6, 10], rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(half[:, -3, 5], spectrum[:, -6, 10], rtol=1e-3, atol=1e-4)
    odd = resampled(spectrum, 33)
    torch.testing.assert_close(odd[:, 1:, 0], odd[:, 1:, 0].flip(1), msg="rows r and -r are one wave")


def test_the_shipped_spectrum_falls_as_that_of_photos_does():
    """Field 1987: the amplitude of natural pictures falls about as 1 / frequency."""
    spectrum = photo_spectrum()
    assert spectrum.shape == (3, 256, 129) and spectrum.isfinite().all() and (spectrum > 0).all()
    low, high = spectrum[0, 4, 4], spectrum[0, 32, 32]
    assert 0.7 < math.log(low / high) / math.log(8) < 1.6
    assert spectrum[0].sum() > spectrum[1:].sum(dim=(1, 2)).max(), "brightness varies most"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: parametrizations.lowres(16, factor=17), "no cells of 17 px"),
        (lambda: parametrizations.laplacian(7), "no cells of 8 px"),
        (lambda: parametrizations.maco(0), "whole number from 1"),
        (lambda: parametrizations.cppn(8, 0), "whole number from 1"),
        (lambda: fft(8, photo="photo.jpg"), "a PIL image is needed"),
        (
            lambda: started(parametrizations.shared(parametrizations.cppn(8))),
            "cannot be one layer of another",
        ),
        (lambda: started(parametrizations.cppn(8)).move(None, None), "neither a photo nor a prior"),
        (
            lambda: started(parametrizations.lowres(8)).move(*[torch.ones(1, 3, 8, 8)] * 2),
            "any given picture",
        ),
    ],
)
def test_a_parametrization_that_cannot_be_gets_one_sentence(make, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        make()
