"""Provenance, and files that carry it; errors and addresses."""

import errno
import json
import os
from pathlib import Path

import pytest
from PIL import Image

import clipbench as cb
from clipbench.errors import unknown
from clipbench.results import Provenance, read_provenance, save_bytes, save_png


@pytest.fixture
def provenance():
    return Provenance("mini", "0123456789ab", "channel(a:1), 8 steps", unit="a:1", seed=3, n=2)


def test_a_picture_carries_its_provenance_and_its_pixels(provenance, tmp_path):
    picture = Image.effect_noise((20, 30), 50).convert("RGB")
    path = save_png(picture, tmp_path / "x.png", provenance)
    assert read_provenance(path) == provenance
    with Image.open(path) as again:
        assert again.tobytes() == picture.tobytes()
        assert json.loads(again.info["clipbench"])["weights_hash"] == "0123456789ab"
    assert [file.name for file in tmp_path.iterdir()] == ["x.png"]


def test_the_caption_names_model_unit_recipe_seed_and_n(provenance):
    assert provenance.caption() == "mini 01234567 · a:1 · channel(a:1), 8 steps · seed 3 · n = 2"
    assert Provenance("mini", "0123456789ab", "r").caption() == "mini 01234567 · r"
    assert set(provenance.versions) >= {"clipbench", "torch", "open_clip_torch"}


def test_a_picture_that_cannot_be_written_leaves_the_old_one(provenance, tmp_path, monkeypatch):
    path = save_png(Image.new("RGB", (4, 4)), tmp_path / "x.png", provenance)
    before = path.read_bytes()

    def full(self, content):
        with self.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(cb.ClipbenchError, match="No space left"):
        save_png(Image.new("RGB", (4, 4), "red"), path, provenance)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_bad_paths_get_one_sentence(provenance, tmp_path):
    picture = Image.new("RGB", (4, 4))
    for path, sentence in [
        (tmp_path / "no" / "x.png", "does not exist"),
        (tmp_path / "x.gif", "does not end in .png"),
        (tmp_path / "folder.png", "is a folder"),
    ]:
        (tmp_path / "folder.png").mkdir(exist_ok=True)
        with pytest.raises(cb.ClipbenchError, match=sentence):
            save_png(picture, path, provenance)
    picture.save(tmp_path / "foreign.png")
    with pytest.raises(cb.ClipbenchError, match="not a picture that clipbench has written"):
        read_provenance(tmp_path / "foreign.png")


@pytest.mark.parametrize(
    ("got", "sentence"),
    [
        ("layer5", "unknown layer 'layer5'; did you mean 'layer4' or 'layer3'?"),
        ("LAYER4", "unknown layer 'LAYER4'; did you mean 'layer4' or 'layer3'?"),
        ("xyz", "unknown layer 'xyz'; there are 'layer3', 'layer4'"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(got, sentence):
    assert str(unknown("layer", got, ["layer3", "layer4"])) == sentence
    assert isinstance(unknown("layer", got, []), ValueError)


def test_a_unit_prints_as_it_is_parsed():
    mini = cb.load("mini/random", device="cpu")
    for address in ("conv_head:550", "conv_head:0@3,1", "blocks.3.0:7", "embedding:5"):
        assert str(cb.Unit.parse(address, mini)) == address
    assert cb.Unit.parse(cb.Unit("conv_head", 3), mini) == cb.Unit("conv_head", 3)
    for address in ("conv_head:-1", "conv_head:1@2", ":3", "conv_head:1:2", ""):
        with pytest.raises(cb.ClipbenchError, match="is not an address"):
            cb.Unit.parse(address, mini)


def test_a_read_only_disk_is_told_in_a_sentence(tmp_path, monkeypatch):
    """Such a disk refuses to remove a file that is not there, too."""

    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    for act in ("write_bytes", "unlink"):
        monkeypatch.setattr(Path, act, refuse)
    with pytest.raises(cb.ClipbenchError, match="Read-only file system"):
        save_bytes(b"x", tmp_path / "x.csv")
