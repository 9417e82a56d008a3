"""The words of a unit, and how they compare with what was published."""

from dataclasses import asdict

import numpy as np
import pytest
from planting import planted

import clipbench as cb
from clipbench.stimuli import common_words, read_words
from clipbench.studies import taught_to, word_parity, words_of
from clipbench.studies.records import top_words
from clipbench.sweeps import LOOKS, Look


@pytest.fixture
def store(tmp_path):
    """Four words in three looks; unit 0 says the same in the second and the opposite in the third."""
    first = np.array([1.0, 4.0, np.nan, -2.0])
    said = np.concatenate([first, first + 1, -first])[:, None]
    origin = {"kind": "words", "looks": [asdict(look) for look in LOOKS[:3]]}
    return planted(tmp_path / "s", {"top": np.hstack([said, 0 * said])}, origin, ["a", "b", "猫", "d"] * 3)


def test_the_extremes_come_first_and_untaught_words_are_marked(store):
    found = words_of(store, "top:0", top=2, taught={"a", "d"})
    assert [(one.word, one.value, one.taught) for one in found.most] == [("b", 4, False), ("a", 1, True)]
    assert [(one.word, one.value) for one in found.least] == [("d", -2), ("a", 1)]
    assert found.most[0].sd == pytest.approx((4 - 1) / np.std([1, 4, -2]))
    assert found.look == LOOKS[0] and found.provenance.unit == "top:0"
    assert len(words_of(store, "top:0", top=100).most) == 3


def test_a_unit_that_is_constant_has_words_and_no_agreement(store):
    found = words_of(store, "top:1", top=1)
    assert found.most[0].value == 0 and found.most[0].sd == 0 and found.most[0].taught is None


def test_looks_are_compared_by_correlation(tmp_path):
    rng = np.random.default_rng(0)
    first = rng.normal(size=200)
    second = 0.6 * first + 0.8 * rng.normal(size=200)
    origin = {"kind": "words", "looks": [asdict(Look()), asdict(Look(case="upper"))]}
    said = np.concatenate([first, second])[:, None]
    (change,) = words_of(planted(tmp_path / "s", {"top": said}, origin, list("ab" * 200)), "top:0").changes
    assert change.look == Look(case="upper")
    assert change.correlation == pytest.approx(np.corrcoef(first, second)[0, 1], abs=2e-3)  # float16
    assert change.interval[0] < change.correlation < change.interval[1] < 1


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda store, _: words_of(store, "top:0", top=0), "at least 1"),
        (lambda store, _: words_of(store, "low:0"), "unknown swept layer"),
        (lambda store, photos: words_of(photos, "top:0"), "are no words"),
        (lambda store, _: word_parity(store), "of layer4 of RN50x4; this store is of planted"),
    ],
)
def test_bad_questions_are_told_in_a_sentence(store, tmp_path, ask, sentence):
    photos = planted(tmp_path / "p", {"top": np.zeros((3, 1))})
    with pytest.raises(cb.ClipbenchError, match=sentence):
        ask(store, photos)


def test_the_published_words_are_met_where_a_store_says_them(tmp_path):
    published = top_words()
    names = sorted({word for three in published for word in three})
    places = {word: at for at, word in enumerate(names)}
    rng = np.random.default_rng(0)
    said = rng.normal(size=(len(names), len(published)))
    for unit, three in enumerate(published[:1000]):
        said[places[three[0]], unit] = 100
    for unit, three in enumerate(published[1000:1500], start=1000):
        said[places[three[-1]], unit] = 100
    origin = {"kind": "words", "looks": [asdict(Look())]}
    store = planted(
        tmp_path / "s", {"layer4": said}, origin, names, model="RN50x4-quickgelu/openai", block=4096
    )
    parity = word_parity(store)
    assert parity.met.n == 2560 and 1500 <= parity.met.hits < 1520  # and a few by chance
    assert 1000 <= parity.first.hits < 1010
    assert parity.chance == pytest.approx(30 / len(names), rel=0.01)
    short = planted(tmp_path / "t", {"layer4": said[:5]}, origin, names[:5], model="RN50x4")
    with pytest.raises(cb.ClipbenchError, match="lack some of the published"):
        word_parity(short)


def test_the_shipped_list_holds_the_published_words_once():
    words = common_words()
    assert len(set(words)) == len(words) > 10_000 and words[:3] == ("the", "to", "and")
    assert {word for three in top_words() for word in three} <= set(words)


def test_lists_of_ones_own(tmp_path):
    path = tmp_path / "list.txt"
    path.write_bytes("\ufeffcat\n\n  dog \ncat\n猫\n".encode())
    assert read_words(path) == ["cat", "dog", "cat", "猫"]
    path.write_text("\n \n")
    with pytest.raises(cb.ClipbenchError, match="no text in it"):
        read_words(path)
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(cb.ClipbenchError, match="cannot be read as text"):
        read_words(path)


def test_what_a_model_was_taught_is_known_of_mini_alone(mini, control):
    assert taught_to(control) is None
    known = taught_to(mini)
    assert known is None or "the" in known
