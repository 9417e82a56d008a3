"""The shipped photos: they open, they are small, and each is credited under a licence that allows it."""

import re
from pathlib import Path

import numpy as np
import pytest

from clipbench.errors import ClipbenchError
from clipbench.stimuli import sample, samples

ROOT = Path(__file__).parents[1]
PHOTOS = ROOT / "clipbench" / "stimuli" / "photos"
LICENCES = {"public domain", "CC0-1.0"} | {
    f"CC-BY{share}-{version}" for share in ("", "-SA") for version in ("1.0", "2.0", "2.5", "3.0", "4.0")
}


def test_about_sixty_photos_in_four_megabytes():
    assert 55 <= len(samples()) <= 75
    assert sum(path.stat().st_size for path in PHOTOS.iterdir()) <= 4 * 10**6
    listed = {one.file for one in samples()} | {"photos.json"}
    assert {path.name for path in PHOTOS.iterdir()} == listed


def test_names_are_unique_and_short():
    names = [one.name for one in samples()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z ]{1,30}", name) for name in names)
    assert all(re.fullmatch(r"[a-z][a-z ]{2,20}", one.truth) for one in samples())


def test_the_article_s_nine_come_first():
    first = samples()[:9]
    assert [one.truth for one in first] == ["apple"] * 3 + ["laptop"] * 3 + ["mug"] * 3
    assert {one.kind for one in first} == {"article"}
    assert {one.licence for one in first} == {"CC-BY-4.0"}
    assert not [one.name for one in samples()[9:] if one.kind == "article"]


def test_there_is_something_of_every_kind():
    kinds = [one.kind for one in samples()]
    assert min(kinds.count(kind) for kind in ("thing", "tool", "animal", "monument")) >= 6
    wanted = (
        "apple laptop mug coffee flower rocket astronaut hammer cat dog horse cow sheep goldfish bird tower"
    )
    assert {one.truth for one in samples()} >= set(wanted.split())


@pytest.mark.parametrize("one", samples(), ids=lambda one: one.name)
def test_each_opens_and_shows_something(one):
    image = one.image
    assert image.mode == "RGB" and image.width == image.height and 200 <= image.width <= 384
    assert one.kind != "article" or image.width <= 320
    assert np.asarray(image).std() > 10


@pytest.mark.parametrize("one", samples(), ids=lambda one: one.name)
def test_each_is_credited(one):
    assert one.licence in LICENCES
    assert one.author and one.source
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    assert f"\n{one.name}: {one.author}; {one.licence}; {one.source}\n" in notice


def test_a_name_that_is_almost_right():
    assert sample("apple with iPod label").truth == "apple"
    with pytest.raises(ClipbenchError, match="did you mean 'apple'"):
        sample("aple")
