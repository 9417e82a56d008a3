"""A picture before and after a change: the same as asking the classifiers twice by hand."""

import numpy as np
import pytest
import torch

import clipbench as cb
from clipbench import Probe, Provenance
from clipbench.classify import embed
from clipbench.intervals import Rate
from clipbench.stimuli import sample

LABELS = ["apple", "library", "mug"]
CONTROL = "timm/tf_efficientnet_lite0"


@pytest.fixture(scope="module")
def apple():
    return sample("apple").image


@pytest.fixture(scope="module")
def covered(apple):
    return cb.paper(apple, "library", width=0.65)


@pytest.fixture(scope="module")
def control():
    return cb.load(CONTROL, device="cpu")


@pytest.mark.parametrize("template", ["a photo of a {}", ["a {}", "the word {}"]])
def test_of_a_clip_it_is_zero_shot_twice(apple, covered, template):
    model = cb.load("mini", device="cpu")
    result = cb.before_after(model, apple, covered, LABELS, template, change="with a paper")
    assert result.labels == tuple(LABELS) and result.missing == () and result.own is None
    for image, shares in ((apple, result.before), (covered, result.after)):
        np.testing.assert_allclose(shares, cb.zero_shot(model, [image], LABELS, template)[0], atol=1e-5)
    assert result.winners == ("apple", "library") and result.flipped
    assert "with a paper" in result.provenance.recipe and "3 labels" in result.provenance.recipe


def test_of_a_network_with_classes_it_is_its_classes_in_words(control, apple, covered):
    result = cb.before_after(control, apple, covered, [*LABELS, "zorgle"])
    assert result.labels == tuple(LABELS) and result.missing == ("zorgle",)
    logits = control.logits([apple, covered]).softmax(dim=1).numpy()
    names = {  # as open_clip lists them
        "apple": ["Granny Smith apple", "cherimoya (custard apple)"],
        "library": ["library"],
        "mug": ["coffee mug"],
    }
    numbers = [[control.classes.index(name) for name in names[label]] for label in LABELS]
    sums = np.stack([logits[:, columns].sum(axis=1) for columns in numbers], axis=1)
    wanted = sums / sums.sum(axis=1, keepdims=True)
    np.testing.assert_allclose([result.before, result.after], wanted, atol=1e-5)
    assert not result.flipped
    assert [name for name, _ in result.own] == [control.classes[row.argmax()] for row in logits]
    assert [share for _, share in result.own] == pytest.approx(logits.max(axis=1), abs=1e-5)


def test_without_labels_a_network_answers_in_all_its_classes(control, apple, covered):
    result = cb.before_after(control, apple, covered, None)
    assert result.labels == control.classes and result.before.sum() == pytest.approx(1)


def test_a_probe_answers_for_the_labels_that_are_words_of_its_own(control, apple, covered):
    own = ("Granny Smith", "iPod", "coffee mug", "apple pie")
    features = torch.from_numpy(embed(control, [apple, covered]))
    weights, bias = torch.randn(4, features.shape[1]) / 20, torch.tensor([0.5, 0.0, 0.0, -0.5])
    trained = Provenance(control.name, control.weights_hash, "by hand", n=9)
    probe = Probe(control, own, weights, bias, "logistic regression", Rate(1, 2), (), trained)
    result = cb.before_after(probe, apple, covered, ["mug", "iPod", "zorgle"])
    shares = (features @ weights.T + bias).softmax(dim=1)
    wanted = shares[:, [2, 1]] / shares[:, [2, 1]].sum(dim=1, keepdim=True)
    np.testing.assert_allclose([result.before, result.after], wanted, atol=1e-5)
    assert result.labels == ("mug", "iPod") and result.missing == ("zorgle",)
    assert [name for name, _ in result.own] == [own[place] for place in shares.argmax(dim=1)]
    assert result.provenance.model == CONTROL and "logistic regression" in result.provenance.recipe
    with pytest.raises(cb.ClipbenchError, match="class of the logistic regression"):
        cb.before_after(probe, apple, covered, ["zorgle"])


def test_labels_are_ranked_by_the_larger_probability():
    rows = np.array([[0.5, 0.3, 0.2, 0.0], [0.1, 0.2, 0.1, 0.6]], np.float32)
    result = cb.classify.BeforeAfter(("a", "b", "c", "d"), *rows, provenance=None)
    assert result.ranked == ("d", "a", "b", "c") and result.winners == ("a", "d")


@pytest.mark.parametrize(
    ("name", "labels", "sentence"),
    [
        ("mini/random", None, "has no classes of its own"),
        ("mini/random", [], "there are no labels"),
        ("mini/random", ["a", "a"], "'a' is there twice"),
        (CONTROL, ["aple"], "unknown class .* 'aple'"),
    ],
)
def test_what_cannot_be_asked(apple, name, labels, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        cb.before_after(cb.load(name, device="cpu"), apple, apple, labels)
