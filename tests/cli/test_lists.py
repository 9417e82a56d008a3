"""`clipbench models`, `layers` and `fetch`."""

import open_clip

from clipbench.models.loading import load


def test_models_shows_the_own_ones_and_with_all_every_entry_of_open_clip(answer, run):
    own = {"mini", "mini/random", "timm/tf_efficientnet_lite0"}
    shown = answer("models")["models"]
    assert own <= {one["name"] for one in shown} and all(one["present"] for one in shown)
    names = {one["name"] for one in answer("models", "--all")["models"]}
    assert names == own | {f"{name}/{tag}" for name, tag in open_clip.list_pretrained()}
    assert [one["name"] for one in answer("models", "--model", "mini")["models"]] == ["mini"]
    _, table, _ = run("models")
    assert [line.split()[0] for line in table.splitlines()] == ["name", *(one["name"] for one in shown)]


def test_layers_are_those_of_the_architecture(answer, run):
    """Channels and strides as published for EfficientNet-Lite0 (Tan & Le 2019, table 1; its seven stages)."""
    document = answer("layers", "--model", "timm/tf_efficientnet_lite0")
    layers = {one["name"]: (one["channels"], one["stride"]) for one in document["layers"]}
    stages = [layers[f"blocks.{stage}"] for stage in range(7)]
    assert stages == [(16, 2), (24, 4), (40, 8), (80, 16), (112, 16), (192, 32), (320, 32)]
    assert layers["conv_head"] == (1280, 32)
    heads = {one["name"]: one["channels"] for one in document["heads"]}
    assert heads == {"embedding": 1280, "logits": 1000}
    _, table, _ = run("layers")
    assert "conv_head       1280      32\n\nhead       channels\nembedding" in table


def test_fetch_alone_downloads_and_says_when_it_cannot(run, monkeypatch):
    asked = []

    def download(entry):
        asked.append(entry)
        raise ConnectionError("no route to host")

    monkeypatch.setattr("clipbench.models.load", load)
    monkeypatch.setattr("clipbench.models.loading.download_pretrained", download)
    status, out, err = run("fetch", "weights", "RN50-quickgelu/yfcc15m")
    assert (status, out, len(asked)) == (2, "", 1)
    assert err == (
        "clipbench: the weights of RN50-quickgelu/yfcc15m could not be fetched (no route to host); "
        "check the network and try again\n"
    )
