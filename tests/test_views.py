"""Perspective, crops, colour, noise and filters, against torchvision, loops and definitions."""

import math

import numpy as np
import pytest
import torch
from torchvision.transforms import functional as vision
from torchvision.transforms.functional import InterpolationMode

import clipbench as cb
from clipbench.models import Read
from clipbench.optvis.filters import bilateral5
from clipbench.optvis.transforms import compose, draw, view

transforms = cb.transforms


def smooth(size=64):
    coarse = torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(5))
    return vision.resize(coarse, [size, size], InterpolationMode.BICUBIC, antialias=True).clamp(0, 1)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_perspective_is_torchvisions():
    picture, size = smooth(), 64
    matrix = transforms.perspective(0.4).draw(seeded())
    corners = torch.tensor([[-1.0, -1], [1, -1], [1, 1], [-1, 1]])
    moved = torch.cat([corners, torch.ones(4, 1)], dim=1) @ matrix.T
    moved = moved[:, :2] / moved[:, 2:]
    assert ((corners - moved) * corners >= 0).all() and ((corners - moved).abs() <= 0.4).all()
    ends = [((points + 1) * size / 2).tolist() for points in (corners, moved)]
    expected = vision.perspective(picture - 0.5, *ends, InterpolationMode.BILINEAR, fill=0.0)
    got = view(picture, compose([transforms.perspective(0.4)], seeded(), size), size)
    agree = (got - expected - 0.5).abs() < 1e-3  # but along the border, which torchvision does not blend
    assert agree.float().mean() > 0.9
    assert (got - picture).abs().mean() > 0.02, "the map did act"


def test_a_crop_is_torchvisions_resized_crop():
    picture = smooth()
    matrix = compose([transforms.crop(0.5, 0.5)], seeded(3), 64)
    left, top = ((matrix[:2, 2] / -2 + 32) - 16).tolist()
    assert 0 <= left <= 32 and 0 <= top <= 32 and (left, top) != (16, 16)
    whole = torch.diag(torch.tensor([2.0, 2.0, 1.0]))
    whole[:2, 2] = torch.tensor([16.0, 4.0])  # a box whose middle is 8 px left of and 2 px above that
    expected = vision.resized_crop(picture, 14, 8, 32, 32, [64, 64], antialias=False)
    inner = (..., slice(2, -2), slice(2, -2))
    torch.testing.assert_close(view(picture, whole, 64)[inner], expected[inner], atol=1e-4, rtol=0)


def test_crops_stay_within_the_picture_and_vary():
    matrices = torch.stack([transforms.crop(0.2, 0.5, 0.3).draw(seeded(seed)) for seed in range(200)])
    side = 1 / matrices[:, 0, 0]
    middle = -matrices[:, :2, 2] * side[:, None]
    assert 0.2 <= side.min() < 0.22 and 0.48 < side.max() <= 0.5
    assert ((middle.abs() + side[:, None]) <= 1 + 1e-6).all() and middle.std() > 0.3


def test_all_maps_composed_equal_the_maps_one_after_the_other():
    picture = smooth(96)
    maps = (
        transforms.scale(1.1, 1.1),
        transforms.perspective(0.2),
        transforms.rotate(9, 9),
        transforms.crop(0.8, 0.8),
    )
    composed = view(picture, compose(maps, seeded(), 96), 96)
    generator, one_by_one = seeded(), picture
    for each in maps:
        one_by_one = view(one_by_one, compose([each], generator, 96), 96)
    middle = (..., slice(12, -12), slice(12, -12))
    assert (composed - one_by_one)[middle].abs().mean() < 0.006
    assert (composed - picture)[middle].abs().mean() > 0.03, "the maps did act"


def test_colour_scales_about_grey_and_shifts_every_picture_alike():
    picture = torch.rand(2, 3, 4, 4, generator=seeded(1))
    change = transforms.colour(0.3).draw(seeded())
    got = change(picture)
    for channel in range(3):
        x, y = picture[:, channel].flatten() - 0.5, got[:, channel].flatten() - 0.5
        gain, shift = np.polyfit(x.numpy(), y.numpy(), 1)
        assert abs(gain - 1) <= 0.3 and abs(shift) <= 0.15
        torch.testing.assert_close(y, x * gain + shift, atol=1e-5, rtol=0)
    assert torch.equal(change(picture), got), "one draw serves every call"


def test_noise_has_its_deviation_and_is_one_for_the_batch():
    grey = torch.full((2, 3, 64, 64), 0.5)
    change = transforms.noise(0.05).draw(seeded())
    got = change(grey) - grey
    assert math.isclose(got.std(), 0.05, rel_tol=0.03) and abs(got.mean()) < 0.002
    assert torch.equal(got[0], got[1]) and torch.equal(change(grey) - grey, got)
    assert not torch.equal(transforms.noise(0.05).draw(seeded(1))(grey) - grey, got)


def test_values_change_after_all_maps():
    """Noise is not blurred by a map that is named after it."""
    grey = torch.full((1, 3, 32, 32), 0.5)
    seen = draw([transforms.noise(0.1), transforms.rotate(20, 20)], seeded(), 32, 32)(grey)
    assert math.isclose((seen - 0.5).std(), 0.1, rel_tol=0.1)


def test_bilateral_is_the_double_loop():
    picture = torch.rand(1, 3, 6, 7, generator=seeded(2))
    a, expected = picture[0].numpy().astype(float), np.zeros((3, 6, 7))
    for row in range(6):
        for column in range(7):
            total = 0.0
            for i in range(-2, 3):
                for j in range(-2, 3):
                    other = a[:, min(max(row + i, 0), 5), min(max(column + j, 0), 6)]
                    unlike = ((other - a[:, row, column]) ** 2).sum() / (2 * 0.1**2)
                    weight = math.exp(-(i**2 + j**2) / (2 * 1.5**2) - unlike)
                    expected[:, row, column] += weight * other
                    total += weight
            expected[:, row, column] /= total
    np.testing.assert_allclose(bilateral5(picture)[0].numpy(), expected, atol=1e-5)


def test_the_bilateral_penalty_spares_edges_and_punishes_noise():
    edge = torch.zeros(1, 3, 32, 32)
    edge[..., 16:] = 1
    noisy = 0.5 + 0.05 * torch.randn(1, 3, 32, 32, generator=seeded())
    bilateral, blur = cb.regularizers.bilateral(1), cb.regularizers.blur(1)
    assert bilateral(edge) < 1e-3 < bilateral(noisy)
    assert blur(edge) > 10 * bilateral(edge)
    picture = noisy.clone().requires_grad_()
    bilateral(picture).sum().backward()
    torch.testing.assert_close(picture.grad, (noisy - bilateral5(noisy)) * 4096 / 32**2)


def test_mean_square_and_opacity_are_what_they_say():
    picture = torch.rand(2, 4, 8, 8, generator=seeded(4))
    colours, opacity = picture[:, :3].numpy(), picture[:, 3].numpy()
    expected = 10 * ((colours - 0.5) ** 2).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(cb.regularizers.l2mean(10)(picture).numpy(), expected, rtol=1e-5)
    expected = 2 * np.sqrt((opacity**2).mean(axis=(1, 2)))
    np.testing.assert_allclose(cb.regularizers.alpha(2)(picture).numpy(), expected, rtol=1e-5)
    torch.testing.assert_close(cb.regularizers.tv(1)(picture), cb.regularizers.tv(1)(picture[:, :3]))
    with pytest.raises(cb.ClipbenchError, match="transparent"):
        cb.regularizers.alpha(1)(picture[:, :3])


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: transforms.perspective(1), "below 1"),
        (lambda: transforms.crop(0, 0.5), "0 < low"),
        (lambda: transforms.crop(0.5, 1.1), "0 < low"),
        (lambda: transforms.crop(0.5, 1, -1), "spread of 0 or more"),
        (lambda: transforms.colour(1), "below 1"),
        (lambda: transforms.noise(-0.1), "0 or more"),
        (lambda: transforms.several(0), "whole number from 1"),
        (lambda: transforms.at(0), "0 px wide"),
        (lambda: cb.regularizers.bilateral(-1), "0 or more"),
    ],
)
def test_a_view_that_cannot_be_gets_one_sentence(make, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        make()


def test_views_print_themselves():
    listed = [*transforms.maco(4, 96), transforms.perspective(0.2), transforms.colour(0.1)]
    assert [str(each) for each in listed] == [
        "4 views a step",
        "crop 0.2 to 0.5 ± 0.15",
        "seen at 96 px",
        "noise 0.05",
        "perspective 0.2",
        "colour ± 0.1",
    ]


def test_a_view_of_half_the_size_shows_the_whole_picture_as_means_of_four_pixels(tiny):
    picture = smooth()
    half = draw([transforms.at(32)], seeded(), 64, 32)(picture)
    torch.testing.assert_close(half, torch.nn.functional.avg_pool2d(picture, 2), atol=1e-5, rtol=0)
    settings = {"parametrization": cb.parametrizations.pixel(64), "steps": 1, "seed": 1}
    unit = cb.objectives.channel("layer2", 3)
    step = next(cb.visualize(tiny, unit, transforms=[transforms.at(32)], **settings))
    expected = tiny.read(torch.nn.functional.avg_pool2d(step.images, 2), [Read("layer2")])[Read("layer2")]
    torch.testing.assert_close(step.value, expected[:, 3].mean(dim=(1, 2)), atol=1e-4, rtol=1e-3)
    assert step.images.shape[-1] == 64


def test_a_crop_that_is_seen_at_another_size_is_the_same_crop():
    picture = smooth()
    large = draw([transforms.crop(0.5, 0.5)], seeded(), 64, 64)(picture)
    small = draw([transforms.crop(0.5, 0.5), transforms.at(32)], seeded(), 64, 32)(picture)
    torch.testing.assert_close(small, torch.nn.functional.avg_pool2d(large, 2), atol=0.02, rtol=0)


def test_a_view_of_another_size_shows_the_same_of_the_picture():
    picture = torch.rand(1, 3, 32, 32, generator=seeded())
    seen = draw((), seeded(), 32, 64)(picture)
    larger = torch.nn.functional.interpolate(picture, (64, 64), mode="bilinear")
    torch.testing.assert_close(seen[..., 1:-1, 1:-1], larger[..., 1:-1, 1:-1])  # about it lies grey
