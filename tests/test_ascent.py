"""What the loop does when numbers break, with a prior, and with another parametrization's optimizer."""

import pytest
import torch
from torch import nn

import clipbench as cb
from clipbench.models import Read
from clipbench.optvis import objectives
from clipbench.optvis.priors import towards
from clipbench.optvis.transforms import draw

UNIT = cb.objectives.channel("layer2", 3)
PIXEL = cb.parametrizations.pixel(32, 2)


class Breaking(objectives.Term):
    """Counts to a step, then gives what is no number there, or a gradient that is none."""

    def __init__(self, step, value):
        self.step, self.value, self.seen = step, value, -1

    def bind(self, model):
        def value(seen):
            self.seen += 1
            good = seen.view.mean(dim=(1, 2, 3))
            return self.value(good) if self.seen == self.step else good

        return objectives.Bound(frozenset(), value)


def run_until_broken(tiny, term):
    steps = []
    objective = objectives.Objective(((1.0, term),))
    stream = cb.visualize(tiny, objective, parametrization=PIXEL, transforms=(), steps=9)
    with pytest.raises(cb.ClipbenchError) as error:
        for step in stream:
            steps.append(step)
    return steps, str(error.value)


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_value_that_is_no_number_stops_the_ascent_and_says_where(tiny, broken):
    change = torch.tensor([1.0, broken])
    steps, sentence = run_until_broken(tiny, Breaking(3, lambda good: good * change))
    assert "broke at step 3: the objective of picture 1 is" in sentence and str(broken) in sentence
    assert [step.number for step in steps] == [0, 1, 2]
    assert all(step.images.isfinite().all() and step.value.isfinite().all() for step in steps)


def test_a_gradient_that_is_no_number_stops_the_ascent_and_says_whose(tiny):
    """sqrt has an infinite slope at 0: the value of step 2 is good, the picture of step 3 is not."""
    steps, sentence = run_until_broken(
        tiny, Breaking(2, lambda good: (good * torch.tensor([0.0, 1.0])).sqrt())
    )
    assert "broke at step 3: the gradient of step 2 left picture 0" in sentence
    assert [step.number for step in steps] == [0, 1, 2] and steps[-1].images.isfinite().all()


# the prior


def grey(images):
    return torch.full_like(images, 0.5)


def images_of(tiny, prior, parametrization=PIXEL, steps=3):
    return [
        step.images
        for step in cb.visualize(
            tiny, UNIT, parametrization=parametrization, transforms=(), prior=prior, steps=steps
        )
    ]


@pytest.mark.parametrize("make", [cb.parametrizations.fft, cb.parametrizations.pixel])
def test_a_prior_of_strength_0_changes_not_a_bit(tiny, make):
    without = images_of(tiny, None, make(32))
    for nothing in (towards(grey, 0), nn.Identity()):
        assert all(map(torch.equal, images_of(tiny, nothing, make(32)), without))


def test_a_step_goes_from_what_the_prior_makes_of_the_picture(tiny):
    """x ← r(x) + ε ∂a/∂x, on logits: Adam's first step is lr · sign of the gradient at x."""
    start, first = images_of(tiny, towards(grey, 1), steps=1)
    _, plain = images_of(tiny, None, steps=1)
    step = torch.logit(plain) - torch.logit(start)
    torch.testing.assert_close(torch.logit(first), step, atol=1e-4, rtol=0)
    half = images_of(tiny, towards(grey, 0.5), steps=1)[1]
    expected = torch.logit((start + 0.5) / 2) + step
    torch.testing.assert_close(torch.logit(half), expected, atol=1e-4, rtol=0)


def test_a_prior_can_be_any_module_and_keeps_the_colours_of_transparent_pictures(tiny):
    blur = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    smooth, rough = images_of(tiny, blur)[-1], images_of(tiny, None)[-1]
    assert smooth.diff(dim=2).abs().mean() < 0.7 * rough.diff(dim=2).abs().mean()
    clear = cb.parametrizations.transparent(cb.parametrizations.fft(32))
    assert images_of(tiny, blur, clear, steps=1)[-1].shape == (1, 4, 32, 32)


@pytest.mark.parametrize(
    ("prior", "sentence"),
    [
        (lambda images: images[..., :16], "must keep the shape"),
        (lambda images: images / 0, "not finite"),
        (lambda images: images, "neither a photo nor a prior"),
    ],
)
def test_a_prior_that_cannot_be_used_is_named(tiny, prior, sentence):
    canvas = cb.parametrizations.cppn(32)
    with pytest.raises(cb.ClipbenchError, match=sentence):
        images_of(tiny, prior, canvas)


def test_a_prior_has_a_strength_from_0_to_1():
    for strength in (-0.1, 1.5, float("nan")):
        with pytest.raises(cb.ClipbenchError, match="from 0 to 1"):
            towards(grey, strength)


# several views


def test_the_value_of_several_views_is_their_mean(tiny):
    views = (cb.transforms.several(3), cb.transforms.jitter(12))
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        images, read = PIXEL.start(tiny.device, generator)(), Read("layer2")
        values = [
            tiny.read(draw(views, generator, 32, 32)(images), [read])[read][:, 3].mean(dim=(1, 2))
            for _ in range(3)
        ]
    assert not torch.allclose(values[0], values[1], rtol=1e-6)
    step = next(iter(cb.visualize(tiny, UNIT, parametrization=PIXEL, transforms=views, steps=1, seed=5)))
    torch.testing.assert_close(step.value, sum(values) / 3)


# recipes


def test_the_recipe_names_prior_and_optimizer():
    def recipe(parametrization, prior=None):
        return cb.optvis.recipe(UNIT, parametrization, (), (), parametrization.lr, 8, prior)

    assert recipe(PIXEL).endswith("no transforms, Adam 0.05, 8 steps")
    assert recipe(cb.parametrizations.maco(32)).endswith("NAdam 1, 8 steps")
    assert "prior 0.1 of the way to grey" in recipe(PIXEL, towards(grey, 0.1))
    assert "prior Identity" in recipe(PIXEL, nn.Identity())


def test_the_learning_rate_is_the_parametrizations_unless_given(tiny):
    slow = cb.visualize(tiny, UNIT, parametrization=cb.parametrizations.maco(32), lr=1e-6, steps=1)
    first, last = (step.images for step in slow)
    torch.testing.assert_close(first, last, atol=1e-3, rtol=0)
    quick = cb.visualize(tiny, UNIT, parametrization=cb.parametrizations.maco(32), steps=1)
    first, last = (step.images for step in quick)
    assert (first - last).abs().max() > 0.05
