"""`clipbench circuit` prints what the study finds."""

import json

import pytest
from PIL import Image

import clipbench as cb


@pytest.fixture
def folder(tmp_path):
    for sample in cb.samples()[:6]:
        sample.image.resize((96, 96), Image.Resampling.BILINEAR).save(tmp_path / f"{sample.file}.png")
    return tmp_path


def test_its_document_is_the_study(answer, control, folder):
    images = [cb.read_image(path).image for path in sorted(folder.iterdir())]
    found = cb.circuit(control, "conv_head:5", images, edges=2, top=2)
    told = answer("circuit", "conv_head:5", folder, "--edges", 2, "--top", 2, "--model", control.name)
    assert told["edges"] == json.loads(json.dumps(found.as_dict()["edges"]))
    assert told["provenance"]["model"] == control.name


def test_its_table_has_a_row_for_each_edge(run, control, folder):
    status, out, _ = run("circuit", "conv_head:5", folder, "--edges", 3, "--top", 2, "--model", control.name)
    assert status == 0
    assert sum(line.startswith("blocks.6:") for line in out.splitlines()) == 3
    assert "confirmed by ablation" in out


def test_bad_input_is_one_sentence(run, folder):
    status, out, err = run("circuit", "conv_stem:0", folder)
    assert (status, out) == (2, "")
    assert "first layer" in err and err.count("\n") == 1
