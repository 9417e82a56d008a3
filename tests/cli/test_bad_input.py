"""Bad input: one sentence on stderr, nothing on stdout, no file, exit status 2."""

import os

import pytest

LABELS = ["--labels", "apple,iPod"]
ATTACK = ["--target", "iPod", "--text", "iPod", *LABELS]
OUT = ["--out", "x.png", "--steps", "5", "--size", "64"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "required: {dashboard,models,layers,fetch,classify,visualize,"),
        (["paint"], "invalid choice: 'paint'"),
        (["layers", "--modle", "mini"], "unrecognized arguments: --modle"),
        (["layers", "--model", "minu"], "unknown model 'minu'; did you mean 'mini'?"),
        (["layers", "--model", "timm/tf_efficientnet_lite9"], "did you mean 'tf_efficientnet_lite"),
        (["layers", "--model", "RN50x4-quickgelu/opanai"], "did you mean 'openai'"),
        (["layers", "--device", "abacus"], "the device 'abacus' is not there"),
        (["models", "--model", "minu"], "did you mean 'mini'?"),
        (["fetch", "weights"], "required: NAME"),
        (["fetch", "pizza", "mini"], "invalid choice: 'pizza'"),
        (["classify", *LABELS], "required: IMAGE"),
        (["classify", "apple.png"], "mini has no classes of its own; give labels"),
        (["classify", "apple.png", "--labels", ""], "there are no labels"),
        (["classify", "apple.png", "--labels", "apple,,iPod"], "there is an empty label"),
        (["classify", "apple.png", "--labels", "apple,iPod, apple"], "'apple' is there twice"),
        (["classify", "apple.png", *LABELS, "--template", "a photo"], "has no place for the label"),
        (["classify", "apple.png", *LABELS, "--overlay", "苹果"], "cannot draw '苹果'"),
        (["classify", "apple.png", *LABELS, "--overlay", " "], "the label has no text"),
        (["classify", "apple.png", *LABELS, "--paper", "w" * 999], "999 characters"),
        (["classify", "apple.png", *LABELS, "--paper", "a", "--overlay", "b"], "not allowed with"),
        (
            ["classify", "apple.png", "--model", "timm/tf_efficientnet_lite0", "--template", "{}"],
            "leave it out",
        ),
        (
            ["classify", "apple.png", "--model", "timm/tf_efficientnet_lite0", "--labels", "maypol"],
            "'maypole'",
        ),
        (["classify", "apple.png", *LABELS, "--width", "0.5"], "give one with --overlay or --paper"),
        (["classify", "apple.png", *LABELS, "--overlay", "a", "--width", "0.5"], "--width is for --paper"),
        (["classify", "apple.png", *LABELS, "--overlay", "a", "--size", "0"], "size must be"),
        (["classify", "apple.png", *LABELS, "--paper", "a", "--place", "2", "0"], "place"),
        (["classify", "apple.png", *LABELS, "--paper", "a", "--opacity", "2"], "opacity must be"),
        (["visualize", "conv_head:1"], "one of the arguments --out --gallery is required"),
        (["visualize", "conv_head:1", *OUT, "--gallery", "g"], "not allowed with"),
        (["visualize", *OUT], "give a unit, as in conv_head:0, --text, --label or --like"),
        (["visualize", "--label", " ", *OUT], "the label is empty"),
        (["visualize", "--label", "cat", "--probe", "no.npz", *OUT], "there is no probe 'no.npz'"),
        (["visualize", "conv_head:1", "--probe", "no.npz", *OUT], "name with --label what to paint"),
        (["visualize", "conv_head:1", *OUT, "--facet", "no.npz"], "'no.npz' is not a facet"),
        (["visualize", "conv_head:1", *OUT, "--prior", "2"], "give from 0 to 1"),
        (["visualize", "conv_head:1", *OUT, "--patience", "9"], "--patience is for --gallery"),
        (["visualize", "conv_head:1", "--gallery", "g", "--patience", "0"], "a patience of 0"),
        (["visualize", "conv_head:1", "conv_haed:1", "--gallery", "g"], "did you mean 'conv_head'"),
        (["visualize", "conv_head:1", "--gallery", "apple.png"], "cannot write 'apple.png'"),
        (["visualize", "--like", "no.png", "--out", "x.png"], "there is no file 'no.png'"),
        (["visualize", "--like", "apple.png", "--out", "x.png"], "not a picture that clipbench has written"),
        (["visualize", "--like", "apple.png", *OUT], "--steps does not go with --like"),
        (["visualize", "a:1", "--like", "apple.png", "--out", "x.png"], "a unit, text or label does not go"),
        (["visualize", "--like", "apple.png", "--gallery", "g"], "--gallery does not go with --like"),
        (["visualize", "conv_haed:1", *OUT], "did you mean 'conv_head'"),
        (["visualize", "conv_haed", *OUT], "did you mean 'conv_head'"),
        (["visualize", "conv_head:1280", *OUT], "its channels go from 0 to 1279"),
        (["visualize", "conv_head:1@9,0", *OUT], "conv_head"),
        (["visualize", "conv_head:1@0,0", "--objective", "channel", *OUT], "a channel has no position"),
        (["visualize", "conv_head", "--objective", "channel", *OUT], "'conv_head' is not an address"),
        (["visualize", "--text", "", *OUT], "empty text"),
        (["visualize", "--text", "a", "--model", "timm/tf_efficientnet_lite0", *OUT], "has no text tower"),
        (["visualize", "conv_head:1", *OUT, "--steps", "0"], "0 steps make no picture"),
        (["visualize", "conv_head:1", *OUT, "--steps", "-3"], "-3 steps make no picture"),
        (["visualize", "conv_head:1", *OUT, "--steps", "many"], "--steps: 'many' is not a whole number"),
        (["visualize", "conv_head:1", *OUT, "--seed", "9" * 20], "too large"),
        (["visualize", "conv_head:1", *OUT, "--size", "0"], "cannot be 0 px wide"),
        (["visualize", "conv_head:1", *OUT, "--size", "20"], "use a size of at least 32"),
        (["visualize", "conv_head:1", *OUT, "--size", "99999"], "99999 px"),
        (["visualize", "conv_head:1", *OUT, "--tv", "-1"], "give 0 or more"),
        (["visualize", "conv_head:1", *OUT, "--blur", "nan"], "not a finite number"),
        (["visualize", "conv_head:1", *OUT, "--scale", "1"], "cannot scale"),
        (["visualize", "conv_head:1", *OUT, "--out", "no/x.png"], "the folder 'no' does not exist"),
        (["visualize", "conv_head:1", *OUT, "--out", "x.jpg"], "does not end in .png"),
        (["attack", ".", "--text", "a"], "required: --target"),
        (["attack", ".", "--target", "appel", "--text", "a", *LABELS], "unknown label 'appel'; did you mean"),
        (["attack", "no", *ATTACK], "there is no folder 'no'"),
        (["attack", "apple.png", *ATTACK], "there is no folder 'apple.png'"),
        (["attack", ".", *ATTACK, "--text", "苹果"], "cannot draw '苹果'"),
        (["attack", ".", *ATTACK, "--text", " "], "the label has no text"),
        (["attack", ".", *ATTACK, "--size", "0"], "size must be above 0"),
        (["attack", ".", *ATTACK, "--jpeg", "101"], "JPEG quality must be"),
        (["attack", ".", *ATTACK, "--copies", "9"], "copies must be at least 1 and at most 8"),
        (["attack", ".", *ATTACK, "--font", "DejaVu San"], "did you mean 'DejaVu Sans'"),
        (["attack", ".", *ATTACK, "--paper", "--blur", "2"], "--blur is not for --paper"),
        (["attack", ".", *ATTACK, "--width", "0.5"], "--width is for --paper"),
        (["attack", ".", *ATTACK, "--place", "0.5", "0.5"], "--place is for --paper"),
        (["attack", ".", *ATTACK, "--paper", "--place", "2", "0"], "fractions of the picture from 0 to 1"),
        (["attack", ".", *ATTACK, "--probe", "no.npz"], "there is no probe 'no.npz'"),
        (["attack", ".", *ATTACK, "--out", "x.pkl"], "does not end in .npz, .json, .csv"),
        (["attack", ".", *ATTACK, "--out", "no/x.json"], "the folder 'no' does not exist"),
        (["attack", ".", *ATTACK, "--journal", "apple.png"], "is no journal"),
        (["attack", ".", *ATTACK, "--sweep", "sise"], "unknown axis 'sise'; did you mean 'size'"),
        (["attack", ".", *ATTACK, "--sweep", "size", "--values", "big"], "'big' is not a number; size is"),
        (["attack", ".", *ATTACK, "--sweep", "size", "--values", "0"], "size must be above 0"),
        (
            ["attack", ".", *ATTACK, "--sweep", "size", "--out", "x.npz"],
            "does not end in .json, .csv, .parquet",
        ),
        (["attack", ".", *ATTACK, "--values", "1,2"], "--values is for --sweep"),
        (["attack", ".", *ATTACK, "--prefix", "no.pt"], "there is no file 'no.pt'"),
        (["attack", ".", *ATTACK, "--prefix", "x", "--probe", "y"], "--prefix takes labels and one template"),
        (["dashboard", "--port", "70000"], "there is no port 70000"),
        (["dashboard", "--port", "http"], "--port: 'http' is not a whole number"),
    ],
)
def test_bad_input_gets_one_sentence(run, apple, monkeypatch, arguments, sentence):
    monkeypatch.chdir(apple.parent)
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.startswith("clipbench: ") and err.count("\n") == 1 and "Traceback" not in err
    assert os.listdir() == ["apple.png"]


def test_debugging_shows_where_an_error_came_from(run, monkeypatch):
    monkeypatch.setenv("CLIPBENCH_DEBUG", "1")
    status, _, err = run("layers", "--model", "minu")
    assert status == 2
    assert "Traceback" in err and err.endswith("clipbench: unknown model 'minu'; did you mean 'mini'?\n")
