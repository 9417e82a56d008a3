"""The overview of a layer against plain sorting of what was swept."""

import numpy as np
import pytest

import clipbench as cb
from clipbench.report.named import Named
from clipbench.report.overview import Overview, mapped, overview


class Shelf:
    """A store of numbers that were written down by hand: four items, three units."""

    kind = "images"

    def __init__(self, answers: list[list[float]], names: list[str]):
        self._answers, self.names = np.array(answers, np.float16), tuple(names)
        self.layers = {"a": None}
        self.words = self.names

    def matrix(self, _layer: str) -> np.ndarray:
        return self._answers

    def moments(self, _layer: str):
        seen = self._answers[~np.isnan(self._answers[:, 0])].astype(float)
        return type("moments", (), {"mean": seen.mean(axis=0), "sd": seen.std(axis=0)})

    def is_complete(self, _layer: str) -> bool:
        return True

    def provenance(self, layer: str) -> cb.Provenance:
        return cb.Provenance("m", "0", f"{layer} by hand", n=len(self._answers))


NAN = float("nan")


@pytest.fixture
def store() -> Shelf:
    return Shelf([[1, 5, 2], [3, -1, 2], [NAN] * 3, [2, 0, 2]], ["p", "q", "broken", "r"])


@pytest.fixture
def words() -> Shelf:
    return Shelf([[1, 2, 3], [2, 1, 0]], ["Spider", "web"])


@pytest.fixture
def told(store, words) -> Overview:
    return overview("a", store, words)


def test_favourites_are_sorted_and_a_broken_photo_is_nobodys(told):
    assert [told.favourites(unit) for unit in range(3)] == [[1, 3, 0], [0, 3, 1], [0, 1, 3]]
    assert told.strongest.tolist() == [3, 5, 2]
    assert told.words.tolist() == [["web", "Spider"], ["Spider", "web"], ["Spider", "web"]]


def test_the_spread_is_in_standard_deviations(told):
    assert told.spread[0] == pytest.approx((3 - 2) / np.std([1, 3, 2]))
    assert told.spread[2] == 0  # it says the same to all


def test_units_are_found_by_number_and_by_word_in_any_case(told):
    assert told.found("a:1").tolist() == [False, True, False]
    assert told.found("SPIDER web").tolist() == [True] * 3
    assert told.found("spider a:2").tolist() == [False, False, True]
    assert told.found("nothing").tolist() == [False] * 3


def test_units_are_ordered(told):
    assert told.ordered("channel").tolist() == [0, 1, 2]
    assert told.ordered("strongest").tolist() == [1, 0, 2]


def test_units_are_called_what_they_were_named(store, words):
    labels = {"a:1": Named("spider", 0.9, 2), "a:2": Named(None, 0.5, 1)}
    told = overview("a", store, words, labels)
    assert told.labels.tolist() == ["", "spider", ""] and told.sure.tolist() == pytest.approx([0, 0.9, 0])
    assert told.ordered("sure")[0] == 1
    assert overview("a", store, None, labels).found("spider").tolist() == [False, True, False]


def test_without_words_there_are_none(store):
    assert overview("a", store).words.shape == (3, 0)
    assert overview("a", store).found("a:1").sum() == 1


def test_a_map_of_three_units_is_none(told, store, words):
    assert mapped(told, store, words).places is None


def test_it_is_saved_and_read_back(told, tmp_path):
    again = Overview.load(told.save(tmp_path / "overview.npz"))
    assert again.words.tolist() == told.words.tolist() and again.provenance == told.provenance
    assert again.places is None and again.favourites(0) == [1, 3, 0]
    (tmp_path / "none.npz").write_bytes(b"no")
    with pytest.raises(cb.ClipbenchError, match="no overview"):
        Overview.load(tmp_path / "none.npz")
