"""What a sweep keeps is what the model says, however often it was stopped, killed or begun anew."""

import errno
import shutil
import tarfile
from itertools import islice

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

import clipbench as cb
from clipbench.sweeps import Store, Words, sweep, sweeps
from clipbench.sweeps.place import FORMAT, opened, storage
from clipbench.sweeps.shelf import Shelf

LAYERS = ["layer1", "layer4"]


def same(one: Store, other: Store) -> bool:
    """Whether two sweeps hold the same, to the bit."""
    assert one.layers == other.layers and one.names == other.names
    arrays = [f"layers/{layer}/{part}" for layer in one.layers for part in ("max", "moments", "histogram")]
    arrays += [f"layers/{layer}/{part}" for layer in LAYERS for part in ("mean", "position")]
    pairs = [(one._shelf.read(name)[:], other._shelf.read(name)[:]) for name in arrays]
    return all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in pairs)


def test_a_store_holds_what_the_model_says(tiny, folder, swept):
    rows = [number for number, name in enumerate(swept.names) if name.endswith(".png")]
    images = [cb.read_image(folder / swept.names[row]).image for row in rows]
    assert len(rows) == 21 and swept.n == 22
    for layer in LAYERS:
        maps = tiny.activations(images, layer).flatten(2).numpy()
        tolerance = {"rtol": 2**-10, "atol": 1e-6}  # of float16
        np.testing.assert_allclose(swept.matrix(layer)[rows], maps.max(axis=2), **tolerance)
        np.testing.assert_allclose(swept.matrix(layer, "mean")[rows], maps.mean(axis=2), **tolerance)
        moments = swept.moments(layer)
        assert moments.n == 21
        np.testing.assert_allclose(moments.mean, maps.max(axis=2).mean(axis=0), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(moments.sd, maps.max(axis=2).std(axis=0), rtol=5e-3, atol=1e-4)
        grid = swept.grid(layer)
        places = np.stack([swept.positions(f"{layer}:{unit}", rows) for unit in range(4)], axis=1)
        found = np.ravel_multi_index(places.transpose(2, 0, 1), grid)
        np.testing.assert_array_equal(found, maps[:, :4].argmax(axis=2))
    expected = tiny.encode_image(images).numpy()
    np.testing.assert_allclose(swept.embeddings()[rows], expected, atol=2e-3)


def test_a_picture_that_cannot_be_read_is_told_and_counts_nowhere(swept):
    broken = swept.names.index("broken.jpg")
    assert list(swept.unread) == [broken] and "not a picture" in swept.unread[broken]
    assert np.isnan(swept.column("layer4:0")[broken]) and swept.read_images("layer4") == 21
    assert broken not in swept.top("layer4:0", 100).numbers and len(swept.top("layer4:0", 100).numbers) == 21
    assert swept.histogram("layer4:0").counts.sum() == 21


@pytest.mark.parametrize("read", [2, 4])
def test_a_stopped_sweep_goes_on_and_ends_the_same(tiny, folder, swept, tmp_path, monkeypatch, read):
    monkeypatch.setattr("clipbench.sweeps.reading._BATCH", 2)  # so that a stop falls inside a block
    place = tmp_path / "stopped"
    steps = sweep(tiny, folder, LAYERS, store=place, block=4)
    *_, last = islice(steps, 1 + read)
    steps.close()
    assert last.done == 2 * read and not last.resumed
    *_, last = sweep(tiny, folder, LAYERS, store=place, block=4)
    assert last.resumed in (2 * read - 4, 2 * read) and last.done == last.total == 22
    monkeypatch.undo()
    assert len(sweeps(place)) == 1 and Store.open(place, tiny).is_complete("layer4")
    *_, last = sweep(tiny, folder, LAYERS, store=place)
    assert last.resumed == 22  # nothing left to do


def test_a_block_that_was_half_written_is_done_again(tiny, folder, swept, tmp_path):
    place = tmp_path / "killed"
    shutil.copytree(tmp_path / "store", place)
    root = place / swept.key / "layers" / "layer4"
    (root / "done" / "c" / "2").unlink()  # killed before the last of the block's files was written
    (root / "max" / "c" / "2" / "0").unlink()
    (root / "mean" / "c" / "2" / "0.1234.partial").write_bytes(b"half")
    assert not Store.open(place, tiny).is_complete("layer4")
    assert np.isnan(Store.open(place, tiny).column("layer4:0")[8:12]).all()
    *_, last = sweep(tiny, folder, LAYERS, store=place)
    assert last.resumed == 18 and same(Store.open(place, tiny), swept)
    assert not list(place.rglob("*.partial"))


def test_layers_that_come_later_are_added(tiny, folder, swept, tmp_path):
    place = tmp_path / "later"
    list(sweep(tiny, folder, ["layer4"], store=place, block=4))
    *_, last = sweep(tiny, folder, LAYERS, store=place, block=1000)
    assert last.resumed == 0 and same(Store.open(place, tiny), swept)


def test_a_picture_that_was_changed_makes_another_sweep(tiny, folder, swept, tmp_path):
    path = folder / swept.names[0]
    shutil.copy(folder / swept.names[1], path)
    with pytest.raises(cb.ClipbenchError, match="not what it was"):
        swept.image(0)
    *_, last = sweep(tiny, folder, ["layer4"], store=tmp_path / "store")
    assert last.resumed == 0 and last.key != swept.key
    assert Store.open(tmp_path / "store", tiny).column("layer4:0")[0] == swept.column("layer4:0")[1]
    path.unlink()
    with pytest.raises(cb.ClipbenchError, match="put it back"):
        swept.image(0)


def test_a_picture_that_changes_under_way_is_left_out(tiny, folder, tmp_path):
    steps = sweep(tiny, folder, ["layer4"], store=tmp_path / "store", block=4)
    next(steps)
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
    shutil.copy(folder / names[0], folder / names[1])
    (folder / names[2]).unlink()
    *_, last = steps
    assert {name for name, _ in last.unread} == {names[1], names[2], "broken.jpg"}
    assert set(Store.open(tmp_path / "store", tiny).unread) == {1, 2, 21}


def test_files_tables_and_archives_give_the_same(tiny, folder, swept, tmp_path):
    contents = [(folder / name).read_bytes() for name in swept.names]
    table = pyarrow.table({"photo": contents})
    parquet.write_table(table, tmp_path / "x.parquet", row_group_size=5)
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        for name in [*swept.names, "readme.txt"]:
            archive.add(folder / name, name)
    for source, column in ((tmp_path / "x.parquet", "photo"), ([tmp_path / "x.tar"], "image")):
        place = tmp_path / "other" / source[0].name if isinstance(source, list) else tmp_path / "table"
        list(sweep(tiny, source, LAYERS, store=place, block=4, column=column))
        found = Store.open(place, tiny)
        np.testing.assert_array_equal(found.matrix("layer4"), swept.matrix("layer4"))
        assert found.image(3) == swept.image(3) and found.key != swept.key
    with pytest.raises(cb.ClipbenchError, match="no column 'image'; its columns are photo"):
        list(sweep(tiny, tmp_path / "x.parquet", store=tmp_path / "z"))


def test_a_data_set_of_hugging_face_gives_the_same(tiny, folder, swept, tmp_path):
    datasets = pytest.importorskip("datasets")
    rows = [str(folder / name) for name in swept.names]
    data = datasets.Dataset.from_dict({"image": rows}).cast_column("image", datasets.Image())
    list(sweep(tiny, data, LAYERS, store=tmp_path / "data", block=4))
    np.testing.assert_array_equal(Store.open(tmp_path / "data").matrix("layer4"), swept.matrix("layer4"))


def test_a_second_sweep_is_refused_until_the_first_has_ended(tiny, folder, tmp_path):
    first = sweep(tiny, folder, ["layer4"], store=tmp_path / "store")
    next(first)
    with pytest.raises(cb.ClipbenchError, match="another sweep is writing"):
        next(sweep(tiny, folder, ["layer4"], store=tmp_path / "store"))
    first.close()
    list(sweep(tiny, folder, ["layer4"], store=tmp_path / "store"))


def test_an_address_of_fsspec_is_a_store_like_any(tiny, folder, swept):
    place = "memory://sweeps/store"
    first = sweep(tiny, folder, LAYERS, store=place, block=4)
    next(first)
    with pytest.raises(cb.ClipbenchError, match="another sweep is writing"):
        next(sweep(tiny, folder, LAYERS, store=place))
    *_, last = first
    assert last.done == 22 and same(Store.open(place, tiny), swept)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda place: (place / "notes.txt").write_text("x"), "something else"),
        (lambda place: (place / "zarr.json").write_text("{"), "something else"),
        (lambda place: opened(place, write=True).attrs.update(clipbench_sweeps=FORMAT - 1), "version 0"),
        (lambda place: opened(place, write=True).attrs.clear(), "not a store of clipbench"),
    ],
)
def test_what_is_no_store_of_this_version_is_left_as_it_is(tiny, folder, tmp_path, change, sentence):
    place = tmp_path / "store"
    place.mkdir()
    change(place)
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    with pytest.raises(cb.ClipbenchError, match=sentence):
        list(sweep(tiny, folder, store=place))
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before


def test_the_store_of_another_model_is_not_read(tiny, control, swept, tmp_path):
    with pytest.raises(cb.ClipbenchError, match="no sweep of images of timm/.*it has images of tiny"):
        Store.open(tmp_path / "store", control)
    with pytest.raises(cb.ClipbenchError, match="no sweep of words"):
        Store.open(tmp_path / "store", tiny, kind="words")
    with pytest.raises(cb.ClipbenchError, match="there is no store"):
        Store.open(tmp_path / "none", tiny)
    assert not (tmp_path / "none").exists()  # looking makes nothing


def test_a_full_disk_is_told_in_a_sentence(tiny, folder, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Shelf, "write", full)
    with pytest.raises(cb.ClipbenchError, match="No space left"):
        list(sweep(tiny, folder, ["layer4"], store=tmp_path / "store", block=4))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"layers": ["layer9"]}, "unknown layer 'layer9'"),
        ({"layers": "layer4"}, r"as in \['layer4'\]"),
        ({"block": 0}, "at least one image"),
        ({"stimuli": "nowhere"}, "no folder"),
        ({"stimuli": ["nowhere.jpg"]}, "no file"),
        ({"stimuli": []}, "no pictures"),
        ({"scheduler": "tcp://127.0.0.1:1"}, "no Dask scheduler"),
    ],
)
def test_bad_input_is_told_in_a_sentence(tiny, folder, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.setattr("clipbench.sweeps.cluster._PATIENCE", 0.5)
    with pytest.raises(cb.ClipbenchError, match=sentence):
        list(sweep(tiny, **{"stimuli": folder, "store": tmp_path / "store", **arguments}))


def test_the_workers_of_a_cluster_write_the_same(tiny, folder, swept, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr("clipbench.sweeps.cluster._loaded", lambda *_: tiny)
    place = tmp_path / "cluster"
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        steps = list(sweep(tiny, folder, LAYERS, store=place, block=4, scheduler=cluster.scheduler_address))
    assert steps[-1].done == 22 and len(steps) == 1 + 6 and len(steps[-1].unread) == 1
    assert same(Store.open(place, tiny), swept)


def test_words_are_swept_in_every_look(tiny, tmp_path):
    looks = [cb.sweeps.Look(), cb.sweeps.Look(case="upper", size=0.4, place=(0.25, 0.75))]
    words = Words.of(["cat", " cat ", "", "dog", "猫", "x" * 300], looks)
    assert Words.of(["caf\u00e9", "cafe\u0301"]).words == ("caf\u00e9",)  # the same word, written in two ways
    assert words.words == ("cat", "dog", "猫", "x" * 300)
    *_, last = sweep(tiny, words, ["layer4"], store=tmp_path / "store", block=3)
    store = Store.open(tmp_path / "store", tiny, kind="words")
    assert set(store.unread) == {2, 3, 6, 7} and store.words == words.words and store.looks == tuple(looks)
    drawn = cb.written("DOG", size=0.4, place=(0.25, 0.75))
    assert store.image(5) == drawn
    expected = tiny.activations([drawn], "layer4").amax(dim=(2, 3))[0].numpy()
    np.testing.assert_allclose(store.matrix("layer4")[5], expected, rtol=2**-10, atol=1e-6)
    for empty in ([], ["", "  "]):
        with pytest.raises(cb.ClipbenchError, match="no word"):
            Words.of(empty)


def test_a_store_reads_whatever_names_there_are(tiny, folder, tmp_path):
    names = ["ü 猫.png", "<img src=x>.png", "a" * 120 + ".png"]
    (tmp_path / "odd").mkdir()
    for name in names:
        shutil.copy(folder / "a" / "00.png", tmp_path / "odd" / name)
    list(sweep(tiny, tmp_path / "odd", store=tmp_path / "store"))
    assert set(Store.open(tmp_path / "store").names) == set(names)
    assert storage(tmp_path / "store").root == tmp_path / "store"
