"""Which units did it, and holding them: against sums that must come out, and effects that must show."""

import json

import numpy as np
import pytest
import torch

import clipbench as cb
from clipbench.attacks import Case, Defence, Held, SearchResult, Why, defend, explanation
from clipbench.attacks.defence import _matched
from clipbench.classify import as_classifier
from clipbench.intervals import Rate

LABELS = ["apple", "iPod", "mug"]


@pytest.fixture(scope="module")
def pairs(chaos):
    before = [chaos.crop(one.image) for one in cb.samples()[:3]]
    return before, [cb.overlay(picture, "iPod", size=60) for picture in before]


def logits(classifier, images):
    read = cb.models.Read("embedding")
    with torch.no_grad():
        features = classifier.model.read(classifier.model.pixels(images), [read])[read].flatten(1)
        return classifier.logits(features)


@pytest.mark.parametrize(("points", "missing"), [(8, 0.1), (64, 0.02)])
def test_the_units_sum_to_the_real_change(chaos, pairs, monkeypatch, points, missing):
    """Nearly with the usual points; with more of them what is missing goes away."""
    monkeypatch.setattr(explanation, "POINTS", points)
    before, after = pairs
    classifier = as_classifier(chaos, LABELS)
    told = cb.why(classifier, before, after, target="iPod", against=["apple", "mug", "apple"])
    first, last = logits(classifier, before), logits(classifier, after)
    others = [0, 2, 0]
    moved = last - first
    real = [(moved[row, 1] - moved[row, other]).item() for row, other in enumerate(others)]
    assert told.change == pytest.approx(real, abs=1e-4)
    assert np.abs(told.added.sum(axis=1) - told.change).max() < missing * np.abs(told.change).max()
    assert told.places.sum(axis=(1, 2)) == pytest.approx(told.added.sum(axis=1), abs=1e-3)
    assert told.added.shape == (3, 1280) and told.layer == chaos.last_layer
    assert told.against == ("apple", "mug", "apple") and told.provenance.n == 3


def test_at_the_embedding_a_unit_s_part_is_the_integral_of_its_slope(control):
    """The control's logits are linear in its embedding, so a unit's part is weight times change exactly."""
    before = [one.image for one in cb.samples()[:2]]
    after = [cb.overlay(control.crop(image), "iPod", size=60) for image in before]
    others = ["laptop computer", "coffee mug"]
    told = cb.why(control, before, after, target="iPod", against=others, layer="embedding")
    change = (control.activations(after, "embedding") - control.activations(before, "embedding")).flatten(1)
    weight = control.network.get_classifier().weight.detach()
    row = weight[control.classes.index("iPod")]
    rows = [row - weight[control.classes.index(other)] for other in others]
    assert told.added == pytest.approx((change * torch.stack(rows)).numpy(), abs=1e-3)
    assert told.explained == pytest.approx(1, abs=1e-2)


def test_units_are_ranked_and_named(chaos, pairs, tmp_path):
    told = cb.why(chaos, *pairs, target="iPod", labels=LABELS)
    top = told.top(5)
    means = told.added.mean(axis=0)
    assert [say.added for say in top] == sorted(means.tolist(), reverse=True)[:5]
    assert [cb.Unit.parse(say.unit, chaos).channel for say in top] == list(told.ranked[:5])
    assert sum(say.share for say in told.top(1280)) == pytest.approx(1, abs=1e-3)
    seen = [LABELS[place] for place in logits(as_classifier(chaos, LABELS), pairs[0]).argmax(dim=1)]
    assert list(told.against) == seen  # what the model saw before
    assert json.dumps(told.as_dict())
    again = Why.load(told.save(tmp_path / "x.npz"))
    for name in ("added", "places", "change"):
        assert np.array_equal(getattr(again, name), getattr(told, name))
    assert (again.against, again.provenance, again.top(9)) == (told.against, told.provenance, told.top(9))


def test_where_nothing_changed_there_is_nothing_to_explain(chaos, pairs):
    told = cb.why(chaos, pairs[0][:1], pairs[0][:1], target="iPod", labels=LABELS)
    assert told.explained is None and not told.added.any() and told.change == 0
    assert all(say.share == 0 for say in told.top(3))


def test_replacing_by_what_flows_changes_nothing_and_by_another_s_gives_its_answer(chaos, pairs):
    """At the last layer nothing but its values leads on, so they carry the whole answer."""
    before, after = (chaos.pixels(images) for images in pairs)
    layer, head = cb.models.Read(chaos.last_layer), cb.models.Read("embedding")
    values = chaos.read(after, [layer])[layer]
    with chaos.replace(layer.layer, values):
        swapped = chaos.read(before, [head])[head]
    torch.testing.assert_close(swapped, chaos.read(after, [head])[head])
    assert not torch.allclose(swapped, chaos.read(before, [head])[head])


def test_holding_equals_ablating_and_nan_leaves_alone(chaos, pairs):
    held = torch.full((1280,), torch.nan)
    with chaos.hold("conv_head", held):
        untouched = chaos.encode_image(pairs[0])
    torch.testing.assert_close(untouched, chaos.encode_image(pairs[0]))
    held[[3, 550]] = torch.tensor([0.5, 0.5])
    with chaos.hold("conv_head", held):
        ours = chaos.encode_image(pairs[0])
    with chaos.ablate(["conv_head:3", "conv_head:550"], 0.5):
        torch.testing.assert_close(ours, chaos.encode_image(pairs[0]))
    with pytest.raises(cb.ClipbenchError, match="does not fit layer 'conv_head'"):
        chaos.hold("conv_head", held[:7]).__enter__()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"target": "ipod"}, "unknown label 'ipod'; did you mean 'iPod'"),
        ({"layer": "conv_haed"}, "did you mean 'conv_head'"),
        ({"against": ["apple"]}, "there are 1 other labels for 3 images"),
    ],
)
def test_bad_input(chaos, pairs, change, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        cb.why(chaos, *pairs, **{"target": "iPod", "labels": LABELS, **change})
    with pytest.raises(cb.ClipbenchError, match="3 images before and 2 after"):
        cb.why(chaos, pairs[0], pairs[1][:2], target="iPod", labels=LABELS)


def curve(**shares):
    """A curve of one k: (success, clean) of a hundred each, for each kind."""
    rows = [
        Held(kind, 0 if kind == "none" else 5, Rate(hits, 100), Rate(right, 100))
        for kind, (hits, right) in shares.items()
    ]
    return Defence("l", (1, 2), tuple(rows), len(rows), len(rows), cb.Provenance("stub", "0", "by hand"))


@pytest.mark.parametrize(
    ("reading", "matched", "best", "works"),
    [
        ((20, 88), (75, 90), True, True),
        ((41, 90), (75, 90), False, False),  # not half
        ((20, 86), (75, 90), False, False),  # four points of accuracy
        ((20, 88), (30, 90), True, False),  # the control does nearly as well
    ],
)
def test_a_defence_is_judged_by_its_controls(reading, matched, best, works, tmp_path):
    told = curve(none=(80, 90), reading=reading, random=(78, 90), matched=matched)
    assert (told.best is not None, told.works) == (best, works)
    assert told.summary.startswith("the defence works") == works
    assert Defence.load(told.save(tmp_path / "x.json")).as_dict() == told.as_dict()


def test_where_no_attack_succeeds_there_is_nothing_to_defend():
    told = curve(none=(0, 90), reading=(0, 90), random=(0, 90), matched=(0, 90))
    assert told.best is None and not told.works


def test_the_curve_as_a_figure_has_a_line_for_each_kind_from_the_same_start():
    told = curve(none=(80, 90), reading=(20, 88), random=(78, 90), matched=(75, 89))
    figure = cb.figures.defence(told)
    assert [line.name for line in figure.data] == ["reading", "random", "matched"]
    assert [(line.x, line.y) for line in figure.data] == [
        ((0.9, 0.88), (0.8, 0.2)), ((0.9, 0.9), (0.8, 0.78)), ((0.9, 0.89), (0.8, 0.75)),
    ]  # fmt: skip
    assert figure.data[0].text == ("0", "5")
    low, high = Rate(20, 100).interval
    reading = figure.data[0]
    assert reading.error_y.array[1] == pytest.approx(high - 0.2)
    assert reading.error_y.arrayminus[1] == pytest.approx(0.2 - low)


def test_files_that_are_something_else(tmp_path):
    (tmp_path / "x").write_text("[]")
    for kind in (Defence, SearchResult, Why):
        for path in (tmp_path / "x", tmp_path / "none"):
            with pytest.raises(cb.ClipbenchError, match="that clipbench has written"):
                kind.load(path)


def test_matched_units_are_the_nearest_others_and_none_twice():
    activity = np.array([1.0, 5.0, 5.1, 1.2, 8.0, 4.8])
    assert _matched([1, 2, 0, 3, 4, 5], 2, activity) == [
        5,
        4,
    ]  # 4.8 for 5.0; then 8.0 is nearer to 5.1 than 1.2
    assert _matched([0, 3, 1, 2, 4, 5], 1, activity) == [3]


def test_the_curve_is_that_of_attacks_under_held_units_on_the_other_halves(chaos):
    images = [one.image for one in cb.samples()[:4]]
    truths, cases = ["apple", "mug", "apple", "mug"], [Case("iPod", "iPod"), Case("mug", "mug")]
    classifier = as_classifier(chaos, LABELS)
    before = chaos.encode_image(images[:1])
    steps = []
    for step in defend(classifier, images, truths, cases, ks=(2,)):
        torch.testing.assert_close(chaos.encode_image(images[:1]), before)  # nothing is held in between
        steps.append(step)
    last = steps[-1]
    assert [step.done for step in steps] == [1, 2, 3, 4] and last.total == 4
    assert [row.kind for row in last.rows] == ["none", "reading", "random", "matched"]
    assert [row.k for row in last.rows] == [0, 2, 2, 2]
    assert sorted(last.units) == list(range(1280))
    for row, units in ((last.rows[0], []), (last.rows[1], last.units[:2])):
        with chaos.ablate([f"conv_head:{unit}" for unit in units]):
            alone = cb.attack(classifier, images[1::2], target="mug", text="mug", truths=truths[1::2])
        assert (row.success, row.clean) == (alone.success, alone.clean)
    assert last.rows[2].success.n == 3 * last.rows[1].success.n  # three draws
    carried = cb.why(
        classifier, [chaos.crop(image) for image in images[::2]],
        [cb.overlay(chaos.crop(image), "iPod") for image in images[::2]], target="iPod", against=truths[::2],
    )  # fmt: skip
    assert last.units[:20] == carried.ranked[:20]  # found on the first halves alone


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"images": 1}, "1 photos and 2 texts cannot be halved"),
        ({"cases": 1}, "4 photos and 1 texts cannot be halved"),
        ({"truths": 3}, "3 truths for 4 images"),
        ({"at": "noon"}, "held at 'zero' or 'mean', not at 'noon'"),
        ({"ks": (3, 1)}, "must ascend, from 1 to 640, not \\[3, 1\\]"),
        ({"ks": (0,)}, "must ascend"),
        ({"ks": (641,)}, "must ascend"),
    ],
)
def test_a_defence_that_cannot_be(chaos, plain, change, sentence):
    images, truths = [plain(0)] * change.get("images", 4), ["apple"] * change.get("truths", 4)
    cases = [Case("iPod", "iPod"), Case("mug", "mug")][: change.get("cases", 2)]
    options = {name: change[name] for name in ("at", "ks") if name in change}
    with pytest.raises(cb.ClipbenchError, match=sentence):
        next(defend(as_classifier(chaos, LABELS), images, truths, cases, **options))
