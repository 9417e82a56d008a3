"""`clipbench maximal-text` and `conditional`, over studies whose answers are known."""

import numpy as np
import pytest

from clipbench import studies
from clipbench.results import Provenance
from clipbench.studies import Looking, MaximalText, known_pictures
from clipbench.studies.phrases import Phrase

TOLD = Provenance("mini", "0123456789ab", "made up", n=1)


def test_shipped_pictures_are_told_apart_by_the_unit_that_knows_words(answer, run, monkeypatch, mini):
    labels = [label for _, label in known_pictures.known_pictures()]

    def shown(model, layer):
        answers = np.zeros((len(labels), 3), np.float32)
        answers[:, 2] = [float(label == "word") for label in labels]
        yield known_pictures.Shown(layer, len(labels), len(labels), answers, TOLD)

    monkeypatch.setattr(known_pictures, "shown", shown)
    unit = f"{mini.last_layer}:2"
    told = answer("conditional", unit, "--buckets", "2", "--each", "500")
    shares = dict(zip(told["labels"], told["shares"], strict=True))
    assert shares["word"] == [0, 1] and told["provenance"]["unit"] == unit
    assert sum(told["population"]) == len(labels)
    status, out, err = run("conditional", unit, "--buckets", "3")
    assert (status, err) == (0, "") and "100.0 %" in out and "Recall" in out


def test_a_phrase_is_told_kept_and_stands_beside_random_directions(answer, run, monkeypatch, tmp_path, mini):
    def look(model, unit, vocabulary=None, **settings):
        rows = [Phrase((word,), 0.3, 2.0, 0.3 - 2.0 * settings["penalty"]) for word in vocabulary]
        found = MaximalText(unit, tuple(rows), (rows[-1],), (0.1, 0.4), 1, 9, (), TOLD)
        yield Looking(1, 1, found, rows[0].text)

    monkeypatch.setattr(studies, "look_for_text", look)
    (tmp_path / "words.txt").write_text("spider\nweb\n")
    command = ["maximal-text", f"{mini.last_layer}:2", "--vocabulary", tmp_path / "words.txt"]
    told = answer(*command, "--penalty", "0.1", "--out", tmp_path / "x.json")
    assert told["phrases"][0]["text"] == "spider" and told["phrases"][0]["score"] == pytest.approx(0.1)
    assert MaximalText.load(tmp_path / "x.json").beaten.hits == 1
    _, out, _ = run(*command)
    assert "spider" in out and "(random direction) web" in out and "place 1" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["conditional", "conv_hea:1"], "unknown layer 'conv_hea'"),
        (["maximal-text", "conv_head:1", "--out", "x.txt"], "does not end in .json"),
        (["maximal-text", "conv_head:1", "--vocabulary", "nowhere.txt"], "cannot be read as text"),
        (["maximal-text", "conv_head:1", "--model", "timm/tf_efficientnet_lite0"], "has no text tower"),
    ],
)
def test_bad_input_gets_one_sentence(run, arguments, sentence):
    status, out, err = run(*arguments)
    assert status == 2 and out == "" and sentence in err and err.count("\n") == 1
