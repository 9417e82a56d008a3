"""Labels by hand: saved one by one, taken back, two raters in one file, and agreement by its definition."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import clipbench as cb
from clipbench.studies.labelling import Labelling


def begin(path, labels=("cat", "dog"), pictures=3, subject="mini conv_head:1"):
    return Labelling.open(path / "x.json", subject, labels, pictures)


def test_every_label_is_in_the_file_at_once(tmp_path):
    bench = begin(tmp_path)
    for number, label in enumerate(("cat", "dog", "cat"), start=1):
        bench = bench.mark("anna", label)
        assert len(json.loads((tmp_path / "x.json").read_text())["given"]["anna"]) == number
        assert begin(tmp_path).given == bench.given  # as after a killed kernel
    assert bench.place("anna") is None
    with pytest.raises(cb.ClipbenchError, match="anna has labelled all 3 pictures"):
        bench.mark("anna", "cat")


def test_the_last_label_is_taken_back(tmp_path):
    bench = begin(tmp_path).mark("anna", "cat").mark("anna", "dog").undo("anna")
    assert bench.given == {"anna": ("cat",)} == begin(tmp_path).given
    assert bench.undo("anna").undo("anna").place("anna") == 0


def test_two_raters_write_into_one_file_side_by_side(tmp_path):
    anna, ben = begin(tmp_path), begin(tmp_path)
    anna = anna.mark("anna", "cat")
    ben = ben.mark("ben", "dog")
    anna = anna.mark("anna", "dog")
    assert begin(tmp_path).given == {"anna": ("cat", "dog"), "ben": ("dog",)} == anna.given
    second = begin(tmp_path).mark("ben", "cat")
    assert second.given["ben"] == ("dog", "cat")
    with pytest.raises(cb.ClipbenchError, match="somebody else is labelling as 'ben'"):
        ben.mark("ben", "dog")  # who does not know of the second label


def test_two_raters_at_the_same_time_lose_nothing(tmp_path):
    """Both read and write all the time; the file is one, so without a lock one would undo the other."""

    def label(rater: str) -> None:
        bench = begin(tmp_path, pictures=60)
        for _ in range(60):
            bench = bench.mark(rater, "cat")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(label, ("anna", "ben")))
    given = begin(tmp_path, pictures=60).given
    assert {rater: len(own) for rater, own in given.items()} == {"anna": 60, "ben": 60}


def test_a_label_set_that_changes_midway_is_told_and_harms_nothing(tmp_path):
    bench, path = begin(tmp_path).mark("anna", "cat"), tmp_path / "x.json"
    path.unlink()
    other = begin(tmp_path, labels=("cat", "cow")).mark("ben", "cow")
    with pytest.raises(cb.ClipbenchError, match=r"begun with labels \['cat', 'cow'\], not \['cat', 'dog'\]"):
        bench.mark("anna", "dog")
    assert begin(tmp_path, labels=("cat", "cow")).given == other.given == {"ben": ("cow",)}


def test_a_file_that_vanishes_midway_is_written_anew(tmp_path):
    bench = begin(tmp_path).mark("anna", "cat").mark("ben", "dog")
    (tmp_path / "x.json").unlink()
    bench = bench.mark("anna", "dog")
    assert bench.given == begin(tmp_path).given == {"anna": ("cat", "dog"), "ben": ("dog",)}


def test_kappa_is_cohen_s(tmp_path):
    first, second = "aabbbabaab", "aabbababbb"
    bench = begin(tmp_path, ("a", "b"), 10)
    for one, other in zip(first, second, strict=True):
        bench = bench.mark("anna", one).mark("ben", other)
    table = np.array([[sum(x == p and y == q for x, y in zip(first, second, strict=True)) for q in "ab"]
                      for p in "ab"]) / 10  # fmt: skip
    chance = table.sum(axis=1) @ table.sum(axis=0)
    assert bench.kappa("anna", "ben") == pytest.approx((table.trace() - chance) / (1 - chance))
    with pytest.raises(cb.ClipbenchError, match="unknown rater 'bem'; did you mean 'ben'"):
        bench.kappa("anna", "bem")


def test_one_and_the_same_label_throughout_is_full_agreement(tmp_path):
    assert begin(tmp_path).mark("anna", "cat").mark("ben", "cat").kappa("anna", "ben") == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"labels": ("cat", "cow")}, "begun with labels"),
        ({"pictures": 4}, "begun with pictures 3, not 4"),
        ({"subject": "mini conv_head:2"}, "begun with subject"),
        ({"labels": ("cat",)}, "two different labels"),
    ],
)
def test_a_file_stays_with_what_it_was_begun_with(tmp_path, change, sentence):
    begin(tmp_path).mark("anna", "cat")
    with pytest.raises(cb.ClipbenchError, match=sentence):
        begin(tmp_path, **change)


def test_labels_in_other_scripts_are_kept(tmp_path):
    begin(tmp_path, ("猫", "собака")).mark("Ола", "猫")
    assert begin(tmp_path, ("猫", "собака")).given == {"Ола": ("猫",)}


def test_a_file_of_something_else_is_refused(tmp_path):
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(cb.ClipbenchError, match="no file of labels"):
        begin(tmp_path)
    told = {"version": 1, "subject": "mini conv_head:1", "labels": ["cat", "dog"], "pictures": 3, "given": 7}
    for wrong in (told, {**told, "version": 2, "given": {}}):
        (tmp_path / "x.json").write_text(json.dumps(wrong))
        with pytest.raises(cb.ClipbenchError, match="no file of labels of this version"):
            begin(tmp_path)
    with pytest.raises(cb.ClipbenchError, match="unknown label 'bird'"):
        Labelling.open(tmp_path / "y.json", "s", ("cat", "dog"), 3).mark("anna", "bird")
    with pytest.raises(cb.ClipbenchError, match="the rater has no name"):
        Labelling.open(tmp_path / "y.json", "s", ("cat", "dog"), 3).mark(" ", "cat")
