"""The table shows the study's numbers, and the nearest unit is the one with the highest correlation."""

import numpy as np
import pytest
from PIL import Image

import clipbench as cb
from clipbench.studies import column, multimodal, nearest, table

LAYER = "conv_head"
K = 5


def shade(red: int, green: int, blue: int) -> Image.Image:
    return Image.new("RGB", (48, 48), (red, green, blue))


@pytest.fixture(scope="module")
def concepts():
    """Four photos, one drawing and two words of each."""
    return [
        cb.Concept(
            f"c{i}",
            [shade(50 * i, 60 * j, 0) for j in range(4)],
            [shade(0, 40 * i, 200)],
            [cb.written("abcde"[: i + 1], side=64), cb.written("vwxyz"[i:], side=64)],
        )
        for i in range(K)
    ]


@pytest.fixture(scope="module")
def result(mini, concepts):
    return multimodal(mini, concepts, LAYER, draws=3)


@pytest.fixture(scope="module")
def other(control, concepts):
    return multimodal(control, concepts, LAYER, draws=3)


@pytest.mark.parametrize("unit", [0, 550])
def test_the_nearest_unit_has_the_highest_correlation(result, other, unit):
    mine = result.means[unit, :, 0]
    each = [np.corrcoef(mine, row)[0, 1] for row in other.means[:, :, 0]]
    twin, correlation = nearest(result, unit, other)
    assert twin == np.argmax(each) and correlation == pytest.approx(max(each), abs=1e-6)


def test_a_unit_is_nearest_to_itself(result):
    assert nearest(result, 7, result) == (7, pytest.approx(1))


def test_a_column_holds_the_numbers_of_the_study(result, concepts):
    found = column(result, concepts, 550, "c3")
    assert (found.unit, found.concept, found.provenance.unit) == (550, "c3", f"{LAYER}:550")
    sds = result.sds(550)
    for modality, (cell, images) in enumerate(zip(found.cells, concepts[3].modalities, strict=True)):
        shown = min(3, len(images))
        assert cell.images == images[:shown]
        own = sds[(result.concept == 3) & (result.modality == modality)]
        assert cell.sds == pytest.approx(own[:shown].tolist())
        rank = (result.means[550, :, modality] >= result.means[550, 3, modality]).sum()
        assert cell.ticked == (rank <= 2)


def test_the_three_columns_are_this_unit_its_twin_and_the_chosen_one(result, other, concepts):
    this, twin, chosen = table(result, other, concepts, 550, 3, shown=2)
    assert (this.unit, chosen.unit) == (550, 3)
    assert (this.concept, chosen.concept) == (result.best(550), result.best(3))
    assert (twin.unit, twin.concept) == (nearest(result, 550, other)[0], this.concept)
    assert [each.provenance.model for each in (this, twin, chosen)] == [
        "mini",
        "timm/tf_efficientnet_lite0",
        "mini",
    ]
    assert [len(cell.images) for cell in this.cells] == [2, 1, 2]


def test_what_the_study_does_not_know_is_refused(result, concepts):
    with pytest.raises(cb.ClipbenchError, match="did you mean 'c1'"):
        column(result, concepts, 0, "c11")
    with pytest.raises(cb.ClipbenchError, match="no channel 9999"):
        column(result, concepts, 9999, "c1")
    with pytest.raises(cb.ClipbenchError, match="not the concepts of the study"):
        column(result, concepts[::-1], 0, "c1")
    fewer = [cb.Concept(each.name, each.photos[:2], each.drawings, each.words) for each in concepts]
    with pytest.raises(cb.ClipbenchError, match="not the concepts of the study"):
        column(result, fewer, 0, "c1")
