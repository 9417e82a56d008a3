"""A store is held by one sweep at a time, on a disk or at an address of fsspec."""

import json
import time

import fsspec
import pytest

import clipbench as cb
from clipbench.sweeps import lock
from clipbench.sweeps.lock import locked

ADDRESS, FILE = "memory://locks/store", "/locks/store.lock"


@pytest.fixture
def files():
    files = fsspec.filesystem("memory")
    yield files
    files.store.clear()


@pytest.mark.parametrize("place", ["{home}/store", ADDRESS])
def test_a_second_one_is_refused_until_the_first_has_ended(files, tmp_path, place):
    place = place.format(home=tmp_path)
    for _ in range(2):
        with locked(place), pytest.raises(cb.ClipbenchError, match="another sweep is writing"), locked(place):
            pass
    assert not files.exists(FILE)


def test_a_dead_one_is_taken_over_and_a_living_one_is_not(files):
    for age in (lock._SILENCE + 1, lock._SILENCE - 1):
        files.pipe_file(FILE, json.dumps({"sweep": "other", "beat": time.time() - age}).encode())
        if age > lock._SILENCE:
            with locked(ADDRESS):
                assert json.loads(files.cat_file(FILE))["sweep"] != "other"
            assert not files.exists(FILE)
        else:
            with pytest.raises(cb.ClipbenchError, match="another sweep is writing"), locked(ADDRESS):
                pass


def test_what_another_one_has_taken_over_is_left_to_it(files):
    with locked(ADDRESS):
        files.pipe_file(FILE, b'{"sweep": "other", "beat": 0}')
    assert files.exists(FILE)


def test_of_two_that_see_no_lock_one_makes_it(files, monkeypatch):
    """Both have looked before either wrote: the later one is refused by the file system itself."""
    seen = iter([None, {"sweep": "other", "beat": time.time()}])
    monkeypatch.setattr(lock, "_told", lambda *_: next(seen))
    files.pipe_file(FILE, b'{"sweep": "other"}')
    with pytest.raises(cb.ClipbenchError, match="another sweep is writing"), locked(ADDRESS):
        pass
    assert files.cat_file(FILE) == b'{"sweep": "other"}'


@pytest.mark.parametrize(
    ("address", "sentence"),
    [(ADDRESS, "cannot be read; remove it"), ("nowhere://x/store", "cannot be reached .*nowhere")],
)
def test_what_cannot_be_locked_is_told_in_a_sentence(files, address, sentence):
    files.pipe_file(FILE, b"{")
    with pytest.raises(cb.ClipbenchError, match=sentence), locked(address):
        pass
    with pytest.raises(cb.ClipbenchError):
        cb.Store.open("nowhere://x/store")
