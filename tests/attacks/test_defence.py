"""Holding units: judged by controls, found on one half and told on the other, and truly held."""

import numpy as np
import pytest
import torch

import clipbench as cb
from clipbench.attacks import Case, Defence, Held, defence, defend, levers
from clipbench.attacks.defence import _matched
from clipbench.attacks.levers import lay, lever
from clipbench.attacks.run import complete
from clipbench.classify import as_classifier
from clipbench.intervals import Rate
from clipbench.stimuli import Recipe
from clipbench.streams import result_of

LABELS = ["apple", "iPod", "mug"]
LARGE = Recipe(size=60)
GOOD = ((80, 90), (20, 88))  # without and with units held: (success, clean) of a hundred


def curve(found=GOOD, **shares):
    """A curve of one k: (success, clean) of a hundred each, as found, and for each kind elsewhere."""
    rows = [
        Held(kind, 0 if kind == "none" else 5, Rate(hits, 100), Rate(right, 100))
        for kind, (hits, right) in shares.items()
    ]
    chosen_by = [
        Held(kind, k, Rate(hits, 100), Rate(right, 100))
        for (kind, k), (hits, right) in zip((("none", 0), ("reading", 5)), found, strict=True)
    ]
    done = len(rows) + len(chosen_by)
    provenance = cb.Provenance("stub", "0", "by hand")
    return Defence("l", (1, 2), tuple(rows), tuple(chosen_by), done, done, provenance)


@pytest.mark.parametrize(
    ("found", "reading", "matched", "works", "sentence"),
    [
        (GOOD, (20, 88), (75, 90), True, "the defence works:"),
        (((80, 90), (41, 90)), (20, 88), (75, 90), False, "no set that was tried halves"),
        (((80, 90), (20, 86)), (20, 88), (75, 90), False, "at 3 points of the other"),
        (GOOD, (41, 90), (75, 90), False, "that nothing was chosen by"),  # good where it was found, not here
        (GOOD, (20, 86), (75, 90), False, "that nothing was chosen by"),
        (GOOD, (20, 88), (30, 90), False, "does not clearly beat its controls"),
    ],
)
def test_a_defence_is_judged_by_its_controls_where_nothing_was_chosen(
    found, reading, matched, works, sentence, tmp_path
):
    told = curve(found, none=(80, 90), reading=reading, random=(78, 90), matched=matched)
    assert told.works == works and sentence in told.summary
    assert (told.chosen is None) == (found != GOOD) == (told.best is None)
    assert Defence.load(told.save(tmp_path / "x.json")).as_dict() == told.as_dict()


def test_where_no_attack_succeeds_there_is_nothing_to_defend():
    told = curve(((0, 90), (0, 90)), none=(0, 90), reading=(0, 90), random=(0, 90), matched=(0, 90))
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


def test_matched_units_are_the_nearest_others_and_none_twice():
    activity = np.array([1.0, 5.0, 5.1, 1.2, 8.0, 4.8])
    # 4.8 for 5.0; then 8.0 is nearer to 5.1 than 1.2
    assert _matched([1, 2, 0, 3, 4, 5], 2, activity) == [5, 4]
    assert _matched([0, 3, 1, 2, 4, 5], 1, activity) == [3]


@pytest.fixture(scope="module")
def setting(chaos):
    """A classifier, four photos as it sees them, and a text in large letters."""
    crops = [chaos.crop(one.image) for one in cb.samples()[:4]]
    return as_classifier(chaos, LABELS), crops, complete([Case("iPod", "iPod")], LARGE)


def measured(steps):
    """The first step that has something to tell."""
    return next(step for step in steps if step.rows)


def held_values(setting, way, chosen):
    """What flows at the place a lever acts on, without and with it, on the photos with the text."""
    classifier, crops, cases = setting
    layer = "embedding" if way == "projection" else "conv_head"
    found = result_of(lever(classifier, crops, ["apple", "mug"] * 2, cases, layer, way))
    units = [found.order[place] for place in chosen]
    written = [cb.overlay(crop, "iPod", LARGE) for crop in crops]
    plain, clean = (classifier.model.activations(images, layer) for images in (written, crops))
    with found.hold(units):
        held = classifier.model.activations(written, layer)
    return units, clean, plain, held


@pytest.mark.parametrize("way", ["zero", "mean", "clamp"])
def test_units_are_held_as_the_way_says_and_no_others(setting, way):
    units, clean, plain, held = held_values(setting, way, [0, 5])
    others = [unit for unit in range(1280) if unit not in units]
    torch.testing.assert_close(held[:, others], plain[:, others])
    for unit in units:
        seen = clean[:, unit].flatten()
        wanted = {
            "zero": torch.zeros_like(held[:, unit]),
            "mean": seen.mean().expand_as(held[:, unit]),
            "clamp": plain[:, unit].clamp(max=seen.quantile(0.99).item()),
        }[way]
        torch.testing.assert_close(held[:, unit], wanted, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(held, plain)


def test_a_projection_takes_out_what_the_text_adds_and_nothing_at_right_angles(setting):
    """With as many directions as photos nothing of the moves is left; what is taken is their span's part."""
    _, clean, plain, held = held_values(setting, "projection", range(4))
    clean, plain, held = (each.flatten(1).double() for each in (clean, plain, held))
    unit = torch.nn.functional.normalize
    moves = unit(plain, dim=1) - unit(clean, dim=1)
    assert (held @ moves.T).abs().max() < 1e-4 * (plain @ moves.T).abs().max()
    basis = torch.linalg.qr(moves.T).Q
    torch.testing.assert_close(held, plain - plain @ basis @ basis.T, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("at", ["zero", "projection"])
def test_the_curve_is_that_of_attacks_under_held_units_on_the_other_halves(chaos, at):
    images = [one.image for one in cb.samples()[:4]]
    truths, cases = ["apple", "mug", "apple", "mug"], [Case("iPod", "iPod"), Case("mug", "mug")]
    classifier = as_classifier(chaos, LABELS)
    before = chaos.encode_image(images[:1])
    steps = []
    for step in defend(classifier, images, truths, cases, ks=(2,), at=at):
        torch.testing.assert_close(chaos.encode_image(images[:1]), before)  # nothing is held in between
        if not steps or step is not steps[-1]:  # the same again is a moment to stop in
            steps.append(step)
    last = steps[-1]
    assert [step.summary for step in steps if not step.rows][:1] == ["nothing has been measured yet"]
    assert [step.done for step in steps if step.done] == [2, 4] and {step.total for step in steps} == {4}
    assert (steps[-2].provenance.n, last.provenance.n, last.rows[0].clean.n) == (2, 2, 2)
    assert [(row.kind, row.k) for row in last.found] == [("none", 0), ("reading", 2)]
    assert [row.kind for row in last.rows] == ["none", "reading", "random", "matched"]
    assert [row.k for row in last.rows] == [0, 2, 2, 2]
    assert sorted(last.units) == list(range(chaos.layer(last.layer).channels))
    assert last.rows[2].success.n == 3 * last.rows[1].success.n  # three draws
    assert last.rows[2].clean.n == 3 * last.rows[1].clean.n == 3 * 2  # photos, each counted once a draw
    plain = [(last.rows[0], slice(1, None, 2), "mug"), (last.found[0], slice(0, None, 2), "iPod")]
    held = [(last.rows[1], *plain[0][1:]), (last.found[1], *plain[1][1:])]
    for rows, units in ((plain, ()), (held, last.units[:2])) if at == "zero" else ((plain, ()),):
        for row, half, text in rows:  # the second half and text, and those that all was found on
            with chaos.ablate([f"conv_head:{unit}" for unit in units]):
                alone = cb.attack(classifier, images[half], target=text, text=text, truths=truths[half])
            assert (row.success, row.clean) == (alone.success, alone.clean)


def test_a_photo_is_right_once_however_many_texts_there_are(chaos):
    images, truths = [one.image for one in cb.samples()[:4]], ["apple", "mug"] * 2
    first = measured(defend(as_classifier(chaos, LABELS), images, truths, [Case("iPod", "iPod")] * 6))
    assert (first.rows[0].success.n, first.rows[0].clean.n) == (2 * 3, 2)


def test_units_are_found_on_the_first_halves_alone(chaos):
    images = [one.image for one in cb.samples()[:4]]
    truths, cases = ["apple", "mug", "apple", "mug"], [Case("iPod", "iPod"), Case("mug", "mug")]
    classifier = as_classifier(chaos, LABELS)
    crops = [chaos.crop(image) for image in images[::2]]
    written = [cb.overlay(crop, "iPod") for crop in crops]
    carried = cb.why(classifier, crops, written, target="iPod", against=truths[::2])
    assert measured(defend(classifier, images, truths, cases)).units[:20] == carried.ranked[:20]


def test_units_found_on_texts_of_their_own_are_theirs_and_told_is_the_same_half(chaos):
    """Found on one text, their number chosen on another, told of a third."""
    images = [one.image for one in cb.samples()[:4]]
    truths = ["apple", "mug", "apple", "mug"]
    cases = [Case("iPod", "iPod"), Case("mug", "mug")]
    classifier = as_classifier(chaos, LABELS)
    options = {"ks": (3,), "recipe": LARGE}
    *_, last = defend(classifier, images, truths, cases, found_on=[Case("iPod", "pizza")], **options)
    crops = [chaos.crop(image) for image in images[::2]]
    written = [cb.overlay(crop, "pizza", LARGE) for crop in crops]
    carried = cb.why(classifier, crops, written, target="iPod", against=truths[::2])
    assert last.units[:20] == carried.ranked[:20]
    with chaos.ablate([f"conv_head:{unit}" for unit in last.units[:3]]):
        for row, half, text in (
            (last.found[1], slice(0, None, 2), "iPod"),
            (last.rows[1], slice(1, None, 2), "mug"),
        ):
            alone = cb.attack(
                classifier, images[half], target=text, text=text, truths=truths[half], recipe=LARGE
            )
            assert (row.kind, row.success, row.clean) == ("reading", alone.success, alone.clean)
    assert "found on half of 4 photos and 1 texts, their number on half of 2 others" in last.provenance.recipe


def test_no_unit_is_found_on_a_text_that_is_told_of(chaos, plain):
    cases = [Case("iPod", "iPod"), Case("mug", "mug")]
    steps = defend(as_classifier(chaos, LABELS), [plain(0)] * 4, ["apple"] * 4, cases, found_on=cases[:1])
    with pytest.raises(cb.ClipbenchError, match="'iPod' is to be told of"):
        next(steps)


@pytest.mark.parametrize("way", levers.WAYS)
def test_photos_of_one_target_alone_are_refused_before_any_is_encoded(setting, monkeypatch, way):
    classifier, crops, [case] = setting
    monkeypatch.setattr(type(classifier.model), "pixels", lambda *_: pytest.fail("a photo was encoded"))
    steps = lever(classifier, crops, ["iPod"] * len(crops), [case], "conv_head", way)
    with pytest.raises(cb.ClipbenchError, match="every photo shows 'iPod'; give photos of other things"):
        next(steps)


@pytest.mark.parametrize("at", ["zero", "projection"])
def test_one_can_stop_after_few_pictures_also_while_the_units_are_looked_for(chaos, monkeypatch, at):
    shown, laid, pixels = [], [], type(chaos).pixels

    def counting(model, images):
        shown.append(len(images))
        return pixels(model, images)

    def laying(*told):
        laid.append(told)
        return lay(*told)

    monkeypatch.setattr(type(chaos), "pixels", counting)
    monkeypatch.setattr(levers, "lay", laying)
    images, truths = [one.image for one in cb.samples()[:12]] * 3, ["apple", "mug"] * 18
    steps = defend(
        as_classifier(chaos, LABELS), images, truths, [Case("iPod", "iPod"), Case("mug", "mug")], at=at
    )
    between = []
    while not next(steps).rows:
        between.append((sum(shown), len(laid)))
        shown.clear(), laid.clear()
    assert len(between) > 4 and max(pictures for pictures, _ in between) <= 16
    texts = [count for _, count in between]
    assert sum(texts) == 18 and max(texts) <= 16  # one half, one text


def test_one_can_stop_after_each_set_that_is_held(chaos, monkeypatch):
    answered, logits_from = [], defence.logits_from

    def counting(*told):
        answered.append(told)
        return logits_from(*told)

    monkeypatch.setattr(defence, "logits_from", counting)
    images, truths = [one.image for one in cb.samples()[:4]], ["apple", "mug"] * 2
    cases = [Case("iPod", "iPod"), Case("mug", "mug")]
    between, curves = [], []
    for step in defend(as_classifier(chaos, LABELS), images, truths, cases, ks=(1, 3)):
        between.append(len(answered))
        answered.clear()
        curves.append(step)
    assert sum(between) > 10 and max(between) == 1
    assert all(len({row.success.n for row in step.rows if row.kind != "random"}) <= 1 for step in curves)
    assert [step.done for step in curves] == sorted(step.done for step in curves) and curves[-1].done == 4


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"images": 1}, "1 photos and 2 texts cannot be halved"),
        ({"cases": 1}, "4 photos and 1 texts cannot be halved"),
        ({"truths": 3}, "3 truths for 4 images"),
        ({"at": "noon"}, "held at 'zero', 'mean', 'clamp', 'projection', not at 'noon'"),
        ({"at": "projection", "layer": "conv_head"}, "a projection is of the embedding, not of 'conv_head'"),
        ({"layer": "conv_haed"}, "did you mean 'conv_head'"),
        ({"ks": (3, 1)}, "must ascend, from 1 to 640, not \\[3, 1\\]"),
        ({"ks": (0,)}, "must ascend"),
        ({"ks": (641,)}, "must ascend"),
    ],
)
def test_a_defence_that_cannot_be(chaos, plain, change, sentence):
    images, truths = [plain(0)] * change.get("images", 4), ["apple"] * change.get("truths", 4)
    cases = [Case("iPod", "iPod"), Case("mug", "mug")][: change.get("cases", 2)]
    options = {name: change[name] for name in ("at", "ks", "layer") if name in change}
    with pytest.raises(cb.ClipbenchError, match=sentence):
        next(defend(as_classifier(chaos, LABELS), images, truths, cases, **options))
