"""Circuits against closed forms: a hand-made network, weights of real layers, twins with other weights."""

import copy

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision.transforms import CenterCrop, Compose, Normalize, Resize, ToTensor

import clipbench as cb
from clipbench.models import ImageModel
from clipbench.studies import Circuit, circuit, trace

SIDE = 12


class TwoLayers(nn.Module):
    """A point-wise layer, a ReLU, and a layer of 3 × 3 kernels."""

    feature_info = [{"module": "first"}, {"module": "second"}]

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 5, 1), nn.Conv2d(5, 2, 3, padding=1)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(pixels).relu())


def modelled(network: nn.Module) -> ImageModel:
    transform = Compose([Resize(SIDE), CenterCrop(SIDE), ToTensor(), Normalize([0.0] * 3, [1.0] * 3)])
    return ImageModel(network, network, "hand-made", "0123456789ab", transform, {})


@pytest.fixture
def network() -> TwoLayers:
    """Units 0 to 2 below are red, green and blue; unit 3 is never above zero; unit 4 is red, less 0.5."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = TwoLayers()
    first = torch.zeros(5, 3)
    first[[0, 1, 2, 3, 4], [0, 1, 2, 0, 0]] = torch.tensor([1.0, 1, 1, -1, 1])
    with torch.no_grad():
        network.first.weight.copy_(first[:, :, None, None])
        network.first.bias.copy_(torch.tensor([0.01, 0.01, 0.01, -1, -0.5]))
    return network


@pytest.fixture(scope="module")
def images() -> list[Image.Image]:
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)) for _ in range(6)]


@pytest.fixture(scope="module")
def photos() -> list[Image.Image]:
    return [each.image for each in cb.samples()[::8]]


def edge(found: Circuit, unit: str):
    return next(each for each in found.edges if each.unit == unit)


def test_a_kernel_is_the_weights_where_the_relu_is_open(network, images):
    found = circuit(modelled(network), "second:0@5,5", images, edges=5, top=2)
    for channel in (0, 1, 2):
        expected = network.second.weight[0, channel].numpy()
        np.testing.assert_allclose(edge(found, f"first:{channel}").kernel, expected, rtol=1e-5)


def test_a_unit_that_never_passes_its_relu_builds_nothing(network, images):
    found = circuit(modelled(network), "second:0@5,5", images, edges=5, top=2)
    closed = edge(found, "first:3")
    assert not closed.kernel.any() and not closed.predicted.any() and not closed.measured.any()
    assert not closed.confirmed


def test_predicted_is_measured_where_all_is_linear(network, images):
    """second:0@5,5 is Σ w·x: without one x's deviation from its mean it is that much smaller."""
    model = modelled(network)
    found = circuit(model, "second:0@5,5", images, edges=5, top=2)
    pixels = model.pixels(images)
    for channel in (0, 1, 2):
        weights, plane = network.second.weight[0, channel], pixels[:, channel]
        patches = plane[list(found.photos), 4:7, 4:7] - plane.mean()
        expected = (patches * weights).sum(dim=(1, 2)).numpy()
        built = edge(found, f"first:{channel}")
        np.testing.assert_allclose(built.predicted, expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(built.measured, expected, rtol=1e-4, atol=1e-5)


def test_measured_is_what_a_twin_with_other_weights_gives(network, images):
    """Holding a unit at its mean is the same as a first layer whose row is that constant."""
    model = modelled(network)
    found = circuit(model, "second:1", images, edges=5, top=3)
    pixels = model.pixels(images)
    with torch.no_grad():
        first, plain = network.first(pixels), network(pixels)[:, 1].flatten(1)
        for built in found.edges:
            channel, twin = int(built.unit.partition(":")[2]), copy.deepcopy(network)
            twin.first.weight[channel], twin.first.bias[channel] = 0, first[:, channel].mean()
            where = plain.argmax(dim=1, keepdim=True)
            falls = (plain - twin(pixels)[:, 1].flatten(1)).gather(1, where)[list(found.photos), 0]
            np.testing.assert_allclose(built.measured, falls.numpy(), rtol=1e-4, atol=1e-5)


def test_the_photos_are_those_that_excite_the_unit_most(network, images):
    model = modelled(network)
    found = circuit(model, "second:1", images, edges=1, top=3)
    strongest = model.activations(images, "second")[:, 1].amax(dim=(1, 2))
    assert list(found.photos) == strongest.argsort(descending=True)[:3].tolist()
    np.testing.assert_allclose(found.activation, strongest[list(found.photos)].numpy(), rtol=1e-6)


def test_point_wise_layers_of_a_real_network_give_their_weights(control, photos):
    """conv_head is a 1 × 1 convolution of blocks.6, so that all is linear."""
    found = circuit(control, "conv_head:5", photos, edges=4, top=2)
    assert found.lower == "blocks.6"
    weights = control.tower.conv_head.weight[5, :, 0, 0].numpy()
    np.testing.assert_allclose(found.kernels[:, 0, 0], weights[found.units], rtol=1e-5)
    np.testing.assert_allclose(found.predicted, found.measured, rtol=2e-3, atol=2e-4)
    assert found.agreement > 0.999
    assert not set(found.others) & set(found.units)


def test_a_class_is_built_by_its_weights(control, photos):
    found = circuit(control, "logits:817", photos, edges=3, top=1)
    assert found.lower == "conv_head"
    weights = control.tower.classifier.weight[817].numpy() / 49  # the mean over 7 × 7 positions
    for built, kernel in zip(found.units, found.kernels, strict=True):
        np.testing.assert_allclose(kernel, np.full((7, 7), weights[built]), rtol=1e-5)
    np.testing.assert_allclose(found.predicted, found.measured, rtol=2e-3, atol=2e-4)


def test_a_kernel_between_blocks_is_centred(tiny, photos):
    """The gradient of a strided block reaches a few positions around where the unit is, not anywhere."""
    found = circuit(tiny, "layer3:2", photos, edges=2, top=2)
    side = found.kernels.shape[-1]
    assert found.lower == "layer2" and side % 2 == 1 and found.kernels.any()
    assert side <= 2 * tiny.image_size // tiny.layer("layer2").stride


def test_an_edge_is_confirmed_when_it_beats_every_random_unit():
    told = {"unit": "b:0", "lower": "a", "photos": (0, 1), "activation": np.ones(2), "agreement": 1.0}
    kernels, units = np.zeros((4, 1, 1), np.float32), np.arange(4)
    predicted = np.array([[1, 1], [1, 1], [-1, -1], [-1, -1]])
    measured = np.array([[2, 4], [0.1, 0.2], [-2, -1], [3, 3]])
    others, effects = np.array([7, 8]), np.array([[0.5, 0.5], [-1, -0.8]])
    provenance = cb.Provenance("m", "0", "r")
    found = Circuit(
        **told, units=units, kernels=kernels, predicted=predicted, measured=measured,
        others=others, other_effects=effects, provenance=provenance,
    )  # fmt: skip
    sure = {each.unit: each.confirmed for each in found.edges}
    assert sure == {"a:0": True, "a:1": False, "a:2": True, "a:3": False}  # weaker than 0.9; the wrong sign
    assert [each.effect for each in found.edges] == sorted(measured.mean(axis=1), reverse=True)
    assert edge(found, "a:3").agreeing.hits == 0 and edge(found, "a:0").agreeing.n == 2


def test_it_is_told_a_unit_at_a_time(network, images):
    steps = list(trace(modelled(network), "second:0", images, edges=3, top=2))
    assert [step.done for step in steps] == [1, 2, 3, 4, 5, 5]  # two are left to be the random ones
    assert all(step.result is None for step in steps[:-1]) and steps[-1].result is not None


def test_it_is_saved_and_read_back(network, images, tmp_path):
    found = circuit(modelled(network), "second:0", images, edges=3, top=2)
    again = Circuit.load(found.save(tmp_path / "circuit.npz"))
    assert again.as_dict() == found.as_dict()
    (tmp_path / "other.npz").write_bytes(b"no")
    with pytest.raises(cb.ClipbenchError, match="no circuit that clipbench has written"):
        Circuit.load(tmp_path / "other.npz")


@pytest.mark.parametrize(
    ("unit", "options", "message"),
    [
        ("first:0", {}, "first layer"),
        ("second:0", {"lower": "second"}, "not below"),
        ("second:0", {"lower": "frist"}, "did you mean 'first'"),
        ("second:9", {}, "no channel 9"),
        ("second:0", {"edges": 6}, "has 1 to 5 units"),
        ("second:0", {"top": 6}, "6 images are too few"),
        ("second:0@50,0", {"top": 2}, "outside"),
    ],
)
def test_bad_input_gets_one_sentence(network, images, unit, options, message):
    with pytest.raises(cb.ClipbenchError, match=message):
        circuit(modelled(network), unit, images, **{"edges": 2, "top": 2} | options)


def test_the_figure_has_an_edge_for_each_unit(network, images):
    found = circuit(modelled(network), "second:0", images, edges=3, top=2)
    face = Image.new("RGB", (8, 8))
    drawn = cb.figures.circuit(found, {found.unit: face, found.edges[0].unit: face})
    assert len(drawn.layout.shapes) == 3
    assert len(drawn.layout.images) == 3 + 2  # kernels, and two units that have pictures
    colours = [shape.line.color for shape in drawn.layout.shapes]
    assert colours == ["#0072B2" if each.effect > 0 else "#D55E00" for each in found.edges]


def test_a_kernels_picture_is_blue_where_it_excites():
    picture = np.array(cb.figures.kernel_picture(np.array([[1.0, 0.0, -1.0]]), 1.0))
    at = [tuple(picture[56, column].tolist()) for column in (10, 56, 100)]
    assert at == [(0, 114, 178), (255, 255, 255), (213, 94, 0)]
