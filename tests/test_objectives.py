"""Objectives of batches, photos, labels and other models, against loops and definitions written out."""

import copy

import numpy as np
import pytest
import timm
import torch
from open_clip import IMAGENET_CLASSNAMES
from torchvision.transforms import CenterCrop, Compose, Normalize, Resize, ToTensor
from torchvision.transforms.functional import to_pil_image

import clipbench as cb
from clipbench.classify.probe import Probe
from clipbench.intervals import Rate
from clipbench.models import Read, VisionModel
from clipbench.optvis.objectives import Seen
from clipbench.optvis.objectives.base import Objective, single
from clipbench.optvis.objectives.words import Probed
from clipbench.optvis.original import Original

objectives = cb.objectives
a, b = objectives.channel("layer3", 1), objectives.channel("layer3", 2)
AFTER = Read("layer2", relu=True)


def seen(model, goal, pixels):
    return Seen(model.read(pixels, goal.reads) if goal.reads else {}, pixels, lambda other: other, 32)


def value(model, objective, pixels):
    goal = objective.bind(model)
    return goal.value(seen(model, goal, pixels))


@pytest.fixture(scope="module")
def transformer():
    """A vision transformer of random weights, which takes pictures of 64 px only."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = timm.create_model("test_vit", num_classes=5, img_size=64)
    transform = Compose([Resize(64), CenterCrop(64), ToTensor(), Normalize([0.5] * 3, [0.5] * 3)])
    return VisionModel(network, "transformer", "0123456789ab", transform)


@pytest.fixture(scope="module")
def pixels():
    pixels = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return pixels.requires_grad_()


@pytest.fixture(scope="module")
def photo():
    return to_pil_image(torch.rand(3, 40, 48, generator=torch.Generator().manual_seed(1)))


@pytest.fixture(scope="module")
def maps():
    return torch.randn(3, 64, 2, 3, generator=torch.Generator().manual_seed(3)).relu()


# batches


def gram_cosines(maps):
    """Lucid's double loop: for each picture the sum of its Gram matrix's cosines with the others'."""
    grams = [m.reshape(len(m), -1) @ m.reshape(len(m), -1).T for m in maps.numpy().astype(np.float64)]
    grams = [gram / np.linalg.norm(gram) for gram in grams]
    return [sum((g * h).sum() for j, h in enumerate(grams) if j != i) for i, g in enumerate(grams)]


def test_diversity_is_lucids_double_loop_over_gram_matrices(tiny, maps):
    result = objectives.diversity("layer2").bind(tiny).value({AFTER: maps})
    np.testing.assert_allclose(result.numpy(), gram_cosines(maps), rtol=1e-5)


def test_equal_pictures_have_the_largest_likeness(tiny, maps):
    same = objectives.diversity("layer2").bind(tiny).value({AFTER: maps[:1].expand(4, -1, -1, -1)})
    torch.testing.assert_close(same, torch.full((4,), 3.0))


def test_diversity_of_attributions_weighs_activations_with_their_gradient(tiny, pixels):
    goal = a.bind(tiny)
    acts = tiny.read(pixels, [*goal.reads, AFTER])
    (gradient,) = torch.autograd.grad(acts[Read("layer3")][:, 1].mean(dim=(1, 2)).sum(), acts[AFTER])
    expected = gram_cosines((acts[AFTER] * gradient).detach())
    result = value(tiny, objectives.diversity("layer2", a), pixels).detach()
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-4)


def test_attributions_reach_back_through_tokens(transformer):
    goal, read = objectives.channel("blocks.1", 3), Read("blocks.0", relu=True)
    pictures = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(7))
    acts = transformer.read(pictures.requires_grad_(), [Read("blocks.1"), read])
    (gradient,) = torch.autograd.grad(acts[Read("blocks.1")][:, 3].mean(dim=(1, 2)).sum(), acts[read])
    expected = gram_cosines((acts[read] * gradient).detach())
    result = value(transformer, objectives.diversity("blocks.0", goal), pictures).detach()
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-4)


def test_alignment_is_the_mean_square_between_neighbours(tiny, maps):
    four = torch.cat([maps, maps[:1] + 1])
    result = objectives.alignment("layer2", 3).bind(tiny).value({AFTER: four})
    for i in range(4):
        expected = sum(((four[i] - four[j]) ** 2).mean() / 3 ** abs(i - j) for j in range(4) if j != i)
        torch.testing.assert_close(result[i], -expected)


def test_interpolation_goes_from_one_objective_to_the_other(tiny, pixels):
    first, last = value(tiny, a, pixels), value(tiny, b, pixels)
    result = value(tiny, objectives.interpolate(a, b), pixels)
    torch.testing.assert_close(result, torch.stack([first[0], (first[1] + last[1]) / 2, last[2]]))


def test_an_objective_in_a_batch_is_still_compared_with_the_others(tiny, pixels):
    alone = value(tiny, a - 0.5 * objectives.diversity("layer2"), pixels)
    batch = objectives.batch([a - 0.5 * objectives.diversity("layer2")] * 3)
    torch.testing.assert_close(value(tiny, batch, pixels), alone)


# labels


def test_a_label_is_its_logit_above_the_mean_of_imagenets_names(mini):
    embedding = torch.randn(2, mini.heads["embedding"].channels, generator=torch.Generator().manual_seed(0))
    acts = {Read("embedding"): embedding[:, :, None, None]}

    def cosine(word: str) -> torch.Tensor:
        return objectives.text(f"a drawing of a {word}").bind(mini).value(acts)

    above = objectives.label("cat", "a drawing of a {}").bind(mini).value(acts)
    names = list(dict.fromkeys(IMAGENET_CLASSNAMES))[::10]
    mean = torch.stack([cosine(name) for name in names]).mean(dim=0)
    torch.testing.assert_close(above, mini.logit_scale * (cosine("cat") - mean), rtol=1e-3, atol=1e-3)


def test_a_label_of_a_classifier_is_the_logit_of_its_classes(tiny):
    logits = {Read("logits"): torch.randn(2, 5, 1, 1, generator=torch.Generator().manual_seed(0))}
    one = objectives.label("class 3").bind(tiny).value(logits)
    torch.testing.assert_close(one, logits[Read("logits")][:, 3, 0, 0])
    every = objectives.label("class").bind(tiny).value(logits)
    torch.testing.assert_close(every, logits[Read("logits")].flatten(1).exp().sum(1).log())


def test_a_label_of_a_probe_is_the_probes_own_logit(tiny):
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(3, tiny.heads["embedding"].channels, generator=generator)
    weights, bias = torch.randn(2, features.shape[1], generator=generator), torch.tensor([0.5, -2.0])
    origin = cb.Provenance(tiny.name, tiny.weights_hash, "by hand", n=0)
    probe = Probe(tiny, ("cat", "dog"), weights, bias, "probe", Rate(1, 1), ("emu",), origin)
    acts = {Read("embedding"): features[:, :, None, None]}
    logits = objectives.label("dog", probe=probe).bind(tiny).value(acts)
    torch.testing.assert_close(logits, probe.logits(features)[:, 1])
    with pytest.raises(cb.ClipbenchError, match="no data for 'emu'"):
        objectives.label("emu", probe=probe)


# photos and other models


def test_inversion_is_the_relative_squared_distance_to_the_photo(tiny, pixels, photo):
    own = Original(photo).pixels(32)
    target = tiny.read(own, [AFTER])[AFTER]
    features = tiny.read(pixels, [AFTER])[AFTER]
    expected = -((features - target) ** 2).sum(dim=(1, 2, 3)) / (target**2).sum()
    torch.testing.assert_close(value(tiny, objectives.inversion("layer2", photo), pixels), expected)
    assert value(tiny, objectives.inversion("layer2", photo), own).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("power", [0, 2])
def test_a_caricature_is_dot_times_clipped_cosine_to_a_power(tiny, pixels, photo, power):
    target = tiny.read(Original(photo).pixels(32), [AFTER])[AFTER].flatten()
    result = value(tiny, objectives.caricature("layer2", photo, power), pixels)
    for features, got in zip(tiny.read(pixels, [AFTER])[AFTER].flatten(1), result, strict=True):
        cosine = torch.nn.functional.cosine_similarity(features, target, dim=0)
        expected = features @ target / target.norm() * cosine.clamp(min=0.1) ** power
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-6)


def test_the_photo_is_shown_in_the_same_view_as_the_picture(tiny, pixels, photo):
    goal = objectives.inversion("layer2", photo).bind(tiny)
    own = Original(photo).pixels(32).flip(3)
    mirrored = Seen(tiny.read(own, goal.reads), own, lambda other: other.flip(3), 32)
    assert goal.value(mirrored).item() == pytest.approx(0, abs=1e-6)


def test_an_objective_elsewhere_is_that_of_the_other_model(tiny, pixels):
    other = copy.deepcopy(tiny)
    with torch.no_grad():
        for number, weight in enumerate(other.network.parameters()):
            weight.mul_(0.9 + 0.05 * (number % 5))
    expected = value(tiny, a, pixels) - value(other, a, pixels)
    assert expected.abs().max() > 1e-4
    torch.testing.assert_close(value(tiny, a - objectives.elsewhere(other, a), pixels), expected)


def test_a_model_of_one_size_is_shown_the_view_at_that(tiny, transformer, pixels):
    goal = objectives.channel("blocks.1", 3)
    larger = torch.nn.functional.interpolate(pixels, (64, 64), mode="bilinear", antialias=True)
    result = value(tiny, objectives.elsewhere(transformer, goal), pixels)
    torch.testing.assert_close(result, value(transformer, goal, larger))


# values, names and what is refused


def test_every_objective_prints_what_decides_it(tiny, photo):
    digest = Original(photo).digest[:8]
    texts = {
        str(objectives.diversity("layer2")): "diversity(layer2)",
        str(objectives.diversity("layer2", a)): "diversity(layer2 ⊙ ∇(channel(layer3:1)))",
        str(objectives.alignment("layer2")): "alignment(layer2, decay 2)",
        str(objectives.interpolate(a, b)): "interpolate(channel(layer3:1) → channel(layer3:2))",
        str(objectives.label("cat")): "label('cat' in 'a photo of a {}')",
        str(objectives.inversion("layer2", photo)): f"inversion(layer2: photo {digest})",
        str(objectives.caricature("layer2", photo, 4)): f"caricature(layer2: photo {digest}, power 4)",
        str(objectives.elsewhere(tiny, a)): "tiny 01234567(channel(layer3:1))",
    }
    for got, expected in texts.items():
        assert got == expected


def test_a_photo_is_a_value(photo):
    assert Original(photo) == Original(photo.copy()) != Original(photo.rotate(90))
    assert objectives.inversion("layer2", photo) == objectives.inversion("layer2", photo.copy())
    assert Original(photo).pixels(40).shape == (1, 3, 40, 40)
    exact = torch.from_numpy(np.asarray(photo)[:, 4:44].copy()).permute(2, 0, 1) / 255
    assert torch.equal(Original(photo).pixels(40)[0], exact)


def test_equal_terms_are_computed_once(tiny):
    counted = []

    class Counting(objectives.Term):
        def bind(self, model):
            counted.append(self)
            return objectives.Bound(frozenset(), lambda acts: torch.ones(1))

    term = Counting()
    bound = Objective(((1.0, term), (0.5, term))).bind(tiny)
    assert bound.value({}).item() == 1.5 and len(counted) == 1


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: a - a, "leave nothing to excite"),
        (lambda: 0.1 * a + 0.2 * a - 0.3 * a, "leave nothing to excite"),
        (lambda: 0 * a, "leave nothing to excite"),
        (lambda: Objective(()), "an empty objective leave nothing"),
        (lambda: objectives.batch([a, b - b]), "leave nothing to excite"),
        (lambda: float("nan") * a, "a finite number"),
        (lambda: objectives.diversity("layer9"), "did you mean"),
        (lambda: objectives.diversity("layer4", a), "ends at 'layer3'; choose an earlier layer"),
        (lambda: objectives.diversity("layer3", a), "choose an earlier layer"),
        (lambda: objectives.alignment("layer1", 0), "more than 0"),
        (lambda: objectives.label("zebra"), "unknown class of tiny 'zebra'"),
        (lambda: objectives.label(" "), "at least one word"),
        (lambda: single(Probed("cat", "a probe", "0123456789", (1.0,), 0.0)), "trained on weights 01234567"),
        (lambda: objectives.inversion("layer2", "photo.jpg"), "a PIL image is needed"),
    ],
)
def test_an_objective_that_cannot_be_gets_one_sentence(tiny, make, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        make().bind(tiny)


def test_one_picture_has_nothing_to_differ_from(tiny, maps):
    for objective in (objectives.diversity("layer2"), objectives.alignment("layer2")):
        with pytest.raises(cb.ClipbenchError, match="batch=2 or more"):
            objective.bind(tiny).value({AFTER: maps[:1]})


def test_a_template_needs_a_place_for_the_label(mini):
    with pytest.raises(cb.ClipbenchError, match="no place for the label"):
        objectives.label("cat", "a photo").bind(mini)


def test_objectives_of_photos_run_in_the_loop(tiny, photo):
    objective = objectives.caricature("layer2", photo) + objectives.elsewhere(tiny, a)
    canvas = cb.parametrizations.fft(48)
    steps = list(cb.visualize(tiny, objective, parametrization=canvas, steps=3))
    assert steps[-1].value > steps[0].value
