"""`clipbench multimodal` prints what the study finds."""

import numpy as np
import pytest
from PIL import Image

import clipbench as cb
from clipbench.stimuli import MODALITIES
from clipbench.studies import nearest


@pytest.fixture(autouse=True)
def few(monkeypatch) -> list[cb.Concept]:
    """Six concepts of cheap pictures instead of the shipped ones; of each more photos than a table shows."""
    rng = np.random.default_rng(0)
    noise = [
        [Image.fromarray(rng.integers(0, 256, (48, 48, 3), np.uint8)) for _ in range(6)] for _ in range(6)
    ]
    concepts = [cb.Concept(f"c{i}", row[:4], row[4:5], row[5:]) for i, row in enumerate(noise)]
    monkeypatch.setattr(cb, "concepts", lambda: list(concepts), raising=False)
    return concepts


def test_without_units_it_lists_the_multimodal_ones(answer, run, few, mini):
    found = cb.multimodal(mini, few, "conv_head", draws=50, seed=3)
    told = answer("multimodal", "--draws", 50, "--seed", 3)
    assert [row["unit"] for row in told["rows"]] == [f"conv_head:{unit}" for unit in found.ranked]
    assert all(row["multimodal"] for row in told["rows"])
    assert (told["multimodal"], told["units"], told["concepts"]) == (found.count, 1280, 6)
    assert (told["chance"]["low"], told["chance"]["high"]) == found.usual
    assert told["provenance"]["seed"] == 3
    _, table, _ = run("multimodal", "--draws", 50, "--seed", 3)
    assert found.summary in table and table.splitlines()[0].split()[:3] == ["model", "unit", "concept"]


def test_a_named_unit_stands_beside_the_nearest_of_the_control(answer, few, mini, control):
    found, other = (cb.multimodal(model, few, "blocks.4", draws=1) for model in (mini, control))
    first, second = answer("multimodal", "blocks.4:17", "--draws", 1)["rows"]
    assert (first["unit"], first["concept"]) == ("blocks.4:17", found.best(17))
    twin, _ = nearest(found, 17, other)
    assert (second["model"], second["unit"]) == ("timm/tf_efficientnet_lite0", f"blocks.4:{twin}")
    at = found.concepts.index(first["concept"])
    for modality, name in enumerate(MODALITIES):
        row = found.activations[found.modality == modality, 17]
        own = found.means[17, at, modality]
        assert first[name]["sd"] == pytest.approx((own - row.mean()) / row.std(), abs=1e-3)


def test_the_control_alone_has_nothing_beside_it(answer):
    rows = answer("multimodal", "conv_head:5", "--draws", 1, "--model", "timm/tf_efficientnet_lite0")["rows"]
    assert [row["unit"] for row in rows] == ["conv_head:5"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["conv_head:1", "blocks.4:1"], "one layer is measured at a time, not conv_head and blocks.4"),
        (["conv_head:1", "--layer", "blocks.4"], "not blocks.4 and conv_head"),
        (["conv_head:5000"], "no channel 5000"),
        (["--layer", "conv_hea"], "did you mean 'conv_head'"),
        (["--draws", "0"], "draws must be at least 1"),
    ],
)
def test_what_cannot_be_asked(run, arguments, sentence):
    status, out, err = run("multimodal", *arguments)
    assert (status, out) == (2, "") and sentence in err
