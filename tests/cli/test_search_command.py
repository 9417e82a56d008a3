"""`clipbench attack-search`, and `clipbench fetch in-the-wild`."""

import json

import pytest

import clipbench as cb
from clipbench.attacks import SearchResult, wild
from clipbench.stimuli import Recipe


@pytest.fixture
def folder(tmp_path):
    for number, photo in enumerate(cb.samples()[:5]):
        photo.image.resize((64, 64)).save(tmp_path / f"{number}.png")
    return tmp_path


@pytest.fixture
def target(folder):
    """A label that the model with random weights takes no photo for."""
    model = cb.models.load("mini/random")
    labels = ["apple", "iPod", "mug"]
    photos = [cb.read_image(path).image for path in sorted(folder.glob("*.png"))]
    answers = cb.zero_shot(model, photos, labels)
    seen = {labels[place] for place in answers.argmax(dim=1).tolist()}
    return next(label for label in labels if label not in seen)


def test_the_document_is_the_search_and_the_table_tells_the_same(answer, run, folder, target):
    (folder / "words.txt").write_text("dog\n\n cat \n")
    arguments = ["attack-search", folder, "--target", target, "--labels", "apple,iPod,mug"]
    arguments += [
        "--model",
        "mini/random",
        "--vocabulary",
        folder / "words.txt",
        "--method",
        "brute force",
        "--size",
        "40",
    ]
    document = answer(*arguments)
    expected = cb.attack_search(
        cb.models.load("mini/random"), sorted(folder.glob("*.png")), target=target, vocabulary=["dog", "cat"],
        methods=["brute force"], labels=["apple", "iPod", "mug"], recipe=Recipe(size=40.0),
    )  # fmt: skip
    assert document == json.loads(json.dumps(expected.as_dict()))
    status, out, err = run(*arguments)
    assert (status, err) == (0, "")
    assert {line.split()[0] for line in out.splitlines()[1:4]} == {"dog", "cat", target}
    assert "pictures encoded" in out and f"{target!r} itself" in out


def test_files_and_broken_pictures(run, answer, folder, target, tmp_path):
    (folder / "words.txt").write_text("dog\n\n cat \n")
    arguments = ["attack-search", folder, "--target", target, "--labels", "apple,iPod,mug", "--model"]
    arguments += ["mini/random", "--vocabulary", folder / "words.txt", "--method", "brute force"]
    for ending in SearchResult.endings:
        out = tmp_path / f"x{ending}"
        document = answer(*arguments, "--out", out)
        assert json.loads(json.dumps(SearchResult.load(out).as_dict())) == document
    (folder / "z.png").write_bytes(b"no picture")
    status, printed, err = run(*arguments)
    assert status == 2 and "z.png" in err and err.count("\n") == 1 and "pictures encoded" in printed


def test_the_photos_are_fetched_where_the_user_wants_them(answer, run, tmp_path, monkeypatch):
    def fetch(folder):
        yield wild.FetchProgress(171, 171, 3)

    monkeypatch.setattr(wild, "fetch_wild", fetch)
    document = answer("fetch", "in-the-wild", "--to", tmp_path / "x")
    assert (document["folder"], document["photos"], document["fetched"]) == (str(tmp_path / "x"), 171, 3)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    _, out, _ = run("fetch", "in-the-wild")
    assert out.startswith("171 photos are in") and str(tmp_path / "clipbench" / "in-the-wild") in out
    assert "CC-BY 4.0" in out
