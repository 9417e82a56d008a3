"""A gallery: pictures painted several at once, a file each, which is stopped and goes on."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from PIL import Image

import clipbench as cb
from clipbench.models import Read
from clipbench.optvis import Goal, Plan
from clipbench.optvis.many import SHEET, _steady, file_names
from clipbench.optvis.objectives import Bound, Term
from clipbench.optvis.objectives.base import single
from clipbench.results import read_provenance

CHANNELS = (3, 0, 7, 1, 2)
GOALS = [
    Goal(f"layer2:{channel}", cb.objectives.channel("layer2", channel), f"layer2:{channel}")
    for channel in CHANNELS
]
SETTINGS = {"transforms": cb.transforms.standard(4), "steps": 3, "seed": 1}


def canvas(batch):
    return cb.parametrizations.fft(64, batch)


def fill(tiny, folder, goals=GOALS, **changes):
    return list(cb.gallery(tiny, goals, folder, canvas, **{"batch": 2, **SETTINGS, **changes}))


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image).copy()


def test_each_file_holds_its_own_picture_and_says_how_to_paint_it_again(tiny, tmp_path):
    reports = fill(tiny, tmp_path / "new" / "folder")
    files = reports[-1].files
    assert [file.name for file in files] == [f"layer2-{channel}.png" for channel in CHANNELS]
    assert {file.name for file in files[0].parent.iterdir()} == {*(file.name for file in files), SHEET}
    for place, (goal, file) in enumerate(zip(GOALS, files, strict=True)):
        origin = read_provenance(file)
        assert (origin.unit, origin.n, origin.settings["picture"]) == (goal.unit, 1, place % 2)
        plan = Plan.of(origin, tiny)
        assert plan.parametrization.batch == (1 if place == 4 else 2)
        *_, step = plan.run(tiny)
        again = (step.images[place % 2].permute(1, 2, 0).numpy() * 255).astype(np.uint8)
        assert np.array_equal(pixels(file), again)
    alone = Plan(GOALS[4].objective, canvas(1), **SETTINGS)
    assert read_provenance(files[4]).recipe == str(alone)


def test_progress_counts_the_steps_of_all_pictures(tiny, tmp_path):
    reports = fill(tiny, tmp_path)
    assert {report.total for report in reports} == {5 * 4} and reports[-1].done == 20
    done = [report.done for report in reports]
    assert done == sorted(done) and done[0] == 0


def test_a_gallery_that_was_stopped_goes_on_where_it_was(tiny, tmp_path, monkeypatch):
    painted = []
    run = Plan.run

    def counted(plan, model):
        steps = run(plan, model)

        def read():
            painted.append(plan)
            yield from steps

        return read()

    monkeypatch.setattr(Plan, "run", counted)
    whole = fill(tiny, tmp_path / "whole")[-1].files
    assert len(painted) == 3
    for report in cb.gallery(tiny, GOALS, tmp_path / "cut", canvas, batch=2, **SETTINGS):
        if report.done > 2 * 4 + 2:
            break  # in the middle of the second batch
    kept = {file.name for file in (tmp_path / "cut").iterdir()}
    assert kept == {"layer2-3.png", "layer2-0.png", SHEET}
    painted.clear()
    again = fill(tiny, tmp_path / "cut")[-1].files
    assert len(painted) == 2, "what was there has been painted again"
    for one, other in zip(whole, again, strict=True):
        assert one.read_bytes() == other.read_bytes()
    painted.clear()
    (tmp_path / "cut" / "layer2-1.png").write_bytes(b"cut off")
    fill(tiny, tmp_path / "cut")
    assert len(painted) == 1 and (tmp_path / "cut" / "layer2-1.png").read_bytes() == whole[3].read_bytes()


@pytest.mark.parametrize("change", [{"seed": 2}, {"steps": 2}, {"transforms": ()}, {"patience": 1}], ids=str)
def test_pictures_of_other_settings_are_painted_anew(tiny, tmp_path, change):
    before = fill(tiny, tmp_path, GOALS[:2])[-1].files
    old = [read_provenance(file) for file in before]
    fill(tiny, tmp_path, GOALS[:2], **change)
    assert all(read_provenance(file) != origin for file, origin in zip(before, old, strict=True))


@dataclass(frozen=True)
class Still(Term):
    """A value that never rises."""

    def __str__(self):
        return "still"

    def bind(self, model):
        read = Read("layer1")
        return Bound(frozenset({read}), lambda acts: 0 * acts[read].mean(dim=(1, 2, 3)) + 1)


def test_a_picture_that_has_ceased_to_rise_is_finished_early(tiny, tmp_path):
    goals = [Goal("still", single(Still())), Goal("rising", cb.objectives.channel("layer1", 3))]
    files = fill(tiny, tmp_path, goals, steps=9, patience=2, transforms=())[-1].files
    still, rising = (read_provenance(file) for file in files)
    assert still.settings["plan"]["steps"] == 3, "two windows of two steps"
    assert rising.settings["plan"]["steps"] > 3
    *_, step = replace(Plan.of(rising, tiny), steps=3).run(tiny)
    assert np.array_equal(pixels(files[0]), (step.images[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8))
    both = fill(tiny, tmp_path / "both", [goals[0], replace(goals[0], name="too")], steps=99, patience=2)
    assert both[-1].done == both[-1].total == 200
    assert len(both) < 12, "went on after all were finished"


def test_values_are_steady_when_they_rise_by_less_than_a_hundredth():
    rows = torch.tensor([[1.0, 1.0, -1.0], [1.0, 1.0, -1.0], [1.0, 1.02, -1.005], [1.0, 1.02, -0.95]])
    assert _steady(list(rows), 2) == {0}
    assert _steady(list(rows[:3]), 2) == set() and _steady(list(rows), None) == set()
    assert _steady(list(rows[1:]), 1) == {0, 1}


def test_the_contact_sheet_shows_all_pictures_in_their_order(tiny, tmp_path):
    files = fill(tiny, tmp_path)[-1].files
    sheet, origin = pixels(tmp_path / SHEET), read_provenance(tmp_path / SHEET)
    assert origin.n == 5 and origin.caption().startswith("tiny 01234567 · contact sheet")
    for place, file in enumerate(files):
        top, left = 8 + place // 3 * (160 + 15 + 8), 8 + place % 3 * (160 + 8)
        part = Image.fromarray(sheet[top : top + 160, left : left + 160]).resize((64, 64))
        assert np.abs(np.asarray(part).astype(int) - pixels(file)).mean() < 6


def test_every_name_gets_a_file_of_its_own():
    names = ["a:1", "a-1", "A 1", "text: 苹果", "../x", "???", "contact sheet", "y" * 300]
    files = file_names(names)
    assert files[:4] == ["a-1.png", "a-1-2.png", "A-1-3.png", "text-苹果.png"]
    assert files[4:7] == ["x.png", "picture.png", "contact-sheet-2.png"] and len(files[7]) < 100


@pytest.mark.parametrize(
    ("goals", "changes", "sentence"),
    [
        ([], {}, "needs at least one"),
        (GOALS, {"batch": 0}, "a batch of 0"),
        (GOALS, {"patience": 0}, "a patience of 0"),
        (GOALS, {"steps": 0}, "0 steps make no picture"),
        ([*GOALS, Goal("x", cb.objectives.channel("layer9", 0))], {}, "did you mean 'layer"),
    ],
)
def test_bad_input_is_found_before_any_work(tiny, tmp_path, goals, changes, sentence):
    folder = tmp_path / "x"
    with pytest.raises(cb.ClipbenchError, match=sentence):
        cb.gallery(tiny, goals, folder, canvas, **{**SETTINGS, **changes})
    assert not folder.exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(cb.ClipbenchError, match="cannot write"):
        cb.gallery(tiny, GOALS, tmp_path / "file", canvas)
