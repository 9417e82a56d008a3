"""The condition on which benchmarks attack: its rule on photos and texts that can be counted by hand."""

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

import attack_condition  # noqa: E402
from attack_condition import Condition, halves, in_play, strongest  # noqa: E402

from clipbench.intervals import Rate  # noqa: E402
from clipbench.pretrain.photos import Photo  # noqa: E402
from clipbench.stimuli import BAND  # noqa: E402


def photos(*counts):
    """So many photos of each of some things, in turns."""
    return [
        Photo(f"{label} {number}".encode(), label)
        for number in range(max(counts))
        for label, count in enumerate(counts)
        if number < count
    ]


@pytest.mark.parametrize(
    ("counts", "most", "things", "each"),
    [
        ([1] * 248, 144, 144, {1}),  # one of each: as many things as photos
        ([250] * 80, 144, 16, {9}),  # many of each: few things
        ([3] * 60, 144, 48, {3}),
        ([5] * 10, 144, 10, {5}),  # too few altogether: all of them
    ],
)
def test_photos_in_play_are_of_few_things_and_evenly_many_of_each(counts, most, things, each):
    chosen = in_play(photos(*counts), most)
    found = Counter(photo.label for photo in chosen)
    assert len(found) == things and set(found.values()) == each
    assert len(chosen) == len({photo.content for photo in chosen}) <= most


def test_no_photo_is_both_put_aside_and_measured_on():
    kept, aside = halves(photos(*[1] * 144))
    assert (len(kept), len(aside)) == (120, 24)
    assert not {photo.content for photo in kept} & {photo.content for photo in aside}


def test_the_strongest_texts_are_found_on_one_half_and_counted_on_the_other(monkeypatch):
    monkeypatch.setattr(attack_condition, "TEXTS", 2)
    won = np.array([[1, 0, 1, 0], [0, 1, 0, 1], [1, 1, 0, 1]], bool)  # on even photos 2, 0 and 1
    texts, aside = strongest(won, ["a", "b", "c"])
    assert texts == ("a", "c") and aside == Rate(0 + 2, 4)


THREE = Rate(3, 4)


def found(weights="0123", aside=THREE):
    tried = (("a paper tag, 3 labels", Rate(1, 4)), ("a band of paper, 3 labels", aside))
    texts, others = ("x", "y"), ("z",)
    return Condition("a band of paper", ("x", "y", "z"), 40, texts, others, aside, tried, weights, "hash")


def test_a_condition_is_saved_tells_its_rule_and_is_not_looked_for_twice(tmp_path, monkeypatch):
    found().save(tmp_path / "x.json")
    again = Condition.load(tmp_path / "x.json")
    assert again == found() and again.recipe == BAND
    assert "3 of 4 attacks succeed on photos put aside (the first with half of them)" in str(again)
    assert "(none has half, this the most)" in str(found(aside=Rate(1, 4)))

    asked = []

    class Model:
        weights_hash = "0123"

    def looked_for(model, own, key):
        asked.append(key)
        return Condition(**{**vars(found(model.weights_hash)), "photos": key})

    monkeypatch.setattr(attack_condition, "_looked_for", looked_for)
    for own in (photos(1, 1), photos(1, 1), photos(1, 2)):
        attack_condition.condition(Model, own, tmp_path / "x.json")
    Model.weights_hash = "4567"
    attack_condition.condition(Model, photos(1, 2), tmp_path / "x.json")
    assert len(asked) == 3  # other photos than in the file, others again, other weights


def test_texts_that_a_model_reads_are_names_it_takes_for_what_they_say(mini):
    names = list(attack_condition.readable(mini))
    from clipbench import written, zero_shot
    from clipbench.models import imagenet_labels

    labels = imagenet_labels()
    assert 2 <= len(names) == len(set(names)) < len(labels)
    pages = [written(name, side=mini.image_size) for name in names[:3]]
    answers = zero_shot(mini, pages, labels).argmax(dim=1).tolist()
    assert [labels[place] for place in answers] == names[:3]
