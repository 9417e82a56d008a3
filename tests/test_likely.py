"""The most likely labels against a plain sort over all of them."""

import open_clip
import pytest

import clipbench as cb
from clipbench.classify.likely import imagenet_labels, most_likely


@pytest.fixture(scope="module")
def photo():
    return cb.samples()[0].image


def test_labels_are_those_of_imagenet_each_once():
    assert set(imagenet_labels()) == set(open_clip.IMAGENET_CLASSNAMES)
    assert len(imagenet_labels()) == len(set(imagenet_labels()))


def test_a_clip_is_asked_for_imagenets_names(photo):
    model = cb.load("mini", device="cpu")
    row = cb.zero_shot(model, [photo], imagenet_labels())[0].tolist()
    expected = sorted(zip(imagenet_labels(), row, strict=True), key=lambda pair: -pair[1])[:5]
    assert most_likely(model, photo) == expected


def test_a_network_with_classes_is_asked_for_its_own(photo):
    model = cb.load("timm/tf_efficientnet_lite0", device="cpu")
    row = model.logits([photo]).softmax(dim=1)[0].tolist()
    expected = sorted(zip(model.classes, row, strict=True), key=lambda pair: -pair[1])[:3]
    assert most_likely(model, photo, k=3) == expected
