"""Who did it, and portraits of the culprits, without a browser."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import clipbench as cb
from clipbench.report.portraits import Grade
from clipbench.stimuli import sample
from widgets import scene
from widgets.culprits import SHOWN, Inquiry
from widgets.verdict import CONTROL

EXAMPLE = scene.example()


@pytest.fixture(scope="module")
def model():
    return cb.load("mini", device="cpu")


def drawn(**changes):
    chosen = replace(scene.example(), **changes)
    photo = sample(chosen.photo)
    return chosen.on(photo.image, photo.name, str(photo.path))


@pytest.fixture(scope="module")
def inquiry(model):
    drawing = drawn()
    return Inquiry.into(model, drawing, drawing.judge(model))


def test_the_units_explain_the_flip_and_are_shown_where_they_answer(inquiry, model):
    assert inquiry.why.explained == pytest.approx(1, abs=0.1)
    assert (inquiry.why.target, inquiry.why.against) == (EXAMPLE.text, (EXAMPLE.photo,))
    values = model.activations([inquiry.drawing.after], model.last_layer)[0]
    for say, shown in zip(inquiry.says, inquiry.maps, strict=True):
        torch.testing.assert_close(shown, values[int(say.unit.partition(":")[2])])
    assert len(inquiry.says) == SHOWN and inquiry.says[0].share >= inquiry.says[-1].share > 0


def test_silencing_is_what_holding_the_units_at_zero_does(inquiry, model):
    held = torch.full((model.layer(model.last_layer).channels,), torch.nan)
    held[list(inquiry.why.ranked[:30])] = 0
    with model.hold(model.last_layer, held):
        other_road = inquiry.drawing.judge(model)
    result = inquiry.silenced(30)
    np.testing.assert_allclose(
        [result.before, result.after], [other_road.before, other_road.after], atol=1e-5
    )
    word = result.labels.index(EXAMPLE.text)
    assert result.after[word] < inquiry.drawing.judge(model).after[word]
    assert "30 units of conv_head held at 0" in result.provenance.recipe


def test_there_is_nobody_to_blame_where_the_word_is_what_was_seen_or_unknown(model):
    same = drawn(text=EXAMPLE.photo.capitalize())
    assert Inquiry.into(model, same, same.judge(model)) is None
    control, drawing = cb.load(CONTROL, device="cpu"), drawn(text="zorgle")
    assert Inquiry.into(control, drawing, drawing.judge(control)) is None


def test_the_units_are_painted_where_all_panels_keep_their_pictures(inquiry, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = inquiry.units[0]
    assert str(first) == inquiry.says[0].unit and inquiry.portraits.image(first) is None
    list(inquiry.portraits.paint([first], Grade(32, 2)))
    assert inquiry.portraits.image(first).size == (32, 32)
    (kept,) = tmp_path.rglob("*.png")
    assert inquiry.model.weights_hash in str(kept)
