"""A store answers for a unit as a plain array would."""

import shutil

import numpy as np
import pytest

import clipbench as cb
from clipbench.sweeps.bins import BINS, bins_of, edges, histograms


def test_every_number_of_float16_lies_between_the_edges_of_its_bin():
    values = np.arange(2**16, dtype=np.uint32).astype(np.uint16).view(np.float16)
    values = values[np.isfinite(values)]
    sides, places = edges(), bins_of(values)
    assert sides.shape == (BINS + 1,) and (np.diff(sides[np.isfinite(sides)]) > 0).all()
    positive = values >= 0
    positive &= ~np.signbit(values)
    low, high = sides[places], sides[places + 1]
    assert (low[positive] <= values[positive]).all() and (values[positive] < high[positive]).all()
    assert (low[~positive] < values[~positive]).all() and (values[~positive] <= high[~positive]).all()
    assert (np.diff(bins_of(np.sort(values)[values.size // 2 + 2 :])) >= 0).all()


def test_histograms_count_each_unit_by_itself():
    values = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float16)
    values = (values.view(np.uint16) | 1).view(np.float16)  # none on an edge, which belongs to either side
    values[7] = np.nan
    found = histograms(values)
    finite = np.isfinite(edges())
    for unit in range(3):
        expected, _ = np.histogram(np.delete(values[:, unit], 7), edges()[finite])
        np.testing.assert_array_equal(found[unit][finite[1:] & finite[:-1]], expected)
    assert found.sum() == 199 * 3


@pytest.mark.parametrize("by", ["max", "mean"])
@pytest.mark.parametrize("least", [False, True])
def test_top_is_the_sorted_column(swept, by, least):
    values = swept.matrix("layer4", by)[:, 5].astype(np.float32)
    top = swept.top("layer4:5", 6, by, least)
    order = sorted(
        (number for number in range(swept.n) if np.isfinite(values[number])),
        key=lambda number: (values[number] if least else -values[number], number),
    )
    assert top.numbers.tolist() == order[:6] and top.values.tolist() == values[order[:6]].tolist()
    assert top.names == tuple(swept.names[number] for number in order[:6])
    assert top.provenance.unit == "layer4:5" and top.provenance.n == 21
    assert top.provenance.weights_hash == "0123456789ab"


def test_blocks_that_are_done_are_looked_for_once(swept, tiny, tmp_path):
    expected = swept.top("layer4:5", 3).numbers.tolist()
    shutil.rmtree(tmp_path / "store" / swept.key / "layers" / "layer4" / "done" / "c")
    assert swept.top("layer4:5", 3).numbers.tolist() == expected and swept.is_complete("layer4")
    assert not cb.Store.open(tmp_path / "store", tiny).is_complete("layer4")


def test_the_spectrum_holds_every_image_once_in_its_place(swept):
    values = swept.column("layer1:2")
    buckets = swept.spectrum("layer1:2", each=100, quantiles=(0, 0.2, 0.5, 1))
    numbers = [number for bucket in buckets for number in bucket.examples.numbers]
    assert sorted(numbers) == np.flatnonzero(np.isfinite(values)).tolist()
    assert [len(bucket.examples.numbers) for bucket in buckets] == [4, 6, 11]  # of 21, cut at 4.2 and 10.5
    for lower, upper in zip(buckets, buckets[1:], strict=False):
        assert lower.limits[1] <= upper.limits[0]
    for bucket in buckets:
        inside = bucket.examples.values
        assert (np.diff(inside) <= 0).all() and bucket.limits == (inside.min(), inside.max())
    some = swept.spectrum("layer1:2", each=2, quantiles=(0, 0.2, 0.5, 1))
    assert all(len(bucket.examples.numbers) == 2 for bucket in some)


def test_running_quantiles_are_right_to_a_bin(swept):
    shares = (0.1, 0.5, 0.9)
    values = swept.matrix("layer4").astype(np.float32)
    values = values[np.isfinite(values[:, 0])]
    exact = np.quantile(values, shares, axis=0, method="inverted_cdf").T
    found = swept.quantiles("layer4", shares)
    assert (found >= exact).all() and (found <= exact + 0.26 * np.abs(exact) + 1e-6).all()


def test_a_crop_shows_the_place_where_the_unit_is_strongest(swept, tiny):
    number = int(swept.top("layer1:0", 1).numbers[0])
    seen, crop = swept.seen(number), swept.crop("layer1:0", number)
    assert seen.size == (64, 64) and crop.size == (64, 64)  # no crop is smaller than 64 pixels
    exact = np.asarray(tiny.crop(swept.image(number)), float)
    assert np.abs(np.asarray(seen) - exact).mean() < 4 < np.abs(np.asarray(seen)[::-1] - exact).mean()


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda store: store.column("layer2:0"), "unknown swept layer 'layer2'"),
        (lambda store: store.column("layer4:9999"), "no channel 9999"),
        (lambda store: store.column("layer4:0", "median"), "unknown reading 'median'"),
        (lambda store: store.column("layer4"), "not an address"),
        (lambda store: cb.Store.at(store._shelf.path, "x"), "unknown sweep 'x'"),
    ],
)
def test_bad_questions_are_told_in_a_sentence(swept, ask, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        ask(swept)


def test_pictures_of_which_none_can_be_read_are_told_apart_from_a_sweep_to_come(tiny, folder, tmp_path):
    list(cb.sweep(tiny, [folder / "broken.jpg"], ["layer4"], store=tmp_path / "broken"))
    store = cb.Store.open(tmp_path / "broken", tiny)
    for ask in (lambda: store.moments("layer4"), lambda: store.histogram("layer4:0")):
        with pytest.raises(cb.ClipbenchError, match="could be read; sweep pictures that can"):
            ask()
    assert len(store.top("layer4:0").numbers) == 0
    begun = cb.sweep(tiny, folder, ["layer4"], store=tmp_path / "begun")
    next(begun)
    next(begun)  # the arrays are there, and nothing in them
    with pytest.raises(cb.ClipbenchError, match="has been read yet; let the sweep go on"):
        cb.Store.open(tmp_path / "begun", tiny).moments("layer4")
    begun.close()


def cut(home):
    file = next(path for path in (home / "layers/layer4/max/c").rglob("*") if path.is_file())
    file.write_bytes(file.read_bytes()[:40])


@pytest.mark.parametrize(
    "harm",
    [
        lambda home: (home / "zarr.json").write_text("{"),
        lambda home: (home / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group"}'),
        cut,
    ],
)
def test_a_damaged_store_is_told_in_a_sentence(swept, tiny, tmp_path, harm):
    harm(tmp_path / "store" / swept.key)
    with pytest.raises(cb.ClipbenchError, match="store at .* is damaged"):
        cb.Store.open(tmp_path / "store", tiny).column("layer4:0")
