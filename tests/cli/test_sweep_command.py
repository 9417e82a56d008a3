"""`clipbench sweep`, `words`, `search` and `labels`."""

from pathlib import Path

import numpy as np
import pytest

import clipbench as cb
from clipbench.studies import words_of
from clipbench.sweeps import LOOKS
from clipbench.sweeps.place import FORMAT, opened

MODEL = ["--model", "mini/random"]


@pytest.fixture
def folder(tmp_path):
    """Six photos."""
    home = tmp_path / "photos"
    home.mkdir()
    for one in cb.samples()[:6]:
        one.image.resize((64, 64)).save(home / f"{one.name}.png")
    return home


def test_a_sweep_is_told_and_goes_on(answer, folder, tmp_path):
    ask = ["sweep", folder, "--store", tmp_path / "s", *MODEL]
    document = answer(*ask, "--block", 4)
    assert (document["images"], document["resumed"], document["unread"]) == (6, 0, [])
    assert {"layer": "conv_head", "units": 1280, "images": 6} in document["layers"]
    store = cb.Store.at(tmp_path / "s", document["key"])
    model = cb.models.load("mini/random")
    expected = model.activations([store.image(2)], "conv_head").amax(dim=(2, 3))[0].numpy()
    np.testing.assert_allclose(store.matrix("conv_head")[2], expected, rtol=2e-3, atol=1e-3)
    again = answer(*ask, "--layer", "blocks.4")
    assert again["resumed"] == 0 and again["key"] == document["key"]  # another layer of the same sweep
    assert answer(*ask)["resumed"] == 6


def test_what_cannot_be_read_is_told_and_the_rest_is_swept(run, folder, tmp_path):
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff no")
    status, out, err = run("sweep", folder, "--store", tmp_path / "s", *MODEL)
    assert status == 2 and "broken.jpg" in err and err.count("\n") == 1
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["layer", "units", "images"] and ["conv_head", "1280", "6"] in lines
    assert "1 could not be read" in out


def test_words_are_shown_once(run, answer, tmp_path):
    (tmp_path / "list.txt").write_text("cat\ndog\n\ncat\nmouse\nZürich\nrain\n")
    ask = [
        "words",
        "conv_head:7",
        "--top",
        2,
        "--list",
        tmp_path / "list.txt",
        "--store",
        tmp_path / "s",
        *MODEL,
    ]
    document = answer(*ask)
    expected = words_of(cb.Store.open(tmp_path / "s", kind="words"), "conv_head:7", 2)
    assert [one["word"] for one in document["most"]] == [one.word for one in expected.most]
    assert document["changes"] == [] and document["most"][0]["taught"] is None
    with_looks = answer(*ask, "--looks")
    assert [one["look"] for one in with_looks["changes"]] == [str(look) for look in LOOKS[1:]]
    status, out, err = run(*ask)
    assert (status, err) == (0, "") and out.startswith("most") and "least" in out
    assert "n = 5" in out


def test_a_text_leads_to_units_and_units_to_names(answer, run, folder, tmp_path):
    answer("sweep", folder, "--store", tmp_path / "s", *MODEL)
    document = answer("search", "dog", "--store", tmp_path / "s", "--top", 3, *MODEL)
    assert len(document["matches"]) == 3 and document["units"] == 1280
    status, out, err = run("search", "dog", "--store", tmp_path / "s", *MODEL)
    assert (status, err) == (0, "") and "'dog' among 1280 units" in out
    status, _, err = run("labels", "conv_head", "--store", tmp_path / "s", *MODEL)
    assert status == 2 and "6 photos are too few" in err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["sweep", "nowhere", "--store", "s"], "there is no folder"),
        (["sweep", ".", "--store", "s", "--layer", "conv_hed"], "did you mean 'conv_head'"),
        (["words", "conv_head", "--store", "s"], "is not an address"),
        (["words", "conv_head:1", "--store", "s", "--top", "0"], "--top: 0 is too few; give at least 1"),
        (["search", "dog", "--store", "s", "--top", "-1"], "--top: -1 is too few"),
        (["words", "conv_head:1", "--store", "s", "--list", "nowhere.txt"], "cannot be read as text"),
        (["search", "dog", "--store", "nowhere"], "there is no store"),
        (["labels", "conv_head", "--store", "nowhere"], "there is no store"),
    ],
)
def test_bad_input(run, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(*arguments, *MODEL)
    assert (status, out) == (2, "") and sentence in err and err.count("\n") == 1


def test_words_that_cannot_be_written_are_told_once_and_shortly(run, tmp_path):
    (tmp_path / "list.txt").write_text(f"cat\n猫\n{'x' * 300}\n", encoding="utf-8")
    ask = ["words", "conv_head:7", "--list", tmp_path / "list.txt", "--store", tmp_path / "s", *MODEL]
    status, out, err = run(*ask, "--looks")
    told = err.splitlines()
    assert status == 0 and "cat" in out and len(told) == 2
    assert "cannot draw '猫'" in told[0] and "x…': the label has 300 characters" in told[1]
    assert max(map(len, told)) < 150


READERS = (
    ["search", "dog"],
    ["labels", "conv_head"],
    ["conditional", "conv_head:1"],
    ["dossier", "conv_head:1", "--out", "unit.html"],
    ["atlas", "conv_head", "--out", "atlas"],
)


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def there(answer, folder, tmp_path, monkeypatch):
    """The current folder, with a sweep of six photos in the store "s"."""
    answer("sweep", folder, "--store", tmp_path / "s", *MODEL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_store_of_another_model_is_refused_by_all_who_read_it(run, there):
    before = contents(there)
    for ask in READERS:
        status, out, err = run(*ask, "--store", "s", "--model", "mini")
        assert (status, out) == (2, "") and err.count("\n") == 1
        assert "'s' has no sweep of images of mini " in err and "it has images of mini/random" in err
    assert contents(there) == before


def test_a_store_of_another_version_is_refused_and_left_as_it_is(run, there):
    opened("s", write=True).attrs.update(clipbench_sweeps=FORMAT + 1)
    (there / "list.txt").write_text("cat\n")
    before = contents(there / "s")
    writers = (["sweep", "photos"], ["words", "conv_head:1", "--list", "list.txt"])
    for ask in (*READERS, *writers):
        status, out, err = run(*ask, "--store", "s", *MODEL)
        assert (status, out) == (2, "") and err.count("\n") == 1
        assert f"is of version {FORMAT + 1}, and this clipbench writes version {FORMAT}" in err
    assert contents(there / "s") == before


def test_photos_that_are_not_there_any_more_are_told_in_a_sentence(run, there):
    for photo in (there / "photos").iterdir():
        photo.unlink()
    for ask in (READERS[0], *READERS[3:]):
        status, out, err = run(*ask, "--store", "s", *MODEL)
        assert (status, out) == (2, "") and err.count("\n") == 1, err


def test_more_names_than_labels_can_be_chosen_from_are_refused_at_once(run, there):
    (there / "list.txt").write_text("\n".join(f"thing {number}" for number in range(100_000)))
    status, out, err = run("labels", "conv_head", "--names", "list.txt", "--store", "s", *MODEL)
    assert (status, out) == (2, "") and "100,000 names are too many" in err and err.count("\n") == 1
