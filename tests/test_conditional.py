"""Conditional probability on known labels, and the article's plots counted back from their shares."""

import numpy as np
import pytest

import clipbench as cb
from clipbench.parity import plotted_units, published_plot
from clipbench.results import Provenance
from clipbench.studies import records
from clipbench.studies.conditional import Conditional, conditional, from_article, known, of_store, stratify

TOLD = Provenance("made up", "", "made up", "layer:0")


@pytest.fixture(scope="module")
def world():
    """40,000 activations and labels of which everything is known: three classes of normal distributions."""
    rng = np.random.default_rng(3)
    truth = rng.choice(["cat", "dog", "other"], 40_000, p=[0.05, 0.15, 0.8])
    means = {"cat": 4.0, "dog": 1.5, "other": -1.0}
    return np.array([means[name] for name in truth]) + rng.normal(size=40_000), truth


class Swept:
    """A store of pictures, as far as a plot asks."""

    title = "a sweep"

    def __init__(self, values, names):
        self.names, self._values = names, np.asarray(values, np.float32)

    def unit(self, address):
        return cb.Unit("layer", 0)

    def column(self, unit):
        return self._values

    def provenance(self, layer, unit):
        return TOLD


def exact(activations: np.ndarray, truth: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(3, b) P(label | bucket) over all pictures, counted by numpy's histogram."""
    counts = np.stack(
        [np.histogram(activations[truth == name], edges)[0] for name in ("cat", "dog", "other")]
    )
    return counts / counts.sum(axis=0)


def test_plotted_shares_hold_the_exact_ones_in_95_of_100_intervals(world):
    activations, truth = world
    inside = []
    for seed in range(10):
        sample = stratify(activations, buckets=10, each=50, seed=seed)
        result = conditional(sample, truth[sample.places], TOLD)
        low, high = result.intervals[..., 0], result.intervals[..., 1]
        wanted = exact(activations, truth, sample.edges)
        inside.append((low <= wanted) & (wanted <= high))
    assert np.mean(inside) >= 0.95


def test_recall_is_weighted_by_how_many_pictures_there_are(world):
    activations, truth = world
    sample = stratify(activations, buckets=12, each=400)
    result = conditional(sample, truth[sample.places], TOLD)
    for row, label in zip(result.recall, result.labels, strict=True):
        own = activations[truth == label]
        wanted = [(own >= edge).mean() for edge in sample.edges[:-1]]
        assert row == pytest.approx(wanted, abs=0.05)
    naive = result.counts[0, ::-1].cumsum()[::-1] / result.counts[0].sum()
    wanted = [(activations[truth == "cat"] >= edge).mean() for edge in sample.edges[:-1]]
    assert np.abs(naive - wanted).max() > 0.1  # without the weights it would be wrong


def test_the_drawing_is_even_whole_and_repeatable(world):
    activations, _ = world
    sample = stratify(activations, buckets=8, each=30, seed=5)
    counts = np.bincount(sample.buckets, minlength=8)
    assert counts.tolist() == np.minimum(30, sample.population).tolist()
    assert sample.population.tolist() == np.histogram(activations, 8)[0].tolist()
    assert len(set(sample.places.tolist())) == len(sample.places)
    assert (np.diff(sample.buckets) < 0).any()  # not bucket by bucket: a rater cannot guess
    again = stratify(activations, buckets=8, each=30, seed=5)
    assert again.places.tolist() == sample.places.tolist()


def test_a_bucket_without_pictures_is_told_as_no_data():
    sample = stratify(np.array([0.0, 0.1, 0.2, 9.9, 10.0]), buckets=5, each=2)
    result = conditional(sample, ["x"] * len(sample.places), TOLD)
    assert result.totals.tolist() == [2, 0, 0, 0, 2]
    assert np.isnan(result.shares[0, 1:4]).all() and np.isnan(result.intervals[0, 2]).all()
    assert len(cb.figures.conditional(result).data[0].x) == 2


@pytest.mark.parametrize(
    ("activations", "sentence"),
    [([1.0, 1.0], "answers the same to every picture"), ([], "finite numbers"), ([1.0, np.nan], "finite")],
)
def test_what_cannot_be_drawn_from_is_refused(activations, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        stratify(np.array(activations))


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [({"buckets": 1}, "2 to 1000 buckets"), ({"buckets": 10**11}, "2 to 1000 buckets"),
     ({"each": 0}, "1 picture each"), ({"seed": -1}, "0 or above, not -1")],
)  # fmt: skip
def test_numbers_out_of_range_are_refused(setting, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        stratify(np.arange(9.0), **setting)


def test_labels_that_do_not_fit_are_refused(world):
    sample = stratify(world[0], buckets=2, each=2)
    with pytest.raises(cb.ClipbenchError, match="4 pictures and 1 labels"):
        conditional(sample, ["x"], TOLD)
    with pytest.raises(cb.ClipbenchError, match="no picture has a label"):
        conditional(sample, [None] * 4, TOLD)


@pytest.mark.parametrize("unit", plotted_units())
def test_a_published_plot_is_drawn_at_the_record_s_heights(unit):
    told = records.record("conditional")["plots"][str(unit)]
    figure = cb.figures.conditional(published_plot(unit), told["colors"])
    np.testing.assert_allclose([area.y for area in figure.data], told["heights"], atol=1e-9)
    for area in figure.data:
        assert area.x == pytest.approx(np.array(told["bins"]) / told["sd"])


@pytest.mark.parametrize("unit", plotted_units())
def test_whole_pictures_are_found_behind_the_shares(unit):
    """Their sums by label are stored beside the shares, and were not used to find the ratio."""
    told = records.record("conditional")["plots"][str(unit)]
    missing = np.array(told["labelCounts"]) - published_plot(unit).counts.sum(axis=1)
    assert missing.sum() == (1 if unit == 1257 else 0) and (missing >= 0).all()


def test_the_article_s_shape_goes_out_and_comes_back(world):
    activations, truth = world
    sample = stratify(activations, buckets=6, each=40)
    result = conditional(sample, truth[sample.places], TOLD)
    told = result.as_article(["#ff0000"])
    assert set(told) == {"bins", "heights", "labelNames", "labelCounts", "colors"}
    back = from_article(told, result.sd, TOLD)
    assert back.shares == pytest.approx(result.shares) and back.edges == pytest.approx(result.edges)
    assert back.counts.sum(axis=1).tolist() == told["labelCounts"]
    with pytest.raises(cb.ClipbenchError, match="does not say how many pictures"):
        back.recall  # noqa: B018
    with pytest.raises(cb.ClipbenchError, match="do not fit together"):
        from_article({**told, "bins": told["bins"][:-1]}, 1, TOLD)
    with pytest.raises(cb.ClipbenchError, match="no whole numbers"):
        from_article({**told, "heights": (np.array(told["heights"]) * 0.99).tolist()}, 1, TOLD)


def test_lines_of_both_kinds_are_drawn(world):
    activations, truth = world
    sample = stratify(activations, buckets=6, each=40)
    result: Conditional = conditional(sample, truth[sample.places], TOLD)
    np.testing.assert_allclose([line.y for line in cb.figures.given_label(result).data], result.given_label)
    recall = cb.figures.recall(result).data[0].y
    assert recall[0] == pytest.approx(1) and recall[-1] == 0 and (np.diff(recall) <= 1e-12).all()


def test_the_folders_of_swept_pictures_are_their_labels_and_unread_ones_have_none(world):
    activations, truth = (side[:2000] for side in world)
    names = [f"all/{name}/{number}.jpg" for number, name in enumerate(truth)]
    values = activations.astype(np.float32)
    values[:50] = np.nan
    found = of_store(Swept(values, names), "layer:0", buckets=4, each=10_000)
    wanted = exact(values[50:], truth[50:], found.edges)
    assert found.labels == ("cat", "dog", "other") and found.provenance.n == 1950
    np.testing.assert_allclose(found.shares, wanted)  # all were drawn
    told = found.as_dict()
    assert told["population"] == found.totals.tolist() and told["recall"][0][0] == 1
    with pytest.raises(cb.ClipbenchError, match="lie in one folder"):
        of_store(Swept(values, ["all/1.jpg"] * 2000), "layer:0")


def test_an_empty_bucket_is_plain_and_labels_must_be_as_many_as_pictures():
    found = known(np.array([0.0, 1.0, 9.0, 10.0]), ["a", "a", "b", "b"], TOLD, buckets=5)[1]
    assert found.as_dict()["shares"][0] == [1.0, None, None, None, 0.0]
    with pytest.raises(cb.ClipbenchError, match="4 activations and 3 labels"):
        known(np.arange(4.0), ["a", "b", "c"], TOLD)
