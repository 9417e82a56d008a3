"""Classifiers made of labels, against open_clip's own and sums done by hand."""

import open_clip
import pytest
import torch

import clipbench as cb
from clipbench.classify import class_weights
from clipbench.models import classes_of
from clipbench.models.loading import MINI

LABELS = ["apple", "iPod", "laptop", "mug", "Eiffel tower"]


@pytest.fixture(scope="module")
def photos():
    return [sample.image for sample in cb.samples()[:6]]


@pytest.fixture(scope="module")
def plain():
    """mini as open_clip itself loads and calls it."""
    network, _, transform = open_clip.create_model_and_transforms(f"local-dir:{MINI}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{MINI}", bpe_path=str(MINI / "merges.txt.gz"))
    return network.eval(), transform, tokenizer


def test_zero_shot_is_open_clips_forward_pass(mini, photos, plain):
    network, transform, tokenizer = plain
    with torch.no_grad():
        image, text, scale = network(
            torch.stack([transform(photo) for photo in photos]),
            tokenizer([f"a photo of a {label}" for label in LABELS]),
        )
    expected = (scale * image @ text.T).softmax(dim=1)
    probabilities = cb.zero_shot(mini, photos, LABELS)
    torch.testing.assert_close(probabilities, expected, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(6))


def test_an_ensemble_is_open_clips_zero_shot_classifier(mini, plain):
    network, _, tokenizer = plain
    templates = ["a photo of a {}", "a drawing of a {}", "the word {}"]
    as_functions = [lambda label, t=template: t.format(label) for template in templates]
    weights = open_clip.build_zero_shot_classifier(network, tokenizer, LABELS, as_functions)
    torch.testing.assert_close(class_weights(mini, LABELS, templates), weights.T, atol=1e-4, rtol=1e-3)


def test_the_order_of_labels_does_not_matter(mini, photos):
    forwards, backwards = cb.zero_shot(mini, photos, LABELS), cb.zero_shot(mini, photos, LABELS[::-1])
    torch.testing.assert_close(forwards, backwards.flip(1))


def test_a_label_of_the_control_is_the_sum_over_the_classes_that_contain_it(control, photos):
    labels = ["apple", "mug", "iPod"]
    names, probabilities = cb.class_probabilities(control, photos, labels)
    everything = control.logits(photos).softmax(dim=1)
    sums = []
    for label in labels:
        inside = [f" {label.lower()} " in f" {name.lower()} ".replace(")", " ") for name in control.classes]
        sums.append(everything[:, torch.tensor(inside)].sum(dim=1))
    expected = torch.stack(sums, dim=1)
    expected = expected / expected.sum(dim=1, keepdim=True)
    assert names == tuple(labels)
    torch.testing.assert_close(probabilities, expected)
    apples = [control.classes[i] for i in classes_of(control, "apple")]
    assert apples == ["Granny Smith apple", "cherimoya (custard apple)"]
    assert classes_of(control, "APPLE") == classes_of(control, "apple")


def test_without_labels_the_control_answers_in_all_its_classes(control, photos):
    names, probabilities = cb.class_probabilities(control, photos)
    assert names == control.classes and probabilities.shape == (6, 1000)
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(6))


@pytest.mark.parametrize(
    ("labels", "template", "sentence"),
    [
        ([], "a photo of a {}", "no labels"),
        (["apple", " "], "a photo of a {}", "empty label"),
        (["apple", "mug", "apple "], "a photo of a {}", "'apple' is there twice"),
        ("apple", "a photo of a {}", "list of strings"),
        (["apple", "mug"], "a photo", "no place for the label"),
        (["apple", "mug"], [], "no template"),
        (["apple", "mug"], ["a {}", "a photo"], "no place for the label"),
    ],
)
def test_labels_and_templates_that_make_no_classifier(mini, photos, labels, template, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        cb.zero_shot(mini, photos, labels, template)


def test_each_kind_of_model_says_what_it_cannot_do(control, photos):
    with pytest.raises(cb.ClipbenchError, match="no text tower"):
        cb.zero_shot(control, photos, LABELS)
    with pytest.raises(cb.ClipbenchError, match="unknown class of .* 'appel'"):
        cb.class_probabilities(control, photos, ["mug", "appel"])
    with pytest.raises(cb.ClipbenchError, match="no images"):
        cb.class_probabilities(control, [])
