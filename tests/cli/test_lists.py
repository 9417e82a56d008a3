"""`clipbench models`, `layers` and `fetch`."""

import json

import open_clip

from clipbench.models.card import CARD, MINI
from clipbench.models.loading import load


def test_models_shows_the_own_ones_and_with_all_every_entry_of_open_clip(answer, run):
    own = {"mini", "mini/random", "timm/tf_efficientnet_lite0"}
    shown = answer("models")["models"]
    assert own <= {one["name"] for one in shown} and all(one["present"] for one in shown)
    names = {one["name"] for one in answer("models", "--all")["models"]}
    assert names == own | {f"{name}/{tag}" for name, tag in open_clip.list_pretrained()}
    assert [one["name"] for one in answer("models", "--model", "mini")["models"]] == ["mini"]
    _, table, _ = run("models")
    names = [line.split()[0] for line in table.partition("\n\n")[0].splitlines()]
    assert names == ["name", *(one["name"] for one in shown)]


def test_models_gives_the_card_of_mini_and_says_how_much_of_it_is_reached(answer, run):
    listed = {one["name"]: one["card"] for one in answer("models")["models"]}
    card = listed.pop("mini")
    assert set(listed.values()) == {None}
    assert card == json.loads((MINI / CARD).read_text(encoding="utf-8")) | {"note": None}
    aims = [one["reached"] for one in card["figures"] if one["target"] is not None]
    told = f"mini, weights {card['weights_hash']}: {sum(aims)} of {len(aims)} targets are reached\n"
    _, brief, _ = run("models")
    assert brief.endswith(f"\n\n{told}")
    _, whole, _ = run("models", "--model", "mini")
    assert whole.endswith(f"\n\n{told}")
    assert all(one["told"] in whole and one["what"] in whole for one in card["figures"])
    assert answer("models", "--model", "mini/random")["models"][0]["card"] is None


def test_a_card_that_is_missing_or_of_other_weights_is_said(answer, run, monkeypatch):
    monkeypatch.setattr("clipbench.models.mini_card", lambda: None)
    assert answer("models", "--model", "mini")["models"][0]["card"] is None
    other = {"weights_hash": "abc", "figures": [], "note": "measured with weights abc, not with def"}
    monkeypatch.setattr("clipbench.models.mini_card", lambda: other)
    _, told, _ = run("models")
    assert told.endswith("0 of 0 targets are reached\nmeasured with weights abc, not with def\n")


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
