"""Every file that a result of the lab is written to reads back to the same result."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import clipbench as cb
from clipbench.attacks import (
    AttackResult,
    Curve,
    Defence,
    Held,
    SearchResult,
    Stroop,
    WildPhoto,
    WildRow,
    WildTable,
)
from clipbench.attacks.curves import Point
from clipbench.attacks.search_result import Found
from clipbench.intervals import Rate

PROVENANCE = cb.Provenance("a model", "0123", 'a "recipe", with commas', seed=3, n=7)
AWKWARD = (
    "=1+1",
    "a, b",
    'with "quotes"',
    " padded ",
    "1e3",
    "ü",
    "two\nlines",
    "None",
)  # texts, labels, names


def attack() -> AttackResult:
    rng, n = np.random.default_rng(0), len(AWKWARD)
    shares = {name: rng.random(n).astype(np.float32) for name in ("before_share", "after_share")}
    shares |= {name: rng.random(n).astype(np.float32) for name in ("target_before", "target_after", "cover")}
    places = {"before": np.arange(n), "after": np.arange(n)[::-1], "truth": np.arange(n) - 1}
    about = {"unread": (("x.png", "is empty"),), "notes": ("a note",), "provenance": PROVENANCE}
    return AttackResult("1e3", AWKWARD[1], AWKWARD, AWKWARD, **places, **shares, **about)


def curve() -> Curve:
    points = [Point("a, b", Rate(1, 7), None, 0.1), Point("1", Rate(2, 7), Rate(1, 3), 1 / 3)]
    return Curve("text", "ü", "=1+1", tuple(points), (("x.png", "is empty"),), ("a note",), PROVENANCE)


def numbers() -> Curve:
    points = [Point(value, Rate(value, 7), None, value / 7) for value in (1, 2)]
    return Curve("size", "ü", "=1+1", tuple(points), (), (), PROVENANCE)


def search() -> SearchResult:
    found = [
        Found(text, Rate(place, 9), Rate(place, 8), place, 1, ("units", "brute force"))
        for place, text in enumerate(AWKWARD)
    ]
    return SearchResult(
        "1e3", tuple(found), {"units": 10, "brute force": 20}, 2, (("x.png", "is empty"),), PROVENANCE
    )


def defence() -> Defence:
    rows = [Held(kind, k, Rate(40 - k, 41), Rate(30, 33)) for kind, k in (("none", 0), ("random", 3))]
    return Defence("conv_head", (5, 0, 7), tuple(rows), tuple(rows[:1]), 3, 6, PROVENANCE)


def stroop() -> Stroop:
    return Stroop(np.random.default_rng(0).random((8, 8, 8)).astype(np.float32), PROVENANCE)


def wild() -> WildTable:
    """Each photo has labels of its own."""
    rng, photos = np.random.default_rng(0), Path("photos")
    rows = [
        WildRow(WildPhoto("ü", word, photos / word), labels := AWKWARD[place:], shares, labels[0])
        for place, word in enumerate(("", *AWKWARD[:3]))
        for shares in [rng.random(len(AWKWARD) - place).astype(np.float32)]
    ]
    return WildTable(tuple(rows), PROVENANCE)


RESULTS = (attack, curve, numbers, search, defence, stroop, wild)


def plain(value):
    """With arrays as lists of their type and rows as their fields, so that == compares them to the bit."""
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.tolist()
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return fields(value) if isinstance(value, WildRow) else value


def fields(result) -> dict:
    return {name: plain(value) for name, value in vars(result).items() if name in result.__match_args__}


def same(one, other) -> bool:
    return type(one) is type(other) and fields(one) == fields(other)


@pytest.mark.parametrize(
    ("make", "ending"), [(make, ending) for make in RESULTS for ending in type(make()).endings]
)
def test_a_file_reads_back_to_the_same(make, ending, tmp_path):
    result = make()
    again = type(result).load(result.save(tmp_path / f"x{ending}"))
    assert same(again, result) and again.as_dict() == result.as_dict()


@pytest.mark.parametrize("make", RESULTS)
def test_the_document_of_a_command_is_such_a_file(make, tmp_path):
    """Commands print `as_dict`, indented otherwise."""
    (tmp_path / "x.json").write_text(json.dumps(make().as_dict(), indent=2, allow_nan=False))
    assert same(type(make()).load(tmp_path / "x.json"), make())


@pytest.mark.parametrize("make", RESULTS)
def test_what_is_no_such_file_gets_one_sentence(make, tmp_path):
    kind = type(make())
    with pytest.raises(cb.ClipbenchError, match=r"does not end in \."):
        make().save(tmp_path / "x.pkl")
    for ending in kind.endings:
        make().save(whole := tmp_path / f"whole{ending}")
        (tmp_path / f"cut{ending}").write_bytes(whole.read_bytes()[:-60])
        (tmp_path / f"other{ending}").write_text("{}")
        with pytest.raises(cb.ClipbenchError, match="there is no file"):
            kind.load(tmp_path / f"none{ending}")
        for name in ("cut", "other"):
            with pytest.raises(cb.ClipbenchError, match="that clipbench has written"):
                kind.load(tmp_path / f"{name}{ending}")


def test_before_anything_is_measured_there_is_no_table(tmp_path):
    nothing = Defence("conv_head", (), (), (), 0, 6, PROVENANCE)
    assert same(Defence.load(nothing.save(tmp_path / "x.json")), nothing)
    with pytest.raises(cb.ClipbenchError, match="nothing has been measured yet"):
        nothing.save(tmp_path / "x.csv")


@pytest.fixture
def full_disk(tmp_path):
    """A folder on a disk of 4 KiB, full but for nothing."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip("this user may not mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.skipif(os.name == "nt", reason="needs mount")
@pytest.mark.parametrize("make", RESULTS)
def test_on_a_full_disk_there_is_a_sentence_and_no_half_file(make, full_disk):
    (full_disk / "ballast").write_bytes(bytes(4096))
    for ending in type(make()).endings:
        with pytest.raises(cb.ClipbenchError, match="No space left on device"):
            make().save(full_disk / f"x{ending}")
    assert [path.name for path in full_disk.iterdir()] == ["ballast"]
