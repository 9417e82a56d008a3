"""`clipbench classify`."""

import json
import os
import shlex
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

import clipbench as cb
from widgets.scene import example

LABELS = ["--labels", "apple,iPod"]


def test_classify_is_zero_shot_before_and_after(answer, mini, apple):
    document = answer("classify", apple, "--labels", "apple, iPod ,library", "--overlay", "iPod")
    labels, image = ["apple", "iPod", "library"], Image.open(apple)
    model = mini
    (entry,) = document["images"]
    for moment, picture in (("before", image), ("after", cb.overlay(image, "iPod"))):
        expected = dict(zip(labels, cb.zero_shot(model, [picture], labels)[0].tolist(), strict=True))
        assert {row["label"]: row[moment] for row in entry["labels"]} == pytest.approx(expected, abs=1e-5)
    changed = np.array(cb.overlay(image, "iPod")) != np.array(image)
    assert entry["cover"] == pytest.approx(changed.any(axis=2).mean())
    provenance = document["provenance"]
    assert (provenance["model"], provenance["weights_hash"], provenance["n"]) == (
        "mini",
        model.weights_hash,
        1,
    )
    assert "iPod" in provenance["recipe"] and "overlay" in provenance["recipe"]
    assert provenance["versions"]["torch"] == torch.__version__.partition("+")[0]


def test_classify_lays_a_paper_tag_and_averages_templates(answer, mini, apple):
    templates = ["a photo of a {}", "the word {}"]
    both = [part for template in templates for part in ("--template", template)]
    (entry,) = answer("classify", apple, *LABELS, "--paper", "iPod", *both)["images"]
    labelled = cb.paper(Image.open(apple), "iPod")
    expected = cb.zero_shot(mini, [labelled], ["apple", "iPod"], templates)[0].tolist()
    assert {row["label"]: row["after"] for row in entry["labels"]} == pytest.approx(
        dict(zip(["apple", "iPod"], expected, strict=True)), abs=1e-5
    )


def test_the_control_answers_in_its_own_classes(answer, run, control, apple):
    named = ["--model", "timm/tf_efficientnet_lite0"]
    (entry,) = answer("classify", apple, *named)["images"]
    logits = control.logits([Image.open(apple)])[0]
    top = logits.softmax(dim=0).topk(5)
    assert [row["before"] for row in entry["labels"]] == pytest.approx(top.values.tolist(), abs=1e-5)
    assert entry["before"] == entry["labels"][0]["label"] == "Granny Smith apple"
    status, out, err = run("classify", apple, *named, "--labels", "apple,mug,flurb", "--json")
    assert status == 0 and json.loads(out)["missing"] == ["flurb"]
    assert err == "clipbench: timm/tf_efficientnet_lite0 has no class for flurb; left out\n"


def test_the_table_says_what_became_of_the_picture(run, apple):
    _, table, _ = run("classify", apple, "--labels", "apple,pizza", "--overlay", "pizza")
    lines = table.splitlines()
    assert lines[0] == str(apple) and lines[1].split() == ["label", "before", "after"]
    shares = {line.split()[0]: [float(cell) for cell in line.split()[1::2]] for line in lines[2:4]}
    assert set(shares) == {"apple", "pizza"}
    for moment in (0, 1):
        assert sum(row[moment] for row in shares.values()) == pytest.approx(100, abs=0.11)
    after = max(shares, key=lambda label: shares[label][1])
    assert lines[4].startswith("still apple; " if after == "apple" else "apple became pizza; ")
    assert lines[-1].startswith("mini ") and lines[-1].endswith("n = 1")


@pytest.fixture
def pictures(tmp_path):
    """Files that somebody might pass, by what is the matter with them."""
    red = Image.new("RGB", (64, 64), "red")
    red.save(tmp_path / "whole.png")
    red.save(tmp_path / "moving.gif", save_all=True, append_images=[Image.new("RGB", (64, 64), "blue")])
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:60])
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("not a picture")
    Image.new("1", (10_000, 9_000)).save(tmp_path / "huge.png")
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize("name", ["empty.png", "text.jpg", "cut.png", "huge.png", "folder", "missing.png"])
def test_a_bad_picture_is_named_and_does_not_stop_the_others(run, pictures, name):
    status, out, err = run("classify", pictures / name, pictures / "whole.png", *LABELS, "--json")
    document = json.loads(out)
    assert status == 2 and err.count("\n") == 1 and name in err
    assert [one["image"] for one in document["images"]] == [str(pictures / "whole.png")]
    assert [one["image"] for one in document["unread"]] == [str(pictures / name)]
    assert err == f"clipbench: {document['unread'][0]['error']}\n"


def test_without_a_single_good_picture_there_is_no_document(run, pictures):
    status, out, err = run("classify", pictures / "cut.png", pictures / "empty.png", *LABELS, "--json")
    assert (status, out) == (2, "") and err.count("\n") == 2


def test_what_was_left_out_of_a_picture_is_said_on_stderr(run, pictures):
    status, out, err = run("classify", pictures / "moving.gif", *LABELS, "--json")
    assert status == 0 and err == "clipbench: 'moving.gif': animated: the first of 2 frames is used\n"
    assert json.loads(out)["images"][0]["notes"] == ["animated: the first of 2 frames is used"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")
def test_names_are_shown_as_they_are_but_never_steer_the_terminal(answer, run, apple):
    path = apple.rename(apple.parent / "<img src=x onerror=alert(1)>.png")
    assert answer("classify", path, *LABELS)["images"][0]["image"] == str(path)
    _, table, _ = run("classify", path, "--labels", "apple,\x1b[31mred")
    assert table.startswith(f"{path}\n") and "\x1b" not in table and r"'\x1b[31mred'" in table


@pytest.mark.parametrize(
    "changes",
    [
        {"label": "paper", "size": 0.6, "x": 0.4, "y": 0.7},
        {"label": "paper", "opacity": 0.5, "text": '-1 "a"'},
        {"label": "printed", "size": 0.1, "opacity": 0.9},
    ],
    ids=["paper", "pale paper", "printed"],
)
@pytest.mark.parametrize("name", ["mini", "timm/tf_efficientnet_lite0"])
def test_the_command_that_the_panel_copies_gives_the_panels_probabilities(run, apple, changes, name):
    with Image.open(apple) as image:
        drawing = replace(example(), **changes).on(image.convert("RGB"), "apple", str(apple))
    judged = drawing.judge(cb.load(name))
    _, *arguments = shlex.split(drawing.command(name))
    _, out, _ = run(*arguments, "--json")
    (entry,) = json.loads(out)["images"]
    columns = zip(judged.before.tolist(), judged.after.tolist(), strict=True)
    expected = dict(zip(judged.labels, (pytest.approx(pair, abs=1e-4) for pair in columns), strict=True))
    assert {row["label"]: (row["before"], row["after"]) for row in entry["labels"]} == expected
    assert entry["cover"] == pytest.approx(drawing.cover)
    assert judged.own is None or [pair[0] for pair in judged.own] == [pair[0] for pair in entry["own"]]
