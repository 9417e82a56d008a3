"""The harness: outcomes, streams, journals, files; with a classifier that can be worked out by hand."""

import csv
import json
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

import clipbench as cb
from clipbench.attacks import AttackResult, Case, measure, rendering
from clipbench.attacks.result import ARRAYS, OUTCOMES
from clipbench.classify import as_classifier
from clipbench.intervals import wilson
from clipbench.stimuli import ARTICLE, Recipe, Tag, cover, overlay, paper
from clipbench.streams import ahead

# White letters over half the picture: what is dark becomes grey, what is grey stays, what is bright is white.
BLOCK = Tag(width=1, height=0.5, paper_colour="white", colour="white")
GREYS = (0, 10, 100, 110, 250)


def attack(bright, greys, plain, target="grey", **options):
    images = [plain(grey) for grey in greys]
    return cb.attack(bright, images, target=target, text="o", recipe=BLOCK, **options)


def same(one: AttackResult, other: AttackResult) -> bool:
    arrays = all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ARRAYS)
    rest = ("target", "text", "labels", "names", "unread", "notes", "provenance")
    return arrays and all(getattr(one, name) == getattr(other, name) for name in rest)


def test_outcomes_are_counted_as_in_the_article(bright, plain):
    result = attack(bright, GREYS, plain)
    # (v + 255) / 2: 0 and 10 become 128 and 132, 100 and 110 become 178 and 183, nearer to 128 than to 255
    assert result.outcomes == ("changed to",) * 2 + ("already equal",) * 2 + ("neither",)
    away = attack(bright, (0, 10, 250), plain, target="dark")
    assert away.outcomes == ("changed away", "changed away", "neither")
    for one in (result, away):
        assert sum(rate.hits for rate in one.rates.values()) == one.n
        assert list(one.rates) == list(OUTCOMES)
    assert (result.success.hits, result.success.n, result.success.share) == (2, 5, 0.4)
    assert result.success.interval == wilson(2, 5)


def test_each_row_is_what_the_classifier_says_of_the_picture_drawn_by_hand(bright, plain):
    result = attack(bright, GREYS, plain)
    after = [paper(plain(grey), "o", BLOCK) for grey in GREYS]
    for pictures, top, share, target in (
        ([plain(grey) for grey in GREYS], result.before, result.before_share, result.target_before),
        (after, result.after, result.after_share, result.target_after),
    ):
        answers = bright.probabilities(bright.model.pixels(pictures)).numpy()
        assert np.array_equal(top, answers.argmax(axis=1))
        assert np.allclose(share, answers.max(axis=1)) and np.allclose(target, answers[:, 1])
    assert result.cover[0] == cover(plain(0), after[0]) == 0.5
    assert result.mean_cover == pytest.approx(0.5)
    assert result.names == tuple(f"image {number}" for number in range(5))


def test_truths_give_accuracy_and_the_flips_of_what_was_right(bright, plain):
    result = attack(bright, GREYS, plain, truths=["dark", "bright", "grey", "grey", "bright"])
    assert (result.clean.hits, result.clean.n) == (4, 5)
    assert (result.of_right.hits, result.of_right.n) == (1, 2)  # of image 0 and 4; 2 and 3 show the target
    assert attack(bright, GREYS, plain).clean is None
    assert (result.of_others.hits, result.of_others.n) == (2, 3)  # 2 and 3 were grey before


def test_a_zero_shot_attack_is_zero_shot_of_overlaid_crops(chaos):
    photos = [sample.image for sample in cb.samples()[:2]]
    labels, template = ["apple", "iPod", "pizza"], ["a photo of a {}", "the word {}"]
    result = cb.attack(chaos, photos, target="iPod", text="iPod", labels=labels, template=template)
    crops = [chaos.crop(photo) for photo in photos]
    assert [crop.size for crop in crops] == [(chaos.image_size,) * 2] * 2
    written = [overlay(crop, "iPod") for crop in crops]
    expected = cb.zero_shot(chaos, written, labels, template).numpy()
    assert np.array_equal(result.after, expected.argmax(axis=1))
    assert np.allclose(result.target_after, expected[:, 1], atol=1e-5)
    assert np.allclose(result.target_before, cb.zero_shot(chaos, photos, labels, template)[:, 1], atol=1e-5)
    assert result.cover.tolist() == pytest.approx([cover(*pair) for pair in zip(crops, written, strict=True)])
    assert str(ARTICLE) in result.provenance.recipe and result.provenance.n == 2


def test_the_control_answers_in_its_classes_and_in_labels(control):
    photo = [cb.samples()[0].image]
    pixels = control.pixels(photo)
    for labels in (None, ["apple", "mug", "iPod"]):
        classifier = as_classifier(control, labels)
        names, expected = cb.class_probabilities(control, photo, labels)
        ours = dict(zip(classifier.labels, classifier.probabilities(pixels)[0].tolist(), strict=True))
        for name in (name for name in names if names.count(name) == 1):
            assert ours[name] == pytest.approx(expected[0, names.index(name)].item(), abs=1e-5)
    assert sum(ours.values()) == pytest.approx(1)
    result = cb.attack(control, photo, target="iPod", text="iPod")
    assert result.labels == tuple(dict.fromkeys(control.classes))


def test_several_texts_at_once_are_each_by_itself(bright, plain):
    images = [plain(grey) for grey in GREYS]
    cases = [Case("grey", "o"), Case("bright", "a long word"), Case("dark", "x")]
    *_, last = measure(bright, images, cases, BLOCK)
    for case, result in zip(cases, last.results, strict=True):
        assert same(result, cb.attack(bright, images, target=case.target, text=case.text, recipe=BLOCK))


def test_cases_that_differ_in_their_recipe_make_a_curve(bright, plain):
    images = [plain(grey) for grey in GREYS]
    recipes = [replace(BLOCK, height=height) for height in (0.1, 0.5, 1)]
    *_, last = measure(bright, images, [Case("grey", "o", recipe) for recipe in recipes])
    assert [result.mean_cover for result in last.results] == pytest.approx([0.1, 0.5, 1], abs=0.01)
    for recipe, result in zip(recipes, last.results, strict=True):
        assert same(result, cb.attack(bright, images, target="grey", text="o", recipe=recipe))


def test_who_stops_reading_stops_the_work_and_has_what_was_done(bright, plain, monkeypatch):
    monkeypatch.setattr("clipbench.attacks.run._PICTURES", 2)
    read = []
    monkeypatch.setattr(rendering, "read_image", lambda item: read.append(item) or cb.read_image(item))
    steps = measure(bright, [plain(0)] * 50, [Case("grey", "o")], BLOCK)
    assert (next(steps).done, next(steps).done) == (1, 2)
    step = next(steps)
    steps.close()
    assert (step.done, step.total, step.results[0].n) == (3, 50, 3)
    seen = len(read)
    assert seen <= 3 + 3  # those that were ahead
    time.sleep(0.1)
    assert len(read) == seen and not [one for one in threading.enumerate() if "ThreadPool" in one.name]


def test_rendering_goes_on_while_the_reader_is_busy():
    made = []
    steps = ahead(made.append, range(9))
    next(steps)
    deadline = time.monotonic() + 5
    while len(made) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert made == [0, 1, 2]  # one was read, two are ready
    assert len(list(steps)) == 8 and made == list(range(9))


def test_an_edit_of_the_reader_s_thread_is_in_force(chaos):
    photo = [cb.samples()[0].image]
    options = {"target": "iPod", "text": "iPod", "labels": ["apple", "iPod"]}
    plain = cb.attack(chaos, photo, **options)
    with chaos.add("conv_head", torch.ones(1280), 10):
        edited = cb.attack(chaos, photo, **options)
    assert edited.target_after[0] != plain.target_after[0]
    assert same(cb.attack(chaos, photo, **options), plain)


@pytest.mark.parametrize("ending", [".npz", ".json", ".csv", ".parquet"])
def test_a_saved_result_is_the_same_result(bright, plain, tmp_path, ending):
    images = [*(plain(grey) for grey in GREYS), tmp_path / "none.png"]
    truths = ["dark", "bright", "grey", "grey", "bright", "grey"]
    result = cb.attack(bright, images, target="grey", text="o", recipe=BLOCK, truths=truths)
    path = result.save(tmp_path / f"x{ending}")
    assert same(AttackResult.load(path), result)
    assert AttackResult.load(path).rates == result.rates
    with np.load(result.save(tmp_path / "y.npz"), allow_pickle=False) as told:
        assert set(told) == {"told", *ARRAYS}


def test_the_table_has_a_row_for_each_image(bright, plain, tmp_path):
    result = attack(bright, GREYS, plain)
    with result.save(tmp_path / "x.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["outcome"] for row in rows] == list(result.outcomes)
    assert [row["before"] for row in rows] == ["dark", "dark", "grey", "grey", "bright"]
    assert [float(row["cover"]) for row in rows] == result.cover.tolist()
    assert json.dumps(result.as_dict(rows=False))  # plain types


def test_a_table_that_a_spreadsheet_has_sorted_still_reads(bright, plain, tmp_path):
    result = attack(bright, GREYS, plain)
    path = result.save(tmp_path / "x.csv")
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([head, *reversed(rows)]))
    again = AttackResult.load(path)
    assert again.names == result.names[::-1] and again.outcomes == result.outcomes[::-1]
    assert again.provenance == result.provenance


def test_one_image_makes_a_result_with_a_wide_interval(bright, plain):
    result = attack(bright, GREYS[:1], plain)
    assert (result.n, result.success.hits) == (1, 1)
    assert result.success.interval == pytest.approx((0.2065, 1), abs=1e-4)  # Wilson's of 1 of 1: n / (n + z²)


def test_files_that_cannot_be_written_or_read(bright, plain, tmp_path, monkeypatch):
    result = attack(bright, GREYS, plain)
    with pytest.raises(cb.ClipbenchError, match="does not end in .npz, .json, .csv"):
        result.save(tmp_path / "x.pkl")
    for ending in (".json", ".csv", ".parquet", ".npz"):
        (tmp_path / f"x{ending}").write_text("{}")
        with pytest.raises(cb.ClipbenchError, match="is not the result of an attack"):
            AttackResult.load(tmp_path / f"x{ending}")
    with pytest.raises(cb.ClipbenchError, match="there is no file"):
        AttackResult.load(tmp_path / "y.npz")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(cb.ClipbenchError, match="No space left on device"):
        result.save(tmp_path / "x.json")
    assert (tmp_path / "x.json").read_text() == "{}"


def test_an_interrupted_run_goes_on_and_comes_to_the_same(bright, plain, tmp_path, monkeypatch):
    monkeypatch.setattr("clipbench.attacks.run._PICTURES", 4)
    images, cases = [plain(grey) for grey in GREYS], [Case("grey", "o"), Case("bright", "x")]
    journal = tmp_path / "run.jsonl"
    steps = measure(bright, images, cases, BLOCK, journal=journal)
    next(steps), next(steps)
    steps.close()
    with journal.open("a") as file:
        file.write('[4, "image')  # killed in the middle of a line
    read = []
    monkeypatch.setattr(rendering, "read_image", lambda item: read.append(item) or cb.read_image(item))
    resumed = list(measure(bright, images, cases, BLOCK, journal=journal))
    assert len(read) == 3 and resumed[0].done == 3
    *_, whole = measure(bright, images, cases, BLOCK)
    assert all(same(*pair) for pair in zip(resumed[-1].results, whole.results, strict=True))
    (again,) = measure(bright, images, cases, BLOCK, journal=journal)  # nothing is left to do
    assert len(read) == 3 + 5 and all(same(*pair) for pair in zip(again.results, whole.results, strict=True))


@pytest.mark.parametrize("left", [0, 9])
def test_a_journal_that_was_cut_off_before_its_first_row_is_begun_anew(bright, plain, tmp_path, left):
    """As a full disk leaves it."""
    run = {"images": [plain(0)], "cases": [Case("grey", "o")], "journal": tmp_path / "run.jsonl"}
    list(measure(bright, **run))
    whole = run["journal"].read_text()
    run["journal"].write_text(whole[:left])
    (step,) = measure(bright, **run)
    assert step.done == 1 and run["journal"].read_text() == whole


def test_a_journal_of_another_run_is_refused(bright, plain, tmp_path):
    journal = tmp_path / "run.jsonl"
    list(measure(bright, [plain(0)], [Case("grey", "o")], BLOCK, journal=journal))
    for images, case, recipe in (
        ([plain(0)] * 2, Case("grey", "o"), BLOCK),
        ([plain(0)], Case("grey", "x"), BLOCK),
        ([plain(0)], Case("grey", "o"), ARTICLE),
        ([plain(1)], Case("grey", "o"), BLOCK),  # another picture in its place
    ):
        with pytest.raises(cb.ClipbenchError, match="is the journal of another run"):
            list(measure(bright, images, [case], recipe, journal=journal))
    journal.write_text("no journal\n")
    with pytest.raises(cb.ClipbenchError, match="is no journal"):
        list(measure(bright, [plain(0)], [Case("grey", "o")], BLOCK, journal=journal))
    with pytest.raises(cb.ClipbenchError, match="cannot write"):
        list(measure(bright, [plain(0)], [Case("grey", "o")], BLOCK, journal=tmp_path / "no" / "run.jsonl"))


def test_broken_images_are_listed_and_do_not_stop_the_others(bright, plain, tmp_path):
    good, broken, empty = (tmp_path / f"{name}.png" for name in ("good", "broken", "empty"))
    plain(0).save(good)
    broken.write_bytes(good.read_bytes()[:60])
    empty.touch()
    result = cb.attack(bright, [broken, good, empty], target="grey", text="o", recipe=BLOCK)
    assert (result.n, result.names) == (1, (str(good),))
    assert [name for name, _ in result.unread] == [str(broken), str(empty)]
    assert "damaged" in result.unread[0][1] and "is empty" in result.unread[1][1]
    with pytest.raises(cb.ClipbenchError, match="none of the 2 images could be read"):
        cb.attack(bright, [broken, empty], target="grey", text="o", recipe=BLOCK)


def test_a_text_that_is_too_wide_is_told_and_shrunk_if_asked(bright, plain):
    def notes(text, recipe=ARTICLE):
        return cb.attack(bright, [plain(0)], target="grey", text=text, recipe=recipe).notes

    assert notes("iPod") == () == notes("w" * 40, Recipe(shrink=True)) == notes("iPod", Tag())
    (note,) = notes("w" * 40)
    assert f"pixels wide and the picture {bright.model.image_size}; its end is cut off" in note


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"target": "gray"}, "unknown label 'gray'; did you mean 'grey'"),
        ({"images": []}, "there are no images"),
        ({"images": "folder"}, "images must be a list"),
        ({"images": Image.new("RGB", (9, 9))}, "images must be a list"),
        ({"text": ""}, "the label has no text"),
        ({"text": "苹果"}, "cannot draw '苹果'"),
        ({"labels": ["dark"]}, "a probe has its own 3 labels"),
        ({"template": "a {}"}, "only a CLIP reads a template"),
        ({"truths": ["grey"] * 2}, "there are 2 truths for 1 images"),
        ({"truths": ["gry"]}, "unknown label 'gry'"),
    ],
)
def test_bad_input(bright, plain, change, sentence):
    arguments = {"images": [plain(0)], "target": "grey", "text": "o", **change}
    with pytest.raises(cb.ClipbenchError, match=sentence):
        cb.attack(bright, arguments.pop("images"), **arguments)


def test_more_bad_input(bright, plain, chaos):
    with pytest.raises(cb.ClipbenchError, match="a model or a probe is needed, not str"):
        cb.attack("mini", [plain(0)], target="grey", text="o")
    with pytest.raises(cb.ClipbenchError, match="there is no text to attack with"):
        list(measure(bright, [plain(0)], []))
    with pytest.raises(cb.ClipbenchError, match="did you mean 'pizza'"):
        cb.attack(chaos, [plain(0)], target="pizzza", text="pizza", labels=["apple", "pizza"])
