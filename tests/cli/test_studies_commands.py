"""`clipbench regions`, `emotions`, `medians` and `arithmetic`, over studies whose answers are known."""

import numpy as np
import pytest
from PIL import Image

from clipbench.results import Provenance
from clipbench.streams import Progress
from clipbench.studies import emotions, word_arithmetic, written_names
from clipbench.studies.records import region_unit
from clipbench.studies.word_arithmetic import WordSpace
from clipbench.studies.written_names import Names

TOLD = Provenance("mini", "0123456789ab", "made up", n=1)


@pytest.fixture
def known(monkeypatch):
    """Unit 7 of whatever layer answers to countries as the article's unit 862 does, the others to none."""

    def names(model, texts, layer):
        answers = np.random.default_rng(0).normal(size=(len(texts), 20)).astype(np.float32)
        answers[:, 7] = region_unit("RN50x4:862").countries
        yield Progress(350, 350, Names(layer, tuple(texts), answers, TOLD))

    monkeypatch.setattr(written_names, "names", names)


def test_the_nearest_unit_is_told_beside_the_published_one(answer, run, known):
    told = answer("regions", "--published", "RN50x4:862")
    assert told["unit"].endswith(":7") and told["published"]["nearest"] == 7
    assert told["published"]["correlation"] == pytest.approx(1) and told["published"]["chance"] < 0.5
    assert next(iter(told["places"])) == "United States of America" == told["published"]["countries"][0]
    status, out, err = run("regions", "--published", "RN50x4:862")
    assert (status, err) == (0, "") and "correlation 1.00" in out
    layer = told["unit"].partition(":")[0]
    assert answer("regions", f"{layer}:3")["unit"] == f"{layer}:3"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["regions"], "give a UNIT"),
        (["regions", "--published", "RN50x4:1"], "unknown region unit 'RN50x4:1'"),
        (["regions", "conv_hea:1"], "unknown layer 'conv_hea'"),
        (["emotions", "happy", "--model", "timm/tf_efficientnet_lite0"], "has no text tower"),
        (["medians", "nowhere", "conv_head:1"], "there is no folder 'nowhere'"),
    ],
)
def test_bad_input_gets_one_sentence(run, arguments, sentence):
    status, out, err = run(*arguments)
    assert status == 2 and out == "" and sentence in err and err.count("\n") == 1


def test_codes_stand_beside_the_published_ones(answer, run, monkeypatch):
    def codes(model, words, layer=None, detail=1):
        weights = np.zeros((len(words), 30))
        weights[words.index("jealous"), [3, 5]] = 4, -2
        made = emotions.Codes(model.last_layer, tuple(words), weights, {}, TOLD)
        yield Progress(1, 1, made)

    monkeypatch.setattr(emotions, "codes", codes)
    told = answer("emotions", "jealous", "homesick")
    assert told["codes"] == {"jealous": [[3, 1.0], [5, -0.5]], "homesick": []}
    assert told["published"]["jealous"][0] == [767, 1.0] and told["published"]["homesick"] is None
    _, out, _ = run("emotions", "jealous")
    assert "1.00 · 3 + -0.50 · 5" in out and "767 Champions" in out


def test_words_are_added_and_taken_away(answer, monkeypatch):
    def space(model, words):
        places = np.random.default_rng(0).normal(size=(len(words), 8))
        places /= np.linalg.norm(places, axis=1, keepdims=True)
        yield Progress(len(words), len(words), WordSpace(tuple(words), places, TOLD))

    monkeypatch.setattr(word_arithmetic, "word_space", space)
    told = answer("arithmetic", "--plus", "king, woman", "--minus", "man", "--top", "3")
    assert (told["plus"], told["minus"], len(told["nearest"])) == (["king", "woman"], ["man"], 3)


def test_medians_of_a_folder(answer, run, mini, tmp_path):
    pages = {
        label: [Image.new("RGB", (64, 64), (shade + number, shade, shade)) for number in range(2)]
        for label, shade in (("dark", 30), ("bright", 220))
    }
    for label, own in pages.items():
        (tmp_path / label).mkdir()
        for number, page in enumerate(own):
            page.save(tmp_path / label / f"{number}.png")
    told = answer("medians", tmp_path, f"{mini.last_layer}:5")
    assert {one["label"]: one["photos"] for one in told["labels"]} == {"dark": 2, "bright": 2}
    maps = [mini.activations(own, mini.last_layer)[:, 5] for own in pages.values()]
    answers = np.array([own.amax(dim=(1, 2)).numpy() for own in maps])
    medians = {one["label"]: one["median"] for one in told["labels"]}
    expected = np.median(answers, axis=1) / answers.std()
    assert [medians["dark"], medians["bright"]] == pytest.approx(expected.tolist(), rel=1e-3)
    assert "dark" in run("medians", tmp_path, f"{mini.last_layer}:5")[1]
