"""The optimisation core against its definitions, numpy, torchvision and a loop written out plainly."""

import math

import numpy as np
import pytest
import torch
from torchvision.transforms import functional as vision
from torchvision.transforms.functional import InterpolationMode

import clipbench as cb
from clipbench.models import Read
from clipbench.optvis.objectives import Objective
from clipbench.optvis.parametrizations import COLOUR, FftCanvas, frequency_grid
from clipbench.optvis.transforms import compose, view

channel, neuron, text = cb.objectives.channel, cb.objectives.neuron, cb.objectives.text


@pytest.fixture(scope="module")
def maps():
    return torch.randn(2, 1280, 3, 4, generator=torch.Generator().manual_seed(3))


def last(steps):
    *_, step = steps
    return step


def steps_of(model, objective, size=64, batch=1, **settings):
    return cb.visualize(model, objective, parametrization=cb.parametrizations.fft(size, batch), **settings)


# objectives


def test_channel_neuron_and_layer_are_means_over_what_they_say(mini, maps):
    acts = {Read("conv_head"): maps, Read("conv_head", True): maps}
    for image in range(2):
        a = maps[image].numpy()
        assert math.isclose(
            channel("conv_head", 7).bind(mini).value(acts)[image], a[7].mean(), rel_tol=1e-4, abs_tol=1e-6
        )
        assert neuron("conv_head", 7).bind(mini).value(acts)[image] == a[7, 1, 2]
        assert neuron("conv_head", 7, (2, 0)).bind(mini).value(acts)[image] == a[7, 2, 0]
        value = cb.objectives.layer("conv_head").bind(mini).value(acts)[image]
        assert math.isclose(value, (a**2).mean(), rel_tol=1e-5)


@pytest.mark.parametrize("power", [0, 2])
def test_direction_is_dot_times_clipped_cosine_to_a_power(mini, maps, power):
    vector = np.linspace(-1, 1, 1280, dtype=np.float32)
    value = cb.objectives.direction("conv_head", vector, power).bind(mini).value({Read("conv_head"): maps})
    for image in range(2):
        expected = []
        for row in range(3):
            for column in range(4):
                a = maps[image, :, row, column].numpy()
                cosine = max(0.1, a @ vector / (np.linalg.norm(a) * np.linalg.norm(vector)))
                expected.append((a @ vector) * cosine**power)
        assert math.isclose(value[image], np.mean(expected), rel_tol=1e-3)


def test_text_is_the_cosine_with_the_text_embedding(mini):
    pixels = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    read = Read("embedding")
    features = mini.read(pixels, [read])
    wanted = mini.encode_text(["a photo of a spider"])[0]
    cosines = torch.nn.functional.cosine_similarity(features[read].flatten(1), wanted[None])
    torch.testing.assert_close(text("a photo of a spider").bind(mini).value(features), cosines)


def test_objectives_add_scale_compare_and_print_their_weights(mini, maps):
    a, b = channel("conv_head", 1), channel("conv_head", 2)
    combined = 2 * (a - 0.5 * b) + b * 0.25
    acts = {Read("conv_head"): maps}
    expected = 2 * a.bind(mini).value(acts) - 0.75 * b.bind(mini).value(acts)
    torch.testing.assert_close(combined.bind(mini).value(acts), expected)
    assert str(combined) == "2 channel(conv_head:1) - channel(conv_head:2) + 0.25 channel(conv_head:2)"
    assert str(-a) == "- channel(conv_head:1)"
    assert channel("conv_head", 1) == a != b and len({a, channel("conv_head", 1)}) == 1


def test_a_batch_gives_every_image_its_own_objective(mini, maps):
    batch = cb.objectives.batch([channel("conv_head", 1), neuron("conv_head", 9)])
    value = batch.bind(mini).value({Read("conv_head"): maps})
    torch.testing.assert_close(value, torch.stack([maps[0, 1].mean(), maps[1, 9, 1, 2]]))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: channel("conv_heat", 1), "did you mean 'conv_head'"),
        (lambda: channel("conv_head", 1280), "0 to 1279"),
        (lambda: cb.objectives.direction("conv_head", [1.0, 2.0]), "2 numbers"),
        (lambda: cb.objectives.batch([]), "at least one"),
        (lambda: text(""), "empty text"),
    ],
)
def test_an_objective_that_does_not_fit_gets_one_sentence(mini, make, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        make().bind(mini)


def test_text_needs_a_text_tower():
    with pytest.raises(cb.ClipbenchError, match="no text tower"):
        text("spider").bind(cb.load("timm/tf_efficientnet_lite0", device="cpu"))


# parametrizations


def test_colours_are_lucids_matrix_over_its_longest_column():
    rows = [[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]]
    longest = max(math.sqrt(sum(row[c] ** 2 for row in rows)) for c in range(3))
    np.testing.assert_allclose(COLOUR.numpy(), np.array(rows) / longest, rtol=1e-6)


@pytest.mark.parametrize("size", [8, 9])
def test_fft_pictures_equal_numpys_inverse_transform(size):
    """Lucid: irfft of coefficients · sqrt(h·w) / max(f, 1/size), over 4, colours, sigmoid."""
    generator = torch.Generator().manual_seed(0)
    canvas = cb.parametrizations.fft(size, batch=2).start(torch.device("cpu"), generator)
    pairs = canvas.coefficients.detach().numpy()
    rows, columns = np.meshgrid(np.fft.fftfreq(size), np.fft.rfftfreq(size), indexing="ij")
    scale = size / np.maximum(np.hypot(rows, columns), 1 / size)
    waves = np.fft.irfft2((pairs[..., 0] + 1j * pairs[..., 1]) * scale, s=(size, size)) / 4
    logits = np.einsum("nchw,dc->ndhw", waves, COLOUR.numpy())
    np.testing.assert_allclose(canvas().detach().numpy(), 1 / (1 + np.exp(-logits)), atol=1e-6)


def test_the_starting_noise_has_lucids_deviation():
    for make in (cb.parametrizations.fft, cb.parametrizations.pixel):
        canvas = make(64, batch=8).start(torch.device("cpu"), torch.Generator().manual_seed(0))
        (numbers,) = canvas.parameters()
        assert math.isclose(numbers.detach().std(), 0.01, rel_tol=0.02)
    assert isinstance(canvas, torch.nn.Module) and not isinstance(canvas, FftCanvas)


def test_frequencies_are_in_cycles_a_pixel():
    grid = frequency_grid(8)
    assert grid.shape == (8, 5) and grid[0, 0] == 0 and grid[0, 4] == 0.5 and grid[4, 0] == 0.5
    assert math.isclose(grid[1, 1], math.sqrt(2) / 8, rel_tol=1e-6)


# transforms


def a_picture(size=32):
    coarse = torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(5))
    return vision.resize(coarse, [size, size], InterpolationMode.BICUBIC, antialias=True).clamp(0, 1)


def matrices(transform, n=200):
    generator = torch.Generator().manual_seed(0)
    return torch.stack([transform.draw(generator) for _ in range(n)])


def test_draws_stay_within_their_limits_and_fill_them():
    shifts = matrices(cb.transforms.jitter(8))[:, :2, 2]
    assert set(shifts.flatten().tolist()) == {float(s) for s in range(-4, 5)}
    factors = matrices(cb.transforms.scale(0.9, 1.1))[:, 0, 0]
    assert 0.9 <= factors.min() < 0.91 and 1.09 < factors.max() <= 1.1
    turns = matrices(cb.transforms.rotate(-10, 10))
    angles = torch.rad2deg(torch.atan2(turns[:, 0, 1], turns[:, 0, 0]))
    assert -10 <= angles.min() < -9 and 9 < angles.max() <= 10
    torch.testing.assert_close(torch.linalg.det(turns), torch.ones(200))


def test_a_quarter_turn_and_whole_shifts_are_exact():
    picture = a_picture(16)
    quarter = compose([cb.transforms.rotate(90, 90)], torch.Generator())
    torch.testing.assert_close(view(picture, quarter, 16), picture.rot90(1, dims=(2, 3)), atol=1e-5, rtol=0)
    shift = torch.eye(3)
    shift[0, 2], shift[1, 2] = 3, -2  # right and up
    moved = view(picture, shift, 16)
    torch.testing.assert_close(moved[..., :-2, 3:], picture[..., 2:, :-3], atol=1e-5, rtol=0)
    assert moved[..., :3].sub(0.5).abs().max() < 1e-6, "what lies outside is grey"


def test_one_composed_map_equals_the_maps_one_after_the_other():
    """Against torchvision's own rotation and resizing, within what interpolating twice changes."""
    picture = a_picture(64)
    steps = (cb.transforms.scale(1.25, 1.25), cb.transforms.rotate(7, 7))
    composed = view(picture, compose(steps, torch.Generator()), 64)
    bigger = vision.resize(picture, [80, 80], InterpolationMode.BILINEAR, antialias=False)
    turned = vision.rotate(bigger, 7, InterpolationMode.BILINEAR)
    expected = vision.center_crop(turned, [64, 64])
    assert (composed - expected).abs().mean() < 0.004
    assert (composed - picture).abs().mean() > 0.02, "the maps did act"


def test_a_view_can_have_another_size_than_the_picture():
    picture = a_picture(32)
    torch.testing.assert_close(view(picture, torch.eye(3), 16), picture[..., 8:24, 8:24], atol=1e-6, rtol=0)
    wider = view(picture, torch.eye(3), 48)
    torch.testing.assert_close(wider[..., 8:40, 8:40], picture, atol=1e-6, rtol=0)


# regularizers


def test_penalties_equal_their_definitions_at_lucids_size():
    picture = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    a = picture.numpy().astype(np.float64)
    padded = np.pad(a, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    blurred = sum(
        (1.0 if (i, j) == (1, 1) else 0.5) * padded[..., i : i + 64, j : j + 64]
        for i in range(3)
        for j in range(3)
    ) / (1 + 8 * 0.5)
    expected = {
        "tv": np.abs(np.diff(a, axis=2)).sum((1, 2, 3)) + np.abs(np.diff(a, axis=3)).sum((1, 2, 3)),
        "l1": np.abs(a - 0.5).sum((1, 2, 3)),
        "l2": np.sqrt(1e-6 + ((a - 0.5) ** 2).sum((1, 2, 3))),
        "blur": 0.5 * ((a - blurred) ** 2).sum((1, 2, 3)),
    }
    for name, value in expected.items():
        penalty = getattr(cb.regularizers, name)(0.5)
        np.testing.assert_allclose(penalty(picture).numpy(), 0.5 * value, rtol=1e-4)
        assert str(penalty) == f"{name} 0.5"


def test_a_penalty_means_the_same_at_every_size():
    small, large = a_picture(64), a_picture(64).repeat_interleave(2, 2).repeat_interleave(2, 3)
    for penalty in (cb.regularizers.l1(1), cb.regularizers.l2(1)):
        torch.testing.assert_close(penalty(small), penalty(large), rtol=1e-4, atol=0)


def test_the_blur_penalty_pulls_towards_a_blur_that_stands_still():
    picture = a_picture(64).requires_grad_()
    cb.regularizers.blur(1.0)(picture).sum().backward()
    expected = picture.detach() - cb.optvis.regularizers.blur3(picture.detach())
    torch.testing.assert_close(picture.grad, expected, atol=1e-6, rtol=1e-4)


# the loop


def test_the_loop_equals_a_plain_one(mini):
    """Adam on pixel logits through the same trunk, unfolded, in contiguous memory, run to its end."""
    import open_clip

    from clipbench.models.loading import MINI

    plain = open_clip.create_model(f"local-dir:{MINI}").eval().requires_grad_(False).visual.trunk
    logits = 0.01 * torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(4))
    logits.requires_grad_()
    adam = torch.optim.Adam([logits], lr=0.05)
    values = []
    for _ in range(6):
        head = []
        handle = plain.bn2.act.register_forward_pre_hook(lambda _, x, head=head: head.append(x[0].clone()))
        plain(logits.sigmoid() * 2 - 1)
        handle.remove()
        value = head[0][:, 550].mean()
        values.append(value.item())
        squares = ((logits.sigmoid() - 0.5) ** 2).sum() * 4096 / 96**2
        penalty = 0.01 * (1e-6 + squares).sqrt()
        adam.zero_grad()
        (penalty - value).backward()
        adam.step()
    steps = list(
        cb.visualize(
            mini,
            channel("conv_head", 550),
            parametrization=cb.parametrizations.pixel(96),
            transforms=(),
            regularizers=[cb.regularizers.l2(0.01)],
            steps=5,
            seed=4,
        )
    )
    ours = [step.value.item() for step in steps]
    np.testing.assert_allclose(ours[:2], values[:2], rtol=2e-5)
    # Adam follows the sign of however small a slope, so that roundings grow from the second update on.
    np.testing.assert_allclose(ours, values, rtol=0.06)


def test_steps_are_numbered_from_the_start_and_keep_their_pixels(mini):
    steps = list(steps_of(mini, channel("blocks.3", 3), 64, 2, steps=4))
    assert [step.number for step in steps] == [0, 1, 2, 3, 4]
    assert steps[0].images.shape == (2, 3, 64, 64) and steps[0].value.shape == (2,)
    assert not steps[0].images.requires_grad and not steps[0].value.requires_grad
    assert not torch.equal(steps[0].images, steps[1].images)
    assert steps[4].images.min() >= 0 and steps[4].images.max() <= 1
    torch.testing.assert_close(steps[0].images, torch.full_like(steps[0].images, 0.5), atol=0.1, rtol=0)


def test_a_seed_repeats_to_the_bit_and_another_does_not(mini):
    def run(seed):
        return last(steps_of(mini, channel("blocks.3", 3), steps=8, seed=seed))

    first, again, other = run(0), run(0), run(1)
    assert torch.equal(first.images, again.images) and torch.equal(first.value, again.value)
    assert not torch.equal(first.images, other.images)


def test_the_callers_grad_mode_and_random_state_are_untouched(mini):
    torch.manual_seed(7)
    state = torch.get_rng_state()
    with torch.no_grad():
        for _ in steps_of(mini, channel("blocks.3", 3), steps=2):
            assert not torch.is_grad_enabled()
    assert torch.equal(state, torch.get_rng_state())


def test_nothing_stays_behind_when_the_reader_stops(mini):
    for step in steps_of(mini, channel("conv_head", 3)):
        if step.number == 2:
            break
    assert all(not m._forward_hooks and not m._forward_pre_hooks for m in mini.network.modules())


def test_a_picture_excites_its_unit_more_than_photos_do(mini):
    photos = mini.activations([sample.image for sample in cb.samples()], "conv_head").mean(dim=(2, 3))
    units = [5, 300, 550, 1200]
    objective = cb.objectives.batch([channel("conv_head", unit) for unit in units])
    canvas = cb.parametrizations.fft(128, batch=4)
    reached = last(cb.visualize(mini, objective, parametrization=canvas, steps=64)).value
    assert (reached > photos[:, units].max(dim=0).values).all()


def test_an_ablated_unit_cannot_be_excited(mini):
    with mini.ablate(["conv_head:5"]):
        step = last(steps_of(mini, channel("conv_head", 5), steps=2))
    assert step.value.item() == 0


def test_a_text_picture_looks_like_the_text_to_the_model(mini):
    step = last(steps_of(mini, text("a photo of a spider"), 128, steps=48))
    picture = vision.to_pil_image(step.images[0])
    labels = ["spider", "apple", "house", "laptop", "cat"]
    assert labels[cb.zero_shot(mini, [picture], labels)[0].argmax()] == "spider"


def test_a_native_only_head_sees_the_picture_at_its_own_size():
    model = cb.load("RN50x4-quickgelu/random", device="cpu")
    step = next(iter(steps_of(model, text("spider"), steps=1)))
    assert step.images.shape[-1] == 64 and step.value.isfinite().all()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"steps": 0}, "at least 1"),
        ({"lr": 0}, "more than 0"),
        ({"parametrization": lambda: cb.parametrizations.fft(0)}, "whole number from 1"),
        ({"parametrization": lambda: cb.parametrizations.fft(64, batch=0)}, "whole number from 1"),
        ({"parametrization": lambda: cb.parametrizations.fft(16)}, "at least 32"),
        ({"transforms": lambda: (cb.transforms.scale(0, 1),)}, "0 < low"),
        ({"transforms": lambda: (cb.transforms.rotate(5, 1),)}, "lower limit"),
        ({"transforms": lambda: (cb.transforms.jitter(-1),)}, "0 or more"),
        ({"regularizers": lambda: [cb.regularizers.tv(-1)]}, "0 or more"),
    ],
)
def test_settings_that_cannot_be_are_refused_before_any_work(mini, change, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        settings = {name: value() if callable(value) else value for name, value in change.items()}
        cb.visualize(mini, channel("conv_head", 5), **settings)


def test_the_recipe_names_everything_that_decides_the_picture():
    line = cb.optvis.recipe(
        channel("conv_head", 5) - 0.5 * text("cat"),
        cb.parametrizations.fft(160),
        cb.transforms.standard(),
        [cb.regularizers.tv(0.1)],
        lr=0.05,
        steps=256,
    )
    for part in (
        "channel(conv_head:5) - 0.5 text('cat')",
        "fft(160 px",
        "jitter 8 px",
        "rotate -10° to 10°",
        "tv 0.1",
        "Adam 0.05",
        "256 steps",
    ):
        assert part in line
    assert isinstance(channel("conv_head", 5), Objective)
