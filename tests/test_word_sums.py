"""Sums of words and medians of labels, on made-up models whose answers are known."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import clipbench as cb
from clipbench.results import Provenance
from clipbench.studies.label_medians import LabelMedians, label_medians, labelled_files, published_people
from clipbench.studies.word_arithmetic import (
    PICTURES,
    WordSpace,
    kind_of,
    known_images,
    known_words,
    only_words,
    word_space,
)


@pytest.fixture
def space():
    """Four words of which the sum is exact, and forty of noise."""
    rng = np.random.default_rng(0)
    royal, male, noise = np.eye(12)[0], np.eye(12)[1], rng.normal(size=(40, 12))
    rows = np.stack([royal + male, royal - male, male, -male, *noise])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    words = ("king", "queen", "man", "woman", *(f"noise{number}" for number in range(40)))
    return WordSpace(words, rows, Provenance("made up", "", "made up"))


def test_king_without_man_and_with_woman_is_queen(space):
    (word, cosine), *_ = space.nearest(["king", "woman"], ["man"])
    assert word == "queen"
    by_hand = space.places[0] - space.places[2] + space.places[3]
    assert cosine == pytest.approx(space.places[1] @ by_hand / np.linalg.norm(by_hand))
    assert {"king", "man", "woman"}.isdisjoint(
        word for word, _ in space.nearest(["king", "woman"], ["man"], 50)
    )
    assert space.cosine("man", "woman") == pytest.approx(-1)


@pytest.mark.parametrize(
    ("plus", "minus", "sentence"),
    [
        ([], ["man"], "at least one word to add"),
        (["kin"], [], "unknown word 'kin'; did you mean 'king'"),
        (["man", "woman"], [], "cancel each other out"),
    ],
)
def test_sums_that_mean_nothing_are_refused(space, plus, minus, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        space.nearest(plus, minus)


def test_a_space_is_centred_and_of_length_one(tiny, monkeypatch):
    """Pictures of four words, embedded at made-up places."""
    pages = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    monkeypatch.setattr(type(tiny), "encode_image", lambda _, images: torch.from_numpy(pages[: len(images)]))
    *steps, last = word_space(tiny, ["Fiji", "Peru", "Oman", "Chad"])
    inner = pages - pages.mean(axis=0)
    np.testing.assert_allclose(last.result.places, inner / np.linalg.norm(inner, axis=1)[:, None], rtol=1e-5)
    assert last.done == last.total == 4 and len(known_words()) == 3698
    with pytest.raises(cb.ClipbenchError, match="three words at least"):
        next(word_space(tiny, ["Fiji", "Fiji", "Peru"]))


def test_photos_and_drawings_have_means_of_their_own_and_are_told_apart(tiny, monkeypatch):
    """Made-up places: each kind far from the others, and a direction that a word shares with a photo."""
    rng = np.random.default_rng(0)
    words, images = ["cat", "Fiji", "Peru", "Oman"], dict(list(known_images().items())[:5])
    images |= {term: image for term, image in known_images().items() if term.startswith("drawing:cat")}
    terms = [*words, *images]
    places = rng.normal(size=(len(terms), 64)).astype(np.float32)
    places[0], places[5] = 9 * np.eye(64)[3], 9 * np.eye(64)[3]
    offsets = {"word": 100, "photo": -50, "drawing": 7}
    inner = places + np.array([offsets[kind_of(term)] for term in terms])[:, None].astype(np.float32)
    monkeypatch.setattr(type(tiny), "encode_image", lambda _, shown: torch.from_numpy(inner[: len(shown)]))
    *_, last = word_space(tiny, words, images)
    assert last.done == last.result.provenance.n == len(terms) < 32  # one batch
    (near, _), *others = last.result.nearest(["cat"], kinds=PICTURES)
    assert near == terms[5] and {kind_of(term) for term, _ in others} == {"photo", "drawing"}
    assert {kind_of(term) for term, _ in last.result.nearest([terms[5]])} == {"word"}
    assert last.result.nearest([terms[5]])[0][0] == "cat"


def test_terms_that_are_no_words_are_shipped_pictures():
    assert {"photo:cat", "drawing:cat face"} <= set(known_images())
    assert not any("label" in term for term in known_images())  # a photo that bears a word is no plain photo
    assert only_words(["king", "photo:cat", "a:b"]) == ("king", "a:b")
    with pytest.raises(cb.ClipbenchError, match="unknown photo 'photo:cst'; did you mean 'photo:cat'"):
        only_words(["photo:cst"])


def test_medians_are_those_of_the_folder(tiny, tmp_path):
    rng, layer = np.random.default_rng(0), list(tiny.layers)[-1]
    pictures = {}
    for label, mean in (("dark", 40), ("bright", 200)):
        (tmp_path / label).mkdir()
        pictures[label] = [
            Image.fromarray(np.clip(rng.normal(mean, 20, (64, 64, 3)), 0, 255).astype(np.uint8))
            for _ in range(3)
        ]
        for number, picture in enumerate(pictures[label]):
            picture.save(tmp_path / label / f"{number}.png")
    (tmp_path / "dark" / "broken.png").write_bytes(b"no picture")
    (tmp_path / ".cache").mkdir()
    *_, last = label_medians(tiny, labelled_files(tmp_path), f"{layer}:3")
    maps = {label: tiny.activations(own, layer)[:, 3] for label, own in pictures.items()}
    answers = {label: own.amax(dim=(1, 2)).numpy() for label, own in maps.items()}
    sd = np.concatenate([*answers.values()]).std()
    result = last.result
    assert dict(zip(result.labels, result.medians, strict=True)) == {
        label: pytest.approx(np.median(own) / sd, rel=1e-4) for label, own in answers.items()
    }
    assert result.counts.tolist() == [3, 3] and len(result.unread) == 1
    assert (np.diff(result.medians) >= 0).all()
    figure = cb.figures.label_medians(result)
    assert figure.layout.yaxis.ticktext[0] == f"{result.labels[0]} · 3"
    (tmp_path / "one").mkdir()
    with pytest.raises(cb.ClipbenchError, match="two labels with readable pictures .* are 0"):
        next(label_medians(tiny, labelled_files(tmp_path / "one"), f"{layer}:3"))
    with pytest.raises(cb.ClipbenchError, match="there is no folder"):
        labelled_files(tmp_path / "none")
    with pytest.raises(cb.ClipbenchError, match="no picture in .*one"):
        labelled_files(tmp_path)  # the subfolder "one" is empty


def test_medians_of_pictures_in_memory_and_their_files_read_back(tiny, tmp_path):
    shades = {"夜": (10, 20, 30), "день, яркий": (200, 210, 220)}
    shown = [
        (Image.new("RGB", (64, 64), (shade, 0, 9)), label) for label in shades for shade in shades[label]
    ]
    *_, last = label_medians(tiny, shown, f"{tiny.last_layer}:3")
    assert set(last.result.labels) == set(shades) and last.result.provenance.n == 6
    for made in (last.result, published_people()):
        for ending in LabelMedians.endings:
            again = LabelMedians.load(made.save(tmp_path / f"x{ending}"))
            assert json.dumps(again.as_dict()) == json.dumps(made.as_dict()) and again.labels == made.labels
    with pytest.raises(cb.ClipbenchError, match="answers the same to every photo"):
        [*label_medians(tiny, [(shown[0][0], "a"), (shown[0][0], "b")], f"{tiny.last_layer}:3")]


def test_the_published_people_are_drawn_at_their_medians():
    figure = cb.figures.label_medians(published_people())
    told = dict(zip(figure.layout.yaxis.ticktext, figure.data[0].x, strict=True))
    assert told["Donald Trump"] == pytest.approx(33.01, abs=0.005)
    assert told["Mike Pence"] == pytest.approx(4.63, abs=0.005)
    assert len(told) == 11 and min(told, key=told.get) == "Nelson Mandela"
