"""Running a command inside the test, with models that are loaded once."""

import functools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

import clipbench as cb
from clipbench.cli import main
from clipbench.models.loading import load


@functools.cache
def load_once(name: str, device: str | None = None, download: bool = False):
    assert not download, "only `clipbench fetch` may download"
    return load(name, device="cpu" if device is None else device)


@pytest.fixture(autouse=True)
def no_download(monkeypatch):
    """Load each model once for all tests, and none from the network."""
    monkeypatch.setattr("clipbench.models.load", load_once)


@pytest.fixture
def mini():
    return load_once("mini")


@pytest.fixture
def control():
    return load_once("timm/tf_efficientnet_lite0")


@pytest.fixture
def apple(tmp_path) -> Path:
    """A file with the article's apple, in a folder of its own that is the current one."""
    path = tmp_path / "apple.png"
    next(one for one in cb.samples() if one.name == "apple").image.save(path)
    return path


@pytest.fixture
def run(capsys) -> Callable[..., tuple[int, str, str]]:
    """Run a command: exit status, stdout, stderr."""

    def run(*arguments):
        status = main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def answer(run) -> Callable[..., dict]:
    """Run a command with --json: its one document. Nothing may be on stderr."""

    def answer(*arguments):
        status, out, err = run(*arguments, "--json")
        assert (status, err) == (0, "")
        return json.loads(out)

    return answer
