"""A unit in a row of facets: the same pictures as each facet alone, and what was measured in them."""

import numpy as np
import pytest
import torch

import clipbench as cb
from clipbench.models import Read
from clipbench.optvis import facet_row
from clipbench.optvis.facet_rows import FacetRow, chosen
from clipbench.optvis.probes import Facet
from clipbench.optvis.themes import facets_in

SMALL = {"size": 48, "steps": 3, "seed": 4, "strength": 1.0}


@pytest.fixture(scope="module")
def facets(tiny) -> list[Facet]:
    rng = torch.Generator().manual_seed(0)
    channels = tiny.layer("layer2").channels
    return [
        Facet(name, {"layer2": torch.randn(channels, generator=rng)}, tiny.name, tiny.weights_hash)
        for name in ("face", "text", "logo")
    ]


@pytest.fixture(scope="module")
def steps(tiny, facets):
    return [*facet_row(tiny, "layer4:5", facets, **SMALL)]


def test_each_picture_is_the_one_that_its_objective_alone_gives(tiny, facets, steps):
    found: FacetRow = steps[-1].result
    unit = cb.objectives.channel("layer4", 5)
    goals = [unit, *(cb.objectives.faceted(unit, facet) for facet in facets)]
    canvas = {"parametrization": cb.parametrizations.fft(48), "steps": 3, "seed": 4}
    alone = [[*cb.visualize(tiny, goal, **canvas)][-1].images for goal in goals]
    for pixels, image in zip(found.images, alone, strict=True):
        np.testing.assert_array_equal(pixels, (image[0] * 255).round().byte().permute(1, 2, 0).numpy())
    assert found.names == ("plain", "face", "text", "logo")


def test_unit_and_theme_are_those_of_the_finished_pictures(tiny, facets, steps):
    found, images = steps[-1].result, torch.cat(steps[-1].images)
    unit, theme = (acts.mean(dim=(2, 3)) for acts in _read(tiny, images))
    np.testing.assert_allclose(found.unit, unit[:, 5].numpy(), rtol=1e-5)
    for place, facet in enumerate(facets, start=1):
        told = theme @ facet.weights["layer2"]
        assert found.theme[place] == pytest.approx(float(told[place]), rel=1e-4, abs=1e-5)
        assert found.plain_theme[place] == pytest.approx(float(told[0]), rel=1e-4, abs=1e-5)
    assert np.isnan(found.theme[0]) and found.cells()[0]["theme"] is None


@torch.no_grad()
def _read(tiny, images):
    reads = Read("layer4"), Read("layer2", relu=True)
    acts = tiny.read(images, reads)
    return [acts[read] for read in reads]


def test_whoever_watches_sees_one_picture_after_the_other_grow(steps):
    assert [len(step.images) for step in steps] == [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4 + [4]
    assert [step.done for step in steps] == list(range(17)) and steps[0].total == 16
    assert all(step.result is None for step in steps[:-1])


def test_facets_are_chosen_by_name_and_all_are_taken_where_none_is_known(facets):
    face, text, logo = facets
    assert chosen(facets, ("logo", "pose", "face")) == [logo, face]
    assert chosen(facets, ("pose",)) == [face, text, logo]


def test_facets_of_a_folder(tmp_path, facets):
    for facet in facets:
        facet.save(tmp_path / f"{facet.name}.npz")
    assert facets_in(tmp_path) == {facet.name: facet for facet in facets}
    with pytest.raises(cb.ClipbenchError, match="no facet"):
        facets_in(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("unit", "how", "sentence"),
    [
        ("layer4:5", lambda facets: [], "there is no facet for tiny"),
        ("layer4:5@1,1", lambda facets: facets, "one position"),
        ("layer4:9999", lambda facets: facets, "no channel 9999"),
        (
            "layer4:5",
            lambda facets: [Facet("x", facets[0].weights, "other", "0" * 12)],
            "was trained on other",
        ),
    ],
)
def test_what_cannot_be_painted_is_told(tiny, facets, unit, how, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        next(facet_row(tiny, unit, how(facets)))


def test_the_figure_tells_facet_unit_and_what_the_facet_changed(steps):
    found = steps[-1].result
    figure = cb.figures.facet_row(found)
    texts = [note.text for note in figure.layout.annotations]
    assert len(figure.layout.images) == 4 and {"plain", "face", "text", "logo"} <= set(texts)
    assert f"{found.plain_theme[1]:.3g} → {found.theme[1]:.3g}".replace("-", "−") in texts
