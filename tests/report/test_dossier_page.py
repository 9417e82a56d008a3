"""The page of a unit needs nothing but itself, escapes what came from outside, and leaves out what is not."""

import dataclasses
import json
import re
from types import SimpleNamespace

import pytest
from making import made_up

import clipbench as cb
from clipbench.report import Dossier, build
from clipbench.report import dossier as module
from clipbench.report.dossier import MAX_BYTES
from clipbench.report.part import Part

NASTY = '<img src=x onerror="alert(1)">'


def test_it_refers_to_nothing_outside_itself(dossier):
    page = dossier.html()
    sources = re.findall(r'(?:src|href|action|data)\s*=\s*"([^"]*)"', page) + re.findall(
        r"url\(([^)]*)\)", page
    )
    assert len(sources) > 10
    assert all(source.startswith("data:image/") for source in sources)
    assert "<script" not in page and "@import" not in page


def test_it_shows_every_section(dossier):
    page = dossier.html()
    sections = re.findall(r'<section id="(\w+)">', page)
    assert set(sections) == {*dossier.parts, "origin"}
    assert "“spider”" in page and "12,345" in page and "31.4" in page and "−2" in page


@pytest.mark.parametrize("left_out", ["words", "circuit", "photos", "effect"])
def test_a_section_without_anything_to_say_is_absent(dossier, left_out):
    parts = {**dossier.parts, left_out: None}
    page = dataclasses.replace(dossier, parts=parts).html()
    assert f'id="{left_out}"' not in page and 'id="origin"' in page


def test_what_came_from_outside_is_escaped():
    page = made_up(name=NASTY, file=NASTY).html()
    assert "<img src=x" not in page and "&lt;img src=x" in page


def test_a_file_name_that_is_no_text_does_not_spoil_the_page(tmp_path):
    path = made_up(file="caf\udce9.jpg").save(tmp_path / "unit.html")  # as Python reads b"caf\xe9.jpg"
    assert "caf?.jpg" in path.read_text(encoding="utf-8")


def test_units_with_pages_beside_it_are_linked(dossier, tmp_path):
    (tmp_path / "conv_head-7.html").write_text("")
    path = dossier.save(tmp_path / dossier.file)
    assert path.name == "conv_head-5.html"
    assert 'href="conv_head-7.html"' in path.read_text() and "blocks.6-0.html" not in path.read_text()


def test_the_data_lies_beside_it(dossier, tmp_path):
    path = dossier.save(tmp_path / "unit.html")
    told = json.loads(path.with_suffix(".json").read_text())
    assert told["unit"] == "conv_head:5" and set(told["parts"]) == set(dossier.parts)
    assert told["parts"]["effect"]["rows"][0]["before"] == 0.5
    assert "base64" not in path.with_suffix(".json").read_text()


def test_a_page_that_cannot_be_mailed_is_refused(dossier, tmp_path):
    drawn = dossier.parts["pictures"]
    heavy = Part(drawn.content, {**drawn.pictures, "pictures/plain": b"\x89PNG" + bytes(MAX_BYTES)})
    with pytest.raises(cb.ClipbenchError, match="at most; leave"):
        dataclasses.replace(dossier, parts={**dossier.parts, "pictures": heavy}).save(tmp_path / "unit.html")
    assert not list(tmp_path.iterdir())


@pytest.fixture
def desk(monkeypatch, dossier):
    """A unit whose sections are the made-up ones; each says how often it was made."""
    made = []

    def maker(name: str):
        def make(_desk):
            made.append(name)
            yield "under way"
            yield dossier.parts[name]

        return make

    monkeypatch.setattr(module, "SECTIONS", {name: maker(name) for name in dossier.parts})
    told = {"unit": dossier.unit, "label": dossier.label, "stimuli": dossier.stimuli, "key": ["x"]}
    model = SimpleNamespace(name=dossier.model, weights_hash=dossier.weights_hash)
    return SimpleNamespace(**told, model=model, made=made, given=lambda _: [])


def test_it_is_built_and_read_back(desk, dossier, tmp_path):
    steps = list(build(desk, tmp_path / "parts"))
    assert [step.result for step in steps[:-1]] == [None] * (len(steps) - 1)
    assert steps[-1].result.html() == dossier.html() == Dossier.load(tmp_path / "parts").html()
    (tmp_path / "parts" / "words.json").write_text("{")
    with pytest.raises(cb.ClipbenchError, match="no finished dossier"):
        Dossier.load(tmp_path / "parts")


def test_a_stop_costs_the_section_under_way(desk, tmp_path):
    steps = build(desk, tmp_path)
    while next(steps).section != "search":
        pass
    steps.close()
    before = list(desk.made)
    list(build(desk, tmp_path))
    assert "photos" in before and desk.made.count("photos") == 1 and desk.made.count("effect") == 1


def test_another_store_is_another_dossier(desk, tmp_path):
    list(build(desk, tmp_path))
    desk.key = ["y"]
    list(build(desk, tmp_path))
    assert desk.made.count("photos") == 2


def test_a_section_is_read_under_its_own_key_only(tmp_path):
    part = Part({"n": 1}, {"a": b"\x89PNG"})
    part.save(tmp_path / "part.json", "one")
    assert Part.load(tmp_path / "part.json", "one") == part == Part.load(tmp_path / "part.json")
    assert Part.load(tmp_path / "part.json", "other") is None
    (tmp_path / "part.json").write_text('{"key": "one", "content": {}')
    assert Part.load(tmp_path / "part.json", "one") is None
