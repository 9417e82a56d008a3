"""Pictures and texts compared, against sums done by hand and against the zero-shot classifier."""

import math

import numpy as np
import pytest

import clipbench as cb
from clipbench.stimuli import sample

NAMES = ("mug", "cat", "butterfly")
TEXTS = ["a mug for coffee", "a cat that looks at you", "a butterfly on a flower", "a wooden chair"]


@pytest.fixture(scope="module")
def photos():
    return [sample(name).image for name in NAMES]


@pytest.fixture(scope="module")
def result(mini, photos):
    return cb.similarities(mini, photos, TEXTS)


def cosine(a: list[float], b: list[float]) -> float:
    dot = math.fsum(x * y for x, y in zip(a, b, strict=True))
    return dot / math.sqrt(math.fsum(x * x for x in a) * math.fsum(y * y for y in b))


def test_each_cell_is_the_cosine_of_its_image_and_its_text(mini, photos, result):
    assert result.cosines.shape == (3, 4) and result.cosines.dtype == np.float32
    for row, photo in enumerate(photos):
        for column, text in enumerate(TEXTS):
            one, other = mini.encode_image([photo])[0].tolist(), mini.encode_text([text])[0].tolist()
            assert result.cosines[row, column] == pytest.approx(cosine(one, other), abs=1e-4)


def test_each_photo_goes_best_with_its_own_caption(result):
    assert result.best.tolist() == [0, 1, 2]


def test_a_text_does_not_change_what_others_are_like(mini, photos, result):
    fewer = cb.similarities(mini, photos[::-1], TEXTS[:2])
    np.testing.assert_allclose(fewer.cosines, result.cosines[::-1, :2], atol=1e-5)


def test_probabilities_are_the_softmax_done_by_hand(result):
    for cosines, shares in zip(result.cosines.tolist(), result.probabilities.tolist(), strict=True):
        powers = [math.exp(result.scale * cosine) for cosine in cosines]
        assert shares == pytest.approx([power / math.fsum(powers) for power in powers], rel=1e-4)


def test_labels_in_a_template_make_the_zero_shot_classifier(mini, photos):
    labels, template = ["mug", "cat", "bow tie"], "a drawing of a {}"
    texts = cb.fill_in(labels, template)
    assert texts == ["a drawing of a mug", "a drawing of a cat", "a drawing of a bow tie"]
    result = cb.similarities(mini, photos, texts)
    expected = cb.zero_shot(mini, photos, labels, template).numpy()
    np.testing.assert_allclose(result.probabilities, expected, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(result.weights, axis=1), 1, rtol=1e-5)


def test_it_says_where_it_comes_from(mini, result):
    assert result.provenance.weights_hash == mini.weights_hash
    assert "cosine of 3 images and 4 texts · n = 3" in result.provenance.caption()


@pytest.mark.parametrize(
    ("images", "texts", "sentence"),
    [
        ([], TEXTS, "no images"),
        (["apple.jpg"], TEXTS, "must be a list of PIL images"),
        (None, [], "empty text, or none at all"),
        (None, ["a mug", " "], "empty text, or none at all"),
        (None, "a mug", "must be a list of strings"),
    ],
)
def test_what_cannot_be_compared(mini, photos, images, texts, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        cb.similarities(mini, photos if images is None else images, texts)


def test_a_model_without_a_text_tower_says_so(control, photos):
    with pytest.raises(cb.ClipbenchError, match="no text tower"):
        cb.similarities(control, photos, TEXTS)


@pytest.mark.parametrize(
    ("labels", "template", "sentence"),
    [
        ([], "a {}", "no labels"),
        (["mug", "mug"], "a {}", "'mug' is there twice"),
        (["mug"], "a", "no place for the label"),
    ],
)
def test_labels_that_fill_no_template(labels, template, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        cb.fill_in(labels, template)
