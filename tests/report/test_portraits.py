"""Portraits are painted once, go on after a stop, and are never taken for those of other weights."""

from itertools import islice

import numpy as np
import pytest

import clipbench as cb
from clipbench.report import portraits as module
from clipbench.report.portraits import Grade, Portraits

SMALL, FINER = Grade(64, 2), Grade(64, 4)
UNITS = [cb.Unit("layer3", channel) for channel in range(3)]


@pytest.fixture
def portraits(tiny, tmp_path, monkeypatch) -> Portraits:
    monkeypatch.setattr(module, "BATCH", 2)
    return Portraits(tiny, tmp_path / "pictures")


def painted(steps) -> float:
    """Read the stream to its end; how many pictures were there before its first step."""
    done = [step.done for step in steps]
    assert done == sorted(done) and done[-1] == len(UNITS)
    return done[0]


def test_each_unit_has_a_file_that_says_where_it_comes_from(portraits, tiny):
    assert painted(portraits.paint(UNITS, SMALL)) == 0
    for unit in UNITS:
        told = portraits.provenance(unit)
        assert (told.unit, told.weights_hash, told.seed) == (str(unit), tiny.weights_hash, 0)
        assert portraits.image(unit).size == (64, 64)
    assert "batch of 2" in portraits.provenance(UNITS[0]).recipe


def test_what_is_there_is_not_painted_again(portraits, monkeypatch):
    painted(portraits.paint(UNITS, FINER))
    monkeypatch.setattr(Portraits, "_plan", lambda *_: pytest.fail("painted again"))
    painted(portraits.paint(UNITS, SMALL))


def test_a_finer_one_takes_the_place_of_a_coarse_one(portraits):
    painted(portraits.paint(UNITS, SMALL))
    assert not portraits.has(UNITS[0], FINER)
    painted(portraits.paint(UNITS, FINER))
    assert all(portraits.has(unit, FINER) for unit in UNITS)


def test_it_goes_on_where_it_was_stopped(portraits):
    steps = portraits.paint(UNITS, SMALL)
    list(islice(steps, 4))  # three steps of the first batch, one of the second
    steps.close()
    assert [portraits.has(unit, SMALL) for unit in UNITS] == [True, True, False]
    assert painted(portraits.paint(UNITS, SMALL)) == 2


def test_other_weights_have_other_pictures(portraits, tiny, monkeypatch):
    painted(portraits.paint(UNITS, SMALL))
    monkeypatch.setattr(tiny, "weights_hash", "ba9876543210")
    assert portraits.image(UNITS[0]) is None
    assert painted(portraits.paint(UNITS, SMALL)) == 0


def test_a_picture_is_the_one_that_visualize_gives(portraits, tiny):
    painted(portraits.paint(UNITS, SMALL))
    goals = cb.objectives.batch([cb.objectives.channel("layer3", channel) for channel in (0, 1)])
    *_, step = cb.visualize(tiny, goals, parametrization=cb.parametrizations.fft(64, batch=2), steps=2)
    expected = (step.images[1] * 255).permute(1, 2, 0).numpy()
    assert np.abs(np.asarray(portraits.image(UNITS[1]), np.float32) - expected).max() <= 1


def test_a_folder_that_cannot_be_is_one_sentence(tiny, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(cb.ClipbenchError, match="cannot write"):
        list(Portraits(tiny, tmp_path / "file").paint(UNITS[:1], SMALL))
