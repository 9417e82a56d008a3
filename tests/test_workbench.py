"""The shared state: the newest wish wins, and a model that fails leaves the one before in place."""

import threading
from types import SimpleNamespace

import pytest

import clipbench as cb
from widgets.workbench import Workbench


@pytest.fixture
def gates(monkeypatch):
    """Loads stand-ins for models: each waits for its gate to open, and names with "bad" fail."""
    gates = {name: threading.Event() for name in ("first", "second", "bad")}

    def load(name, device=None):
        assert gates[name].wait(5)
        if name == "bad":
            raise cb.ClipbenchError("there is no such model")
        return SimpleNamespace(name=name)

    monkeypatch.setattr(cb, "load", load, raising=False)
    return gates


def test_a_model_is_loaded_off_the_main_thread(gates):
    bench = Workbench("first")
    assert (bench.model, bench.loading) == (None, "first")
    gates["first"].set()
    assert bench.loaded().name == "first"
    assert (bench.model.name, bench.loading, bench.message) == ("first", "", "")


def test_the_newest_wish_wins(gates):
    bench = Workbench("first")
    bench.load("second")
    gates["first"].set()
    gates["second"].set()
    assert bench.loaded().name == "second"


def test_a_wish_that_fails_late_does_not_spoil_the_next(gates):
    bench = Workbench("bad")
    bench.load("first")
    gates["bad"].set()
    gates["first"].set()
    assert bench.loaded().name == "first"
    assert bench.message == ""


def test_a_model_that_fails_leaves_the_one_before(gates):
    gates["first"].set()
    gates["bad"].set()
    bench = Workbench("first")
    bench.loaded()
    bench.load("bad")
    assert bench.loaded().name == "first"
    assert (bench.loading, bench.message) == ("", "there is no such model")


def test_without_any_model_the_reason_is_raised(gates):
    gates["bad"].set()
    with pytest.raises(cb.ClipbenchError, match="there is no such model"):
        Workbench("bad").loaded()
