"""A written word is its ink on a plain ground, and a concept has all three modalities."""

import numpy as np
import pytest
from PIL import Image

import clipbench as cb
from clipbench.stimuli import FONTS, MODALITIES
from clipbench.stimuli.lettering import ink

PICTURE = Image.new("RGB", (8, 8))


def box(word: Image.Image, ground) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is not ground."""
    rows, columns = np.nonzero((np.asarray(word) != ground).any(axis=-1))
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


@pytest.mark.parametrize("font", FONTS)
@pytest.mark.parametrize("word", ["ox", "spider", "Sydney Opera House"])
def test_a_word_spans_its_share_and_stands_in_the_middle(word, font):
    left, top, right, bottom = box(cb.written(word, font, side=200), 255)
    span = max(right - left, bottom - top)
    assert span == pytest.approx(160, abs=5)  # each letter starts at a whole pixel
    assert left + right == pytest.approx(200, abs=1) and top + bottom == pytest.approx(200, abs=1)


@pytest.mark.parametrize("place", [(0.25, 0.25), (0.75, 0.25), (0.3, 0.7)])
def test_a_word_lies_where_it_is_put(place):
    left, top, right, bottom = box(cb.written("spider", size=0.4, place=place, side=200), 255)
    middle = (left + right) / 2, (top + bottom) / 2
    assert middle == pytest.approx((200 * place[0], 200 * place[1]), abs=1.5)


def test_the_letters_are_those_of_the_ink():
    word = np.asarray(cb.written("spider", size=0.5, colour="white", ground="black"))
    height = 144 / ink("spider", "DejaVu Sans", 100.0).fill.width * 100
    letters = np.asarray(ink("spider", "DejaVu Sans", height).fill)
    left, top, right, bottom = box(Image.fromarray(word), 0)
    seen = word[top:bottom, left:right, 0]
    rows, columns = np.nonzero(letters)
    ink_only = letters[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    np.testing.assert_array_equal(seen, ink_only)


def test_colours_and_size_are_as_asked():
    word = cb.written("cat", colour="#ff0000", ground="#0000ff", side=97)
    assert word.size == (97, 97) and word.getpixel((0, 0)) == (0, 0, 255)
    assert (255, 0, 0) in {colour for _, colour in word.getcolors(maxcolors=10_000)}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"word": " "}, "no text"),
        ({"size": 0}, "size must be above 0"),
        ({"size": 1.1}, "at most 1"),
        ({"side": 0}, "side must be"),
        ({"side": 8}, "too small"),
        ({"colour": "whit"}, "unknown colour"),
        ({"ground": "whit"}, "unknown colour"),
        ({"font": "DejaVu San"}, "did you mean"),
    ],
)
def test_what_cannot_be_written_is_refused(change, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        cb.written(**{"word": "spider", **change})


def test_a_concept_keeps_its_pictures():
    one = cb.Concept("x", [PICTURE], [PICTURE, PICTURE], [PICTURE])
    assert [len(images) for images in one.modalities] == [1, 2, 1]


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("wrong", [[], PICTURE, "photo.jpg", ["photo.jpg"], iter([PICTURE])])
def test_a_concept_without_pictures_is_refused(modality, wrong):
    whole = dict.fromkeys(MODALITIES, [PICTURE])
    with pytest.raises(cb.ClipbenchError, match=f"{modality} of 'x'"):
        cb.Concept("x", **{**whole, modality: wrong})
