"""Who did it, and portraits of the culprits, without a browser."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch

import clipbench as cb
from clipbench.stimuli import sample
from widgets import portraits, scene
from widgets.culprits import SHOWN, Inquiry
from widgets.portraits import Portraits
from widgets.verdict import CONTROL


@pytest.fixture(scope="module")
def model():
    return cb.load("mini", device="cpu")


@pytest.fixture(scope="module")
def chaos():
    return cb.load("mini/random", device="cpu")


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
    assert (inquiry.why.target, inquiry.why.against) == ("iPod", ("apple",))
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
    word = result.labels.index("iPod")
    assert result.after[word] < inquiry.drawing.judge(model).after[word]
    assert "30 units of conv_head held at 0" in result.provenance.recipe


def test_there_is_nobody_to_blame_where_the_word_is_what_was_seen_or_unknown(model):
    same = drawn(text="Apple")
    assert Inquiry.into(model, same, same.judge(model)) is None
    control, drawing = cb.load(CONTROL, device="cpu"), drawn(text="zorgle")
    assert Inquiry.into(control, drawing, drawing.judge(control)) is None


def test_what_is_painted_once_is_kept_and_what_is_stopped_is_not(chaos, monkeypatch):
    monkeypatch.setattr(portraits, "STEPS", 4)
    kept, units = Portraits(), [f"{chaos.last_layer}:{number}" for number in (3, 1)]
    assert [painting.done for painting in islice(kept.paint(chaos, units, stride=2), 2)] == [0, 2]
    assert kept.known(chaos, units[0]) is None
    *_, last = kept.paint(chaos, units)
    assert last.done == last.total == 4 and list(last.images) == units
    assert kept.known(chaos, units[1]) is last.images[units[1]]
    alone = cb.visualize(
        chaos,
        cb.objectives.batch([cb.objectives.channel(chaos.last_layer, number) for number in (3, 1)]),
        parametrization=cb.parametrizations.fft(portraits.SIDE, batch=2),
        steps=4,
    )
    wanted = list(alone)[-1].images[1].permute(1, 2, 0).numpy() * 255
    assert np.abs(np.asarray(last.images[units[1]]) - wanted).max() < 2
    (nothing,) = kept.paint(chaos, units)
    assert nothing.images == {} and nothing.done == nothing.total
