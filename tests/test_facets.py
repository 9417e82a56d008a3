"""Facets against the written definition of the article's code, probes against what the right one meets."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

import clipbench as cb
from clipbench.models import Read
from clipbench.optvis.probes import _PENALTY, Facet, _fit, load_facet, published_facet, train_facet

faceted = cb.objectives.faceted
UNIT = cb.objectives.channel("layer4", 5)
LAYERS = ("layer2", "layer3")


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def pictures(kind, n, seed=0):
    """Bright stripes, down or across, in noise."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        a = rng.integers(60, 120, (64, 64, 3))
        (a if kind == "down" else a.transpose(1, 0, 2))[:, :: rng.integers(3, 6)] = rng.integers(180, 255, 3)
        yield Image.fromarray(a.astype(np.uint8))


@pytest.fixture(scope="module")
def probe(tiny):
    """One layer with a map of weights of another size than its own, one with weights a channel."""
    channels = [tiny.layer(layer).channels for layer in LAYERS]
    maps = numbers(channels[0], 3, 3), numbers(channels[1])
    return Facet("random", dict(zip(LAYERS, maps, strict=True)), tiny.name, tiny.weights_hash)


@pytest.fixture(scope="module")
def pixels():
    return numbers(3, 3, 64, 64, seed=5).sigmoid().requires_grad_()


# the objective


def definition(tiny, pixels, weights, strengths):
    """The article's code in plain torch: a mean over batch and places, so the gradient has 1 / (n·H·W)."""
    acts = tiny.read(pixels, [Read("layer4"), *(Read(layer, True) for layer in weights)])
    vector = acts[Read("layer4")][:, 5].mean()
    total = vector
    for layer, style in weights.items():
        a = acts[Read(layer, True)]
        (gradient,) = torch.autograd.grad(vector, a, retain_graph=True)
        if style.ndim == 3:
            style = torch.nn.functional.interpolate(style[None], a.shape[-2:], mode="bilinear")
        else:
            style = style[None, :, None, None]
        w = torch.tensor(strengths)[:, None, None, None]
        total = total + (5 / len(weights)) * (w * a * gradient.detach().relu() * style).sum()
    return total


def test_a_faceted_objective_is_the_written_definition(tiny, probe, pixels):
    strengths = [0.1, 2.5, 5.0]
    goal = faceted(UNIT, probe, strengths).bind(tiny)
    value = goal.value(tiny.read(pixels, goal.reads))
    expected = definition(tiny, pixels, probe.weights, strengths)
    torch.testing.assert_close(value.mean(), expected)
    (got,), (wanted,) = torch.autograd.grad(value.mean(), pixels), torch.autograd.grad(expected, pixels)
    torch.testing.assert_close(got, wanted)
    plain = UNIT.bind(tiny)
    assert not torch.allclose(value, plain.value(tiny.read(pixels, plain.reads)), rtol=0.01)


def test_each_picture_has_its_own_facet_term(tiny, probe, pixels):
    """One picture alone has the value that it has in a batch, so a strength means the same in any batch."""
    goal = faceted(UNIT, probe, 2.0).bind(tiny)
    together = goal.value(tiny.read(pixels, goal.reads))
    alone = torch.cat([goal.value(tiny.read(pixels[i : i + 1], goal.reads)) for i in range(3)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-6)
    batch = cb.objectives.batch([faceted(UNIT, probe, 2.0)] * 3).bind(tiny)
    torch.testing.assert_close(batch.value(tiny.read(pixels, batch.reads)), together)


def test_strength_0_is_the_base(tiny, probe, pixels):
    goal, base = faceted(UNIT, probe, 0.0).bind(tiny), UNIT.bind(tiny)
    value = goal.value(tiny.read(pixels, goal.reads))
    torch.testing.assert_close(value, base.value(tiny.read(pixels, base.reads)))


def test_a_faceted_objective_adds_prints_and_climbs(tiny, probe):
    objective = 2 * faceted(UNIT, probe, 0.5) - cb.objectives.channel("layer4", 1)
    digest = probe.digest[:8]
    assert str(objective) == (
        f"2 faceted(channel(layer4:5); facet random {digest} of layer2+layer3, strength 0.5) "
        "- channel(layer4:1)"
    )
    canvas = cb.parametrizations.fft(64)
    steps = list(
        cb.visualize(tiny, faceted(UNIT, probe, 0.5), parametrization=canvas, transforms=(), steps=6)
    )
    assert steps[-1].value > steps[0].value


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda p: faceted(cb.objectives.channel("layer3", 1), p), "'layer3' contributes nothing .* earlier"),
        (lambda p: faceted(UNIT, replace(p, weights_hash="f" * 12)), "was trained on tiny ffffffff, not on"),
        (lambda p: faceted(UNIT, replace(p, weights={"layer2": torch.ones(3)})), "has 3 channels for layer"),
        (lambda p: faceted(UNIT, replace(p, weights={"layer9": torch.ones(3)})), "did you mean"),
        (lambda p: faceted(UNIT, replace(p, weights={})), "has no layer"),
        (lambda p: faceted(UNIT - UNIT, p), "leave nothing to excite"),
    ],
)
def test_a_facet_that_does_not_fit_gets_one_sentence(tiny, probe, make, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        make(probe).bind(tiny)


def test_strengths_must_fit_the_images(tiny, probe, pixels):
    goal = faceted(UNIT, probe, torch.linspace(0.1, 5, 2)).bind(tiny)
    with pytest.raises(cb.ClipbenchError, match="2 strengths do not fit 3 images"):
        goal.value(tiny.read(pixels, goal.reads))


# probes


def test_the_logistic_regression_is_at_its_minimum_and_counts_both_kinds_alike():
    """There the derivative by each standardised weight, and by the bias, is zero."""
    features = numbers(40, 6).double() * torch.tensor([1, 10, 0.1, 1, 1, 0]) + 3
    positive = (numbers(40, seed=1) + features[:, 0]) > 4
    weights, bias = _fit(features, positive)
    mean, deviation = features.mean(dim=0), features.std(dim=0, correction=0)
    standard = torch.nan_to_num((features - mean) / deviation)
    left = positive.double() - (features @ weights + bias).sigmoid()
    share = positive.double().mean()
    left *= torch.where(positive, 0.5 / share, 0.5 / (1 - share))
    assert 0.1 < share < 0.9 and share != 0.5
    assert (_PENALTY * standard.T @ left - weights * deviation).abs().max() < 1e-3
    assert left.sum().abs() < 1e-3
    assert weights[5] == 0, "a feature that never changes"


@pytest.fixture(scope="module")
def trained(tiny):
    return train_facet(tiny, LAYERS, list(pictures("down", 24)), list(pictures("across", 28, 1)), "stripes")


def test_a_probe_tells_its_theme_and_says_how_well(tiny, trained):
    assert trained.n == (24, 28) and trained.model == "tiny" and trained.weights_hash == tiny.weights_hash
    new = list(pictures("down", 10, 2)), list(pictures("across", 10, 3))
    for layer, weights in trained.weights.items():
        assert weights.shape == (tiny.layer(layer).channels,) and weights.dtype == torch.float32
        torch.testing.assert_close(weights.square().mean(), torch.tensor(1.0))
        assert trained.accuracy[layer] >= 0.8
        down, across = ((tiny.activations(one, layer, True).mean((2, 3)) @ weights).mean() for one in new)
        assert down > across


def test_the_same_pictures_and_seed_give_the_same_probe(tiny, trained):
    again = train_facet(tiny, LAYERS, list(pictures("down", 24)), list(pictures("across", 28, 1)), "stripes")
    assert again == trained and hash(again) == hash(trained)
    assert trained != replace(trained, weights={layer: 2 * w for layer, w in trained.weights.items()})


def test_a_probe_of_no_difference_is_refused(tiny):
    with pytest.raises(cb.ClipbenchError, match="a facet needs 80%"):
        train_facet(tiny, "layer2", list(pictures("down", 40)), list(pictures("down", 40, 1)), "nothing")


@pytest.mark.parametrize(
    ("layers", "themes", "sentence"),
    [
        ("layer2", lambda: list(pictures("down", 19)), "19 different pictures of the theme are too few"),
        ("layer2", lambda: list(pictures("down", 1)) * 30, "1 different pictures of the theme are too few"),
        ("layer2", lambda: list(pictures("across", 30, 1)), "in the theme and in the background"),
        ("layer9", lambda: [], "did you mean"),
        ((), lambda: [], "at least one"),
        ("layer2", lambda: ["a.jpg"], "a PIL image is needed"),
    ],
)
def test_pictures_that_teach_nothing_are_refused(tiny, layers, themes, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        train_facet(tiny, layers, themes(), list(pictures("across", 28, 1)))


def test_a_probe_comes_back_from_its_file(trained, tmp_path):
    path = trained.save(tmp_path / "stripes.npz")
    again = load_facet(path)
    assert again == trained and again.accuracy == trained.accuracy and again.n == (24, 28)
    for layer in LAYERS:
        assert torch.equal(again.weights[layer], trained.weights[layer])
    with np.load(path, allow_pickle=False) as file:
        assert json.loads(file["told"].item())["name"] == "stripes"
    assert [file.name for file in tmp_path.iterdir()] == ["stripes.npz"]


def test_a_file_of_something_else_is_refused(tmp_path):
    pickled, text, empty = tmp_path / "a.npz", tmp_path / "b.npz", tmp_path / "c.npz"
    np.savez(pickled, told=np.array({"x": 1}, dtype=object))
    text.write_text("not a facet")
    np.savez(empty, weights=np.zeros(3))
    for path in (pickled, text, empty, tmp_path / "none.npz"):
        with pytest.raises(cb.ClipbenchError, match="not a facet that clipbench has written"):
            load_facet(path)


def test_a_folder_that_is_missing_is_named(trained, tmp_path):
    with pytest.raises(cb.ClipbenchError, match="cannot write .*missing"):
        trained.save(tmp_path / "missing" / "a.npz")


def test_published_tensors_load_in_the_order_of_their_layers(tiny, tmp_path):
    arrays = [numbers(1, tiny.layer(layer).channels, 4, 4).double().numpy() for layer in LAYERS]
    files = [tmp_path / layer / "face_spatial.npy" for layer in LAYERS]
    for file, array in zip(files, arrays, strict=True):
        file.parent.mkdir()
        np.save(file, array)
    probe = published_facet(files, LAYERS)
    assert probe.name == "face"
    for layer, array in zip(LAYERS, arrays, strict=True):
        np.testing.assert_allclose(probe.weights[layer].numpy(), array[0], rtol=1e-6)
    probe.check(tiny)
    with pytest.raises(cb.ClipbenchError, match="2 files do not fit 5 layers"):
        published_facet(files)
    np.save(files[0], np.zeros((2, 3)))
    with pytest.raises(cb.ClipbenchError, match="a facet is"):
        published_facet(files, LAYERS)
    np.save(files[0], np.array([None]), allow_pickle=True)
    with pytest.raises(cb.ClipbenchError, match="cannot be read"):
        published_facet(files, LAYERS)
