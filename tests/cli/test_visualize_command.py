"""`clipbench visualize`."""

import shlex
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import clipbench as cb
from clipbench.results import read_provenance
from widgets.ascent import Ascent
from widgets.pictures import picture
from widgets.recipe import Recipe

SHORT = ["--steps", "5", "--size", "64"]


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image).copy()


def test_the_values_are_those_of_visualize_and_the_recipe_is_in_the_file(answer, mini, tmp_path):
    path = tmp_path / "x.png"
    document = answer(
        "visualize", "conv_head:550", "--steps", "18", "--size", "64", "--seed", "3", "--out", path
    )
    canvas = cb.parametrizations.fft(64)
    objective = cb.objectives.channel("conv_head", 550)
    steps = list(cb.visualize(mini, objective, parametrization=canvas, steps=18, seed=3))
    assert [row["step"] for row in document["values"]] == [0, 4, 16, 18]
    for row in document["values"]:
        assert row["value"] == pytest.approx(steps[row["step"]].value.tolist(), rel=1e-4)
    last = steps[-1].images[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(pixels(path) - last).max() <= 1.01  # a byte holds whole numbers
    assert document["file"] == str(path)
    assert document["provenance"] == read_provenance(path).as_dict()
    assert document["provenance"]["unit"] == "conv_head:550" and document["provenance"]["seed"] == 3


def test_a_seed_gives_the_same_file_to_the_bit_and_another_seed_another(run, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run("visualize", "--text", "spider", *SHORT, "--seed", seed, "--out", tmp_path / f"{name}.png")
    a, b, c = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert a == b and a != c


@pytest.mark.parametrize(
    ("targets", "objective"),
    [
        (["conv_head:7"], "channel(conv_head:7)"),
        (["conv_head:7", "--objective", "channel"], "channel(conv_head:7)"),
        (["conv_head:7@1,0"], "neuron(conv_head:7@1,0)"),
        (["conv_head:7", "--objective", "neuron"], "neuron(conv_head:7@middle)"),
        (["blocks.3"], "layer(blocks.3)"),
        (["blocks.3", "--objective", "layer"], "layer(blocks.3)"),
        (["--text", "a spider"], "text('a spider')"),
    ],
)
def test_an_address_says_what_is_excited(answer, tmp_path, targets, objective):
    document = answer("visualize", *targets, "--steps", "1", "--size", "64", "--out", tmp_path / "x.png")
    assert document["pictures"] == [objective]
    assert document["provenance"]["recipe"].startswith(f"{objective}, fft(64 px")


def test_several_targets_lie_side_by_side_in_their_order(answer, mini, tmp_path):
    targets = ["conv_head:550", "conv_head:3", "--text", "spider"]
    document = answer("visualize", *targets, *SHORT, "--out", tmp_path / "x.png")
    goals = [cb.objectives.channel("conv_head", 550), cb.objectives.channel("conv_head", 3)]
    goals.append(cb.objectives.text("spider"))
    canvas = cb.parametrizations.fft(64, batch=3)
    *_, step = cb.visualize(mini, cb.objectives.batch(goals), parametrization=canvas, steps=5)
    grid = pixels(tmp_path / "x.png").astype(float)
    assert document["pictures"] == [str(goal) for goal in goals] and document["provenance"]["n"] == 3
    line = 2  # pixels around each picture; they lie two by two
    assert grid.shape[0] == grid.shape[1] == 2 * 64 + 3 * line
    second = 64 + 2 * line
    for image, (top, left) in zip(step.images, [(line, line), (line, second), (second, line)], strict=True):
        shown = grid[top : top + 64, left : left + 64]
        assert np.abs(shown - image.permute(1, 2, 0).numpy() * 255).max() <= 1.01


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe("conv_head:550"),
        Recipe("conv_head:550@1,1", want="neuron", seed=4),
        Recipe("conv_head:550", want="neuron"),
        Recipe("blocks.3:5", want="layer"),
        Recipe("conv_head:5", want="text", words='it\'s a "spider"'),
        Recipe("conv_head:5", tv=0.1, l1=0.02, l2=0.5, blur=1.0, jitter=5, scale=0.2, rotate=3.5),
    ],
    ids=lambda recipe: f"{recipe.want} {recipe.seed} {recipe.tv}",
)
def test_the_command_that_the_panel_copies_gives_the_panels_picture(run, mini, tmp_path, monkeypatch, recipe):
    recipe = replace(recipe, pixels=64)
    monkeypatch.chdir(tmp_path)
    _, *arguments = shlex.split(recipe.command("mini", 3))
    assert run(*arguments)[0] == 0
    (path,) = tmp_path.iterdir()
    ascent = Ascent(recipe, mini)
    for step in ascent.steps():
        if step.number == 3:
            break
    assert np.array_equal(pixels(path), np.asarray(picture(step)))
    assert read_provenance(path) == ascent.provenance(3)


def test_without_options_the_views_are_the_standard_ones(answer, tmp_path):
    document = answer("visualize", "conv_head:1", *SHORT, "--out", tmp_path / "x.png")
    assert ", ".join(map(str, cb.transforms.standard())) in document["provenance"]["recipe"]


def test_the_table_shows_how_the_value_grew(run, tmp_path):
    _, table, err = run("visualize", "conv_head:550", *SHORT, "--out", tmp_path / "x.png")
    lines = table.splitlines()
    assert err == "" and lines[0].split() == ["step", "channel(conv_head:550)"]
    assert [line.split()[0] for line in lines[1:4]] == ["0", "4", "5"]
    assert lines[4].startswith(f"{tmp_path / 'x.png'}: mini ") and lines[4].endswith("seed 0 · n = 1")


def test_stopped_in_the_middle_nothing_is_written(run, tmp_path, monkeypatch):
    from clipbench.optvis import visualize

    def interrupted(*args, **kwargs):
        for step in visualize(*args, **kwargs):
            if step.number == 3:
                raise KeyboardInterrupt
            yield step

    monkeypatch.setattr("clipbench.optvis.plan.visualize", interrupted)
    status, out, err = run("visualize", "conv_head:1", *SHORT, "--out", tmp_path / "x.png")
    assert (status, out, err) == (130, "", "clipbench: stopped\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="a folder that even root cannot write to: /proc")
def test_a_read_only_folder_is_found_before_the_work(run, monkeypatch):
    monkeypatch.setattr("clipbench.optvis.plan.visualize", None)  # calling it would raise a TypeError
    status, out, err = run("visualize", "conv_head:1", *SHORT, "--out", "/proc/x.png")
    assert (status, out) == (2, "") and err.startswith("clipbench: cannot write '/proc/x.png' (")
