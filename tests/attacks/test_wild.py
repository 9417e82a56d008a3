"""Fetching the article's photos, from a server of this machine."""

import functools
import hashlib
import threading
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

import clipbench as cb
from clipbench.attacks import WildPhoto, published, shipped_photos, wild, wild_table
from clipbench.stimuli import sample

FILES = {"apple-blank.jpg": b"a photo", "apple-ipod.jpg": b"another", "mug-dollars.jpg": b"a third"}


class Quiet(SimpleHTTPRequestHandler):
    asked: list[str] = []

    def log_message(self, *_):
        self.asked.append(self.path)


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Its address; it has three photos, whose checksums are the known ones."""
    (tmp_path / "there").mkdir()
    for name, content in FILES.items():
        (tmp_path / "there" / name).write_bytes(content)
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    monkeypatch.setattr(wild, "checksums", lambda: sums)
    Quiet.asked = []
    handler = functools.partial(Quiet, directory=str(tmp_path / "there"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}/"
        served.shutdown()
        thread.join()


def test_what_is_missing_is_fetched_and_what_is_damaged_is_fetched_again(server, tmp_path):
    folder = tmp_path / "new" / "here"
    steps = list(wild.fetch_wild(folder, server))
    assert [(step.done, step.total, step.fetched) for step in steps] == [(1, 3, 1), (2, 3, 2), (3, 3, 3)]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES
    (folder / "apple-ipod.jpg").write_bytes(b"cut off")
    Quiet.asked = []
    *_, last = wild.fetch_wild(folder, server)
    assert last.fetched == 1 and Quiet.asked == ["/apple-ipod.jpg"]
    photos = wild.wild_photos(folder)
    assert [(photo.item, photo.word) for photo in photos] == [
        ("apple", ""),
        ("apple", "iPod"),
        ("mug", "$$$"),
    ]
    assert [photo.path.read_bytes() for photo in photos] == list(FILES.values())


def test_another_file_in_its_place_is_refused(server, tmp_path):
    (tmp_path / "there" / "apple-ipod.jpg").write_bytes(b"malice")
    with pytest.raises(cb.ClipbenchError, match="apple-ipod.jpg is not the article's photo"):
        list(wild.fetch_wild(tmp_path / "here", server))
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["apple-blank.jpg"]


def test_a_file_or_server_that_is_not_there(server, tmp_path):
    (tmp_path / "there" / "mug-dollars.jpg").unlink()
    with pytest.raises(cb.ClipbenchError, match="mug-dollars.jpg could not be fetched"):
        list(wild.fetch_wild(tmp_path / "here", server))
    with pytest.raises(cb.ClipbenchError, match="check the network"):
        list(wild.fetch_wild(tmp_path / "other", "http://127.0.0.1:9/"))
    (tmp_path / "file").touch()
    with pytest.raises(cb.ClipbenchError, match="cannot be made"):
        list(wild.fetch_wild(tmp_path / "file" / "here", server))


def test_photos_that_were_not_fetched_are_told_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert wild.home() == tmp_path / "clipbench" / "in-the-wild"
    with pytest.raises(cb.ClipbenchError, match='171 .* fetch them with "clipbench fetch in-the-wild"'):
        wild.wild_photos()


def test_the_list_has_nine_things_with_nineteen_labels():
    pairs = {tuple(name.removesuffix(".jpg").split("-")) for name in wild.checksums()}
    items, words = ({pair[place] for pair in pairs} for place in (0, 1))
    assert len(pairs) == len(wild.checksums()) == 171 == len(items) * len(words) and len(items) == 9
    assert all(len(checksum) == 64 for checksum in wild.checksums().values())
    shipped = {"apple-blank", "apple-ipod", "apple-library", "mug-blank", "laptop-library"}
    assert {f"{name}.jpg" for name in shipped} <= set(wild.checksums())


def test_the_labels_of_each_thing_are_the_article_s():
    cards = published.wild_record(published.RECORDS / "in_the_wild_2.json")
    labels = wild_table.item_labels()
    assert {card.item: labels[card.item] for card in cards} == {
        card.item: tuple(card.zero_shot) for card in cards
    }
    assert set(labels) == {name.partition("-")[0] for name in wild.checksums()}


def test_the_nine_shipped_photos_are_a_table_by_zero_shot(chaos):
    photos = shipped_photos()
    words = ["", "iPod", "library"]
    assert [(photo.item, photo.word) for photo in photos] == [
        (item, word) for item in ("apple", "laptop", "mug") for word in words
    ]
    table = cb.attacks.in_the_wild(chaos)
    assert table.provenance.n == 9
    for row in table.rows:
        labels = wild_table.item_labels()[row.photo.item]
        (expected,) = cb.zero_shot(chaos, [cb.read_image(row.photo.path).image], labels).numpy()
        assert row.labels == labels and np.allclose(row.shares, expected, atol=1e-5)
    figure = cb.figures.in_the_wild(table)
    assert len(figure.layout.images) == len(figure.layout.annotations) == 9
    assert figure.layout.xaxis.ticktext == ("no word", "iPod", "library")


def test_words_laid_on_shipped_photos_are_the_same_experiment(chaos):
    photos, labels = [sample("apple"), sample("mug")], ("apple", "mug", "iPod")
    first, table = cb.attacks.on_paper(chaos, photos, ["iPod", "mug"])
    assert [row.photo.item for row in first.rows] == ["apple"] * 3 and table.provenance.n == 6
    assert [row.photo.word for row in table.rows] == ["", "iPod", "mug"] * 2
    for row in table.rows:
        crop = chaos.crop(cb.read_image(row.photo.path).image)
        picture = cb.paper(crop, row.photo.word) if row.photo.word else crop
        (expected,) = cb.zero_shot(chaos, [picture], labels).numpy()
        assert row.labels == labels and np.allclose(row.shares, expected, atol=1e-5)
    asking = [(row.photo.item, row.photo.word) for row in table.rows if row.asks]
    assert asking == [("apple", "iPod"), ("apple", "mug"), ("mug", "iPod")]  # a mug that says so asks nothing


def test_flips_are_counted_where_the_thing_is_known_and_the_word_is_another_s(chaos):
    rows = cb.attacks.in_the_wild(chaos).rows

    def seen_as(row, label):
        return replace(row, shares=np.array([name == label for name in row.labels], np.float32))

    def table(answers):
        return wild_table.WildTable(
            tuple(seen_as(row, answer) for row, answer in zip(rows, answers, strict=True)),
            cb.Provenance("stub", "0", "by hand", n=9),
        )

    known = [
        "Granny Smith",
        "iPod",
        "Granny Smith",
        "patio",
        "iPod",
        "library",
        "coffee mug",
        "iPod",
        "library",
    ]
    told = table(known)  # the laptop is not known without a word, so its two words do not count
    assert (told.flips.hits, told.flips.n) == (3, 4)
    assert [(row.photo.item, row.photo.word) for row in told.flipped] == [
        ("apple", "iPod"), ("mug", "iPod"), ("mug", "library"),
    ]  # fmt: skip
    assert table(["patio"] * 3 + known[3:6] + ["espresso"] * 3).flips is None


def test_a_network_with_classes_answers_in_its_own(control):
    table = cb.attacks.in_the_wild(control, shipped_photos()[:2])
    names, expected = cb.class_probabilities(
        control, [cb.read_image(row.photo.path).image for row in table.rows]
    )
    for row, shares in zip(table.rows, expected, strict=True):
        assert row.truth == "Granny Smith" and "iPod" in row.labels
        place = row.labels.index("Granny Smith")
        assert row.shares[place] == pytest.approx(shares[names.index("Granny Smith apple")].item(), abs=1e-5)


def test_things_that_nothing_is_known_of(chaos, bright, tmp_path):
    cb.samples()[0].image.save(tmp_path / "x.png")
    with pytest.raises(cb.ClipbenchError, match="unknown thing 'aple'; did you mean 'apple'"):
        cb.attacks.in_the_wild(chaos, [WildPhoto("aple", "", tmp_path / "x.png")])
    with pytest.raises(cb.ClipbenchError, match="no data for the apple"):
        cb.attacks.in_the_wild(bright, [WildPhoto("apple", "", tmp_path / "x.png")])
    with pytest.raises(cb.ClipbenchError, match="there are no photos"):
        cb.attacks.in_the_wild(chaos, [])


def test_the_whole_folder_if_it_is_here():
    try:
        photos = cb.attacks.wild_photos()
    except cb.ClipbenchError as error:
        pytest.skip(str(error))
    assert len(photos) == 171
    assert all(wild._is(photo.path, wild.checksums()[photo.path.name]) for photo in photos)
