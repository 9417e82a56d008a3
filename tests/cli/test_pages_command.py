"""`clipbench dossier` and `clipbench atlas` write pages, go on after a stop, and refuse what cannot be."""

import json

import numpy as np
import pytest
from PIL import Image

from clipbench.report import own, seen, survey
from clipbench.report.portraits import Grade
from clipbench.sweeps import sweep

LAYER = "layer1"


@pytest.fixture
def place(tiny, tmp_path, monkeypatch):
    """A store of eight pictures that the smallest of models was shown; every command gets that model."""
    monkeypatch.setattr("clipbench.models.load", lambda *_, **__: tiny)
    for module in (own, seen, survey):
        monkeypatch.setattr(module, "COARSE", Grade(64, 1))
    for module in (own, survey):
        monkeypatch.setattr(module, "FINE", Grade(64, 1))
    for name, value in (("_FACE_STEPS", 1), ("_FACE", 64), ("_PHOTOS", 3)):
        monkeypatch.setattr(own, name, value)
    monkeypatch.setattr(own, "_EDGES", {"edges": 2, "top": 2})
    folder, rng = tmp_path / "photos", np.random.default_rng(0)
    folder.mkdir()
    for number in range(8):
        Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    list(sweep(tiny, folder, [LAYER], store=tmp_path / "store"))
    return tmp_path / "store"


def test_a_dossier_is_a_page_and_its_data(answer, place, tmp_path):
    page = tmp_path / "unit.html"
    told = answer("dossier", f"{LAYER}:1", "--store", place, "--out", page)
    assert told["bytes"] == page.stat().st_size and told["unit"] == f"{LAYER}:1"
    assert json.loads((tmp_path / "unit.json").read_text())["parts"] == told["parts"]
    kept = tmp_path / "unit.parts"
    before = {path: path.stat().st_mtime_ns for path in kept.glob("*.json")}
    answer("dossier", f"{LAYER}:1", "--store", place, "--out", page)
    sections = [path for path in before if path.name != "dossier.json"]
    assert sections and all(path.stat().st_mtime_ns == before[path] for path in sections)


def test_an_atlas_is_a_page_of_all_units(run, place, tiny, tmp_path):
    status, out, _ = run("atlas", LAYER, "--store", place, "--out", tmp_path / "atlas")
    units = tiny.layer(LAYER).channels
    assert status == 0 and f"{units} units of {LAYER}" in out
    assert (tmp_path / "atlas" / "index.html").read_text().count('class="unit"') == units


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dossier", f"{LAYER}:1", "--store", "none", "--out", "unit.html"], "no store"),
        (["dossier", f"{LAYER}:1", "--store", "none", "--out", "unit.pdf"], "does not end in .html"),
        (["dossier", f"{LAYER}:9999", "--store", "none", "--out", "unit.html"], "no channel 9999"),
        (["atlas", "layer9", "--store", "{store}", "--out", "atlas"], "layer"),
        (["atlas", LAYER, "--store", "{store}", "--out", "atlas", "--refine", "x"], "not an address"),
    ],
)
def test_bad_input_is_one_sentence(run, place, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(*(argument.format(store=place) for argument in arguments))
    assert (status, out) == (2, "")
    assert message in err and err.count("\n") == 1
