"""The search against all phrases there are, and its direction against what a small push really does."""

from itertools import permutations

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

import clipbench as cb
from clipbench.models import Read
from clipbench.studies import MaximalText, look_for_text
from clipbench.studies.maximal_text import pushes
from clipbench.studies.meaning import slopes
from clipbench.studies.phrases import Search, surprises

WORDS = ["dog", "red", "spider", "tea", "a"]


def all_phrases(words, length: int):
    return [" ".join(some) for n in range(1, length + 1) for some in permutations(words, n)]


def searched(cosines, words, penalty=0.0, length=3, beam=1000, reach=1000) -> Search:
    search = Search(cosines, surprises(words), penalty, length, beam, reach)
    list(search.run())
    return search


def test_words_share_what_is_written_as_zipf_s_law_has_it():
    told = surprises([f"w{number}" for number in range(50)])
    shares = np.exp(-np.array(list(told.values())))
    assert shares.sum() == pytest.approx(1) and shares[0] / shares[9] == pytest.approx(10)


@pytest.mark.parametrize("penalty", [0, 0.05])
def test_a_wide_beam_finds_the_best_of_all_phrases(penalty):
    every, told = all_phrases(WORDS, 3), surprises(WORDS)
    values = dict(zip(every, np.random.default_rng(0).normal(size=len(every)), strict=True))
    found = searched(lambda texts: np.array([values[text] for text in texts]), WORDS, penalty)
    scores = {text: values[text] - penalty * sum(told[word] for word in text.split()) for text in every}
    assert found.best[0].text == max(scores, key=scores.get)
    assert found.best[0].score == pytest.approx(max(scores.values()))
    assert found.tried == len(every) <= found.most
    assert len({frozenset(one.words) for one in found.best}) == len(found.best)


@pytest.mark.parametrize(("penalty", "length"), [(0.1, 4), (0.0, 2), (1.0, 3)])
def test_where_words_add_up_the_narrowest_beam_finds_those_that_are_worth_their_price(penalty, length):
    words = [f"w{number}" for number in range(30)]
    gains = dict(zip(words, np.random.default_rng(1).normal(size=30), strict=True))
    told = surprises(words)
    search = searched(lambda texts: np.array([sum(gains[word] for word in text.split()) for text in texts]),
                      words, penalty, length, beam=1)  # fmt: skip
    worth = {word: gains[word] - penalty * told[word] for word in words}
    ranked = sorted(words, key=worth.get, reverse=True)
    kept = [word for word in ranked[:length] if worth[word] > 0] or ranked[:1]
    assert set(search.best[0].words) == set(kept)
    assert search.best[0].score == pytest.approx(sum(worth[word] for word in kept))


def test_the_text_that_lies_in_the_direction_is_found(mini):
    way = mini.encode_text(["red spider"])[0]
    best = searched(lambda texts: (mini.encode_text(texts) @ way).numpy(), WORDS[:4], length=2, beam=2).best
    assert best[0].words == ("red", "spider") and best[0].cosine == pytest.approx(1, abs=1e-5)


@pytest.fixture(scope="module")
def photos():
    return [cb.samples()[at].image for at in (2, 3, 4)]


def test_pushes_are_what_a_small_rise_does_to_the_embedding(mini, photos):
    layer, size = mini.last_layer, 4e-3  # smaller, sums round; larger, units cross their ReLU
    rises = torch.zeros(2, mini.layer(layer).channels)
    rises[0, 17], rises[1, 3:9] = 1, torch.tensor([1.0, -2.0, 0.5, 1.0, 0.0, 3.0])
    pixels = mini.pixels(photos)
    told = pushes(mini, pixels, layer, rises)
    for way, rise in zip(told, rises, strict=True):
        ends = []
        for sign in (1, -1):
            with mini.add(layer, rise.numpy(), sign * size):
                ends.append(mini.encode_image(photos).double().mean(dim=0))
        by_hand = ((ends[0] - ends[1]) / (2 * size)).numpy()
        assert way.numpy() == pytest.approx(by_hand, abs=0.025 * np.abs(by_hand).max())
    text = mini.encode_text(["dog"])
    assert float(told[0] @ text[0]) == pytest.approx(
        float(slopes(mini, pixels, Read(layer), text)[17, 0]), rel=1e-3
    )


def test_the_phrase_of_a_unit_is_the_best_of_all_and_reads_back(mini, photos, tmp_path):
    unit = f"{mini.last_layer}:{int(mini.activations(photos, mini.last_layer).amax(dim=(0, 2, 3)).argmax())}"
    steps = list(look_for_text(mini, unit, vocabulary=WORDS, length=2, beam=5, reach=5, images=photos))
    found = steps[-1].result
    channel = int(unit.partition(":")[2])
    rise = torch.eye(mini.layer(mini.last_layer).channels)[[channel]]
    way = normalize(pushes(mini, mini.pixels(photos), mini.last_layer, rise), dim=1)[0]
    every, told = all_phrases(WORDS, 2), surprises(WORDS)
    costs = 0.0025 * torch.tensor([sum(told[word] for word in text.split()) for text in every])
    scores = mini.encode_text(every) @ way - costs
    assert found.best.text == steps[-1].best == every[int(scores.argmax())]
    assert found.best.score == pytest.approx(float(scores.max()), abs=1e-5)
    assert all(step.result is None and step.done <= step.total for step in steps[:-1])
    assert (found.beaten.n, len(found.directions), len(found.written)) == (200, 3, 25)
    assert 1 <= found.place <= found.units == len(rise[0])
    assert (found.provenance.unit, found.provenance.n) == (unit, 4 * len(every))
    again = MaximalText.load(found.save(tmp_path / "x.json"))
    assert again.as_dict() == found.as_dict() and again.phrases == found.phrases
    (tmp_path / "y.json").write_text("{}")
    with pytest.raises(cb.ClipbenchError, match="is no maximal text"):
        MaximalText.load(tmp_path / "y.json")


@pytest.mark.parametrize(
    ("unit", "settings", "sentence"),
    [
        ("conv_head:1@0,0", {}, "no unit of a map as a whole"),
        ("embedding:1", {}, "no unit of a map as a whole"),
        ("conv_head:1", {"vocabulary": [" "]}, "no word in the vocabulary"),
        ("conv_head:1", {"beam": 0}, "beam must be at least 1, not 0"),
        ("conv_head:1", {"penalty": -1}, "penalty must be at least 0, not -1"),
    ],
)
def test_bad_input_gets_one_sentence(mini, unit, settings, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        cb.maximal_text(mini, unit, **settings)


def test_a_network_without_texts_is_refused(control):
    with pytest.raises(cb.ClipbenchError, match="has no text tower"):
        cb.maximal_text(control, "conv_head:1")
