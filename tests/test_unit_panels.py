"""What the panels "One unit, everything" and "All units" read and show, without a browser."""

import numpy as np
import pytest

import clipbench as cb
from clipbench.report import Dossier, Grade
from clipbench.report.overview import SORTS
from widgets import dossier, own_sweep, stores, unit_source
from widgets.unit_source import Example, Preparing, Reading, Swept


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def few(monkeypatch):
    """Five shipped photos in place of all."""
    files = stores.photo_files()[:5]
    monkeypatch.setattr(stores, "photo_files", lambda: files)
    return files


@pytest.fixture
def swept(tiny, few) -> Swept:
    *_, last = unit_source.read(stores.SHIPPED, tiny, "layer3")
    return last.source


def test_the_examples_are_of_the_shipped_model(mini):
    """Else `make examples` is due."""
    page, wall = Dossier.load(dossier.EXAMPLE), Example()
    assert page.weights_hash == mini.weights_hash == wall.told.provenance[0].weights_hash
    assert wall.told.units == mini.layer(wall.told.layer).channels
    assert page.unit.startswith(wall.told.layer)


def test_the_example_shows_what_the_model_answers_to(mini):
    """The favourites of a unit, as the model itself ranks the shipped photos."""
    wall = Example()
    unit = int(wall.told.ordered("spread")[0])
    images = [cb.read_image(file).image for file in stores.photo_files()]
    answers = mini.activations(images, wall.told.layer)[:, unit].amax(dim=(1, 2)).numpy()
    best = wall.told.favourites(unit)
    assert answers[best[0]] == pytest.approx(answers.max(), rel=2e-3)
    assert wall.photos(unit)[0][0] == stores.photo_files()[best[0]].stem


def test_the_example_has_a_picture_of_every_unit():
    wall = Example()
    last = np.asarray(wall.picture(wall.told.units - 1))
    assert last.shape == (unit_source.TILE, unit_source.TILE, 3) and last.std() > 5


def test_shipped_photos_are_swept_once(tiny, few):
    first = list(unit_source.read(stores.SHIPPED, tiny, "layer3"))
    assert [step.done for step in first if isinstance(step, Preparing)][-1] == len(few)
    again = list(unit_source.read(stores.SHIPPED, tiny, "layer3"))
    assert [step.done for step in again if isinstance(step, Preparing)][0] == len(few)
    early, late = (step for step in again if isinstance(step, Reading))
    assert early.source.told.places is None and late.source.told.places.shape == (early.source.told.units, 2)


def test_a_unit_has_its_favourite_photo_until_it_is_painted(swept, monkeypatch):
    monkeypatch.setattr(unit_source, "COARSE", Grade(64, 1))
    favourite = swept.store.crop("layer3:0", swept.told.favourites(0)[0])
    assert np.array_equal(np.asarray(swept.picture(0)), np.asarray(favourite))
    list(swept.paint([0]))
    assert swept.picture(0).size == (64, 64)


def test_a_network_without_words_is_not_searched_by_text(swept):
    with pytest.raises(cb.ClipbenchError, match="no text tower"):
        next(swept.search("dog"))


@pytest.mark.parametrize("by", SORTS)
def test_every_order_has_every_unit(swept, by):
    assert sorted(swept.told.ordered(by).tolist()) == list(range(swept.told.units))


def test_a_store_that_is_not_there_is_one_sentence(tmp_path):
    assert stores.read_store(f" {stores.SHIPPED} ") == stores.SHIPPED
    with pytest.raises(cb.ClipbenchError, match="no store"):
        stores.read_store(str(tmp_path / "none"))


def test_fields_of_a_sweep_name_what_is_wrong_and_know_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert own_sweep._read_folder("~") == tmp_path  # whether pictures are in it, the sweep will say
    assert own_sweep._read_place(" ~/store ") == str(tmp_path / "store")
    assert own_sweep._read_place("s3://bucket/store") == "s3://bucket/store"
    for text in ("", "nowhere"):
        with pytest.raises(cb.ClipbenchError, match="there is no folder"):
            own_sweep._read_folder(text)
    with pytest.raises(cb.ClipbenchError, match="no place for the store"):
        own_sweep._read_place(" ")
