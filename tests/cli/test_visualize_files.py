"""`clipbench visualize`: films and tables, pictures repeated from their files, and galleries."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clipbench as cb
from clipbench.optvis import Plan
from clipbench.results import ENDINGS, read_provenance, save_png

SHORT = ["--steps", "3", "--size", "64", "--model", "tiny"]


@pytest.fixture(autouse=True)
def as_tiny(tiny, monkeypatch):
    """`load("tiny")` gives the small network of random weights, which paints fast."""
    load = cb.models.load

    def known(name, **options):
        return tiny if name == "tiny" else load(name, **options)

    monkeypatch.setattr("clipbench.models.load", known)


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).copy()


@pytest.mark.parametrize("ending", ENDINGS)
def test_like_repeats_a_picture_to_the_bit_whatever_file_tells_of_it(run, tmp_path, ending):
    settings = ["--label", "class 3", "layer2:3", "--seed", "4", "--tv", "0.1", "--jitter", "4", *SHORT]
    assert run("visualize", *settings, "--out", tmp_path / "first.png")[0] == 0
    assert run("visualize", *settings, "--out", tmp_path / f"told{ending}")[0] == 0
    status, _, err = run("visualize", "--like", tmp_path / f"told{ending}", "--out", tmp_path / "again.png")
    assert (status, err) == (0, "")
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "first.png").read_bytes()


def test_a_picture_becomes_a_film_of_itself(run, tmp_path):
    run("visualize", "layer2:3", *SHORT, "--out", tmp_path / "x.png")
    run("visualize", "--like", tmp_path / "x.png", "--out", tmp_path / "x.gif")
    with Image.open(tmp_path / "x.gif") as film:
        assert film.n_frames == 4
        film.seek(3)
        last = np.asarray(film.convert("RGB")).astype(int)
    assert np.abs(last - pixels(tmp_path / "x.png")).mean() < 8, "a GIF has 256 colours"


def test_a_file_of_other_weights_is_refused_by_their_hash(run, tmp_path):
    run("visualize", "layer2:3", *SHORT, "--out", tmp_path / "x.png")
    arguments = ["--like", tmp_path / "x.png", "--out", tmp_path / "y.png"]
    status, out, err = run("visualize", *arguments, "--model", "mini/random")
    assert (status, out) == (2, "") and not (tmp_path / "y.png").exists()
    assert "was painted with tiny 01234567, not with mini/random" in err and err.count("\n") == 1


def test_a_picture_that_cannot_be_repeated_says_why(run, tiny, tmp_path):
    plan = Plan(cb.objectives.channel("layer2", 3), prior=lambda images: images)
    save_png(Image.new("RGB", (8, 8)), tmp_path / "x.png", plan.provenance(tiny))
    status, _, err = run("visualize", "--like", tmp_path / "x.png", "--out", tmp_path / "y.png")
    assert status == 2 and "does not hold its settings" in err


def test_other_versions_are_told_and_no_obstacle(run, tmp_path, monkeypatch):
    run("visualize", "layer2:3", *SHORT, "--out", tmp_path / "x.png")
    monkeypatch.setattr("clipbench.optvis.plan.versions", lambda: {"torch": "9.9"})
    status, _, err = run("visualize", "--like", tmp_path / "x.png", "--out", tmp_path / "y.png")
    assert status == 0 and "→ 9.9; the picture may differ a little" in err
    assert np.array_equal(pixels(tmp_path / "x.png"), pixels(tmp_path / "y.png"))


@pytest.mark.parametrize("ending", ENDINGS)
def test_on_a_full_disk_there_is_one_sentence_and_no_half_file(run, tmp_path, monkeypatch, ending):
    def full(self, content):
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    status, out, err = run("visualize", "layer2:3", *SHORT, "--out", tmp_path / f"x{ending}")
    assert (status, out, err.count("\n")) == (2, "", 1) and "No space left on device" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ENDINGS)
def test_where_the_ascent_breaks_the_last_good_step_is_kept(run, tmp_path, ending):
    path = tmp_path / f"x{ending}"
    status, out, err = run("visualize", "layer2:3", *SHORT, "--tv", "1e300", "--out", path)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "the ascent broke at step 1: " in err and err.endswith("has step 0\n")
    assert "0 steps" in read_provenance(path).recipe


def test_a_gallery_has_a_file_a_goal_and_each_repeats_itself(answer, run, tmp_path):
    goals = ["layer2:3", "layer1", "layer3:0@1,1", "--label", "class 1"]
    many = ["--gallery", tmp_path / "g", "--batch", "3", *SHORT]
    document = answer("visualize", *goals, *many)
    names = [Path(each["file"]).name for each in document["pictures"]]
    assert names == ["layer2-3.png", "layer1.png", "layer3-0-1-1.png", "label-class-1.png"]
    assert Path(document["sheet"]).is_file()
    recipes = [each["provenance"]["recipe"] for each in document["pictures"]]
    wanted = ["channel(layer2:3)", "layer(layer1)", "neuron(layer3:0@1,1)", "label('class 1'"]
    assert all(recipe.startswith(goal) for recipe, goal in zip(recipes, wanted, strict=True))
    for name in names:
        run("visualize", "--like", tmp_path / "g" / name, "--out", tmp_path / "again.png")
        assert np.array_equal(pixels(tmp_path / "g" / name), pixels(tmp_path / "again.png"))


def test_ctrl_c_keeps_what_is_done_and_a_rerun_paints_what_is_missing(run, tmp_path, monkeypatch):
    command = ["visualize", *(f"layer2:{n}" for n in range(4)), "--gallery", tmp_path, "--batch", "2", *SHORT]
    read, run_plan = [], Plan.run

    def interrupted(plan, model):
        steps = run_plan(plan, model)

        def stream():
            for step in steps:
                read.append(step.number)
                if len(read) == 6:
                    raise KeyboardInterrupt
                yield step

        return stream()

    monkeypatch.setattr(Plan, "run", interrupted)
    assert run(*command)[::2] == (130, "clipbench: stopped\n")
    assert {file.name for file in tmp_path.iterdir()} == {"layer2-0.png", "layer2-1.png", "contact-sheet.png"}
    first = (tmp_path / "layer2-0.png").read_bytes()
    status, table, _ = run(*command)
    assert status == 0 and len(read) == 6 + 4, "the first batch has been painted again"
    assert [line.split()[1] for line in table.splitlines()[1:5]] == [f"layer2-{n}.png" for n in range(4)]
    assert (tmp_path / "layer2-0.png").read_bytes() == first
    assert read_provenance(tmp_path / "contact-sheet.png").n == 4


def test_a_facet_from_a_file_leans_every_goal_towards_it(answer, tiny, tmp_path):
    import torch

    weights = torch.linspace(-1, 1, tiny.layer("layer1").channels)
    cb.probes.Facet("stripes", {"layer1": weights}, tiny.name, tiny.weights_hash).save(tmp_path / "f.npz")
    lean = ["--facet", tmp_path / "f.npz", "--strength", "2", *SHORT]
    document = answer("visualize", "layer2:3", *lean, "--out", tmp_path / "x.png")
    assert document["pictures"][0].startswith("faceted(channel(layer2:3); facet stripes ")
    assert document["pictures"][0].endswith("strength 2)")
