"""Which units did it: against sums that must come out."""

import json

import numpy as np
import pytest
import torch

import clipbench as cb
from clipbench.attacks import Curve, Defence, SearchResult, Why, explanation
from clipbench.classify import as_classifier

LABELS = ["apple", "iPod", "mug"]


@pytest.fixture(scope="module")
def pairs(chaos):
    before = [chaos.crop(one.image) for one in cb.samples()[:3]]
    return before, [cb.overlay(picture, "iPod", size=60) for picture in before]


def logits(classifier, images):
    read = cb.models.Read("embedding")
    with torch.no_grad():
        features = classifier.model.read(classifier.model.pixels(images), [read])[read].flatten(1)
        return classifier.logits(features)


@pytest.mark.parametrize(("points", "missing"), [(8, 0.1), (64, 0.02)])
def test_the_units_sum_to_the_real_change(chaos, pairs, monkeypatch, points, missing):
    """Nearly with the usual points; with more of them what is missing goes away."""
    monkeypatch.setattr(explanation, "POINTS", points)
    before, after = pairs
    classifier = as_classifier(chaos, LABELS)
    told = cb.why(classifier, before, after, target="iPod", against=["apple", "mug", "apple"])
    first, last = logits(classifier, before), logits(classifier, after)
    others = [0, 2, 0]
    moved = last - first
    real = [(moved[row, 1] - moved[row, other]).item() for row, other in enumerate(others)]
    assert told.change == pytest.approx(real, abs=1e-4)
    assert np.abs(told.added.sum(axis=1) - told.change).max() < missing * np.abs(told.change).max()
    assert told.places.sum(axis=(1, 2)) == pytest.approx(told.added.sum(axis=1), abs=1e-3)
    assert told.added.shape == (3, 1280) and told.layer == chaos.last_layer
    assert told.against == ("apple", "mug", "apple") and told.provenance.n == 3


def test_at_the_embedding_a_unit_s_part_is_the_integral_of_its_slope(control):
    """The control's logits are linear in its embedding, so a unit's part is weight times change exactly."""
    before = [one.image for one in cb.samples()[:2]]
    after = [cb.overlay(control.crop(image), "iPod", size=60) for image in before]
    others = ["laptop computer", "coffee mug"]
    told = cb.why(control, before, after, target="iPod", against=others, layer="embedding")
    change = (control.activations(after, "embedding") - control.activations(before, "embedding")).flatten(1)
    weight = control.network.get_classifier().weight.detach()
    row = weight[control.classes.index("iPod")]
    rows = [row - weight[control.classes.index(other)] for other in others]
    assert told.added == pytest.approx((change * torch.stack(rows)).numpy(), abs=1e-3)
    assert told.explained == pytest.approx(1, abs=1e-2)


def test_units_are_ranked_and_named(chaos, pairs, tmp_path):
    seen = [LABELS[place] for place in logits(as_classifier(chaos, LABELS), pairs[0]).argmax(dim=1)]
    unseen = next(label for label in LABELS if label not in seen)  # against itself nothing would change
    told = cb.why(chaos, *pairs, target=unseen, labels=LABELS)
    top = told.top(5)
    means = told.added.mean(axis=0)
    assert [say.added for say in top] == sorted(means.tolist(), reverse=True)[:5]
    assert [cb.Unit.parse(say.unit, chaos).channel for say in top] == list(told.ranked[:5])
    assert sum(say.share for say in told.top(1280)) == pytest.approx(1, abs=1e-3)
    assert list(told.against) == seen  # what the model saw before
    assert json.dumps(told.as_dict())
    again = Why.load(told.save(tmp_path / "x.npz"))
    for name in ("added", "places", "change"):
        assert np.array_equal(getattr(again, name), getattr(told, name))
    assert (again.against, again.provenance, again.top(9)) == (told.against, told.provenance, told.top(9))


def test_where_nothing_changed_there_is_nothing_to_explain(chaos, pairs):
    told = cb.why(chaos, pairs[0][:1], pairs[0][:1], target="iPod", labels=LABELS)
    assert told.explained is None and not told.added.any() and told.change == 0
    assert all(say.share == 0 for say in told.top(3))


def test_replacing_by_what_flows_changes_nothing_and_by_another_s_gives_its_answer(chaos, pairs):
    """At the last layer nothing but its values leads on, so they carry the whole answer."""
    before, after = (chaos.pixels(images) for images in pairs)
    layer, head = cb.models.Read(chaos.last_layer), cb.models.Read("embedding")
    values = chaos.read(after, [layer])[layer]
    with chaos.replace(layer.layer, values):
        swapped = chaos.read(before, [head])[head]
    torch.testing.assert_close(swapped, chaos.read(after, [head])[head])
    assert not torch.allclose(swapped, chaos.read(before, [head])[head])


def test_pictures_get_their_own_values_however_many_passes_show_them(chaos, pairs):
    pictures = [*pairs[0], *pairs[1]] * 3
    layer, others = cb.models.Read(chaos.last_layer), pictures[::-1]
    values, expected = chaos.read(chaos.pixels(others), [layer])[layer], chaos.encode_image(others)
    with chaos.replace(layer.layer, values):
        for _ in range(2):
            torch.testing.assert_close(chaos.encode_image(pictures), expected, rtol=1e-3, atol=1e-4)
        with pytest.raises(cb.ClipbenchError, match="values for 18 pictures do not fit 20"):
            chaos.encode_image([*pictures, *pictures[:2]])


def test_holding_equals_ablating_and_nan_leaves_alone(chaos, pairs):
    held = torch.full((1280,), torch.nan)
    with chaos.hold("conv_head", held):
        untouched = chaos.encode_image(pairs[0])
    torch.testing.assert_close(untouched, chaos.encode_image(pairs[0]))
    held[[3, 550]] = torch.tensor([0.5, 0.5])
    with chaos.hold("conv_head", held):
        ours = chaos.encode_image(pairs[0])
    with chaos.ablate(["conv_head:3", "conv_head:550"], 0.5):
        torch.testing.assert_close(ours, chaos.encode_image(pairs[0]))
    with pytest.raises(cb.ClipbenchError, match="does not fit layer 'conv_head'"):
        chaos.hold("conv_head", held[:7]).__enter__()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"target": "ipod"}, "unknown label 'ipod'; did you mean 'iPod'"),
        ({"layer": "conv_haed"}, "did you mean 'conv_head'"),
        ({"against": ["apple"]}, "there are 1 other labels for 3 images"),
    ],
)
def test_bad_input(chaos, pairs, change, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        cb.why(chaos, *pairs, **{"target": "iPod", "labels": LABELS, **change})
    with pytest.raises(cb.ClipbenchError, match="3 images before and 2 after"):
        cb.why(chaos, pairs[0], pairs[1][:2], target="iPod", labels=LABELS)


def test_files_that_are_something_else(tmp_path):
    (tmp_path / "x").write_text("[]")
    for kind in (Curve, Defence, SearchResult, Why):
        for path in (tmp_path / "x", tmp_path / "none"):
            with pytest.raises(cb.ClipbenchError, match="that clipbench has written"):
                kind.load(path)
