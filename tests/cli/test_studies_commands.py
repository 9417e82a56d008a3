"""The commands of the studies, on answers that are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clipbench
from clipbench.optvis import absent_facets, shipped_facets
from clipbench.results import Provenance
from clipbench.streams import Progress
from clipbench.studies import (
    Multimodal,
    emotions,
    feeling_rows,
    region_pictures,
    side_by_side,
    word_arithmetic,
)
from clipbench.studies.feeling_rows import FeelingRows
from clipbench.studies.label_medians import LabelMedians
from clipbench.studies.picture_rows import Row
from clipbench.studies.records import region_unit
from clipbench.studies.word_arithmetic import WordSpace
from clipbench.studies.written_names import Names

PHOTOS = str(Path(clipbench.__file__).parent / "stimuli" / "photos")
TOLD = Provenance("mini", "0123456789ab", "made up", n=1)


@pytest.fixture
def known(monkeypatch):
    """Unit 7 of whatever layer answers to countries as the article's unit 862 does, the others to none."""

    def names(model, texts, layer):
        answers = np.random.default_rng(0).normal(size=(len(texts), 20)).astype(np.float32)
        answers[:, 7] = region_unit("RN50x4:862").countries
        yield Progress(350, 350, Names(layer, tuple(texts), answers, TOLD))

    monkeypatch.setattr(region_pictures, "names", names)


def test_the_nearest_unit_is_told_beside_the_published_one(answer, run, known):
    told = answer("regions", "--published", "RN50x4:862")
    assert told["unit"].endswith(":7") and told["published"]["nearest"] == 7
    assert told["published"]["correlation"] == pytest.approx(1) and told["published"]["chance"] < 0.5
    assert next(iter(told["places"])) == "United States of America" == told["published"]["countries"][0]
    status, out, err = run("regions", "--published", "RN50x4:862")
    assert (status, err) == (0, "") and "correlation 1.00" in out
    assert len(told["flags"]) == len(told["monuments"]) == 5 and f"{next(iter(told['flags']))}  " in out
    layer = told["unit"].partition(":")[0]
    assert answer("regions", f"{layer}:3")["unit"] == f"{layer}:3"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["regions"], "give a UNIT"),
        (["regions", "--published", "RN50x4:1"], "unknown region unit 'RN50x4:1'"),
        (["regions", "conv_head:1@2,2"], "is one position; write conv_head:1"),
        (["conditional", "conv_head:1@2,2"], "is one position; write conv_head:1"),
        (["medians", PHOTOS, "conv_head:1@2,2"], "is one position; write conv_head:1"),
        (["regions", "conv_hea:1"], "unknown layer 'conv_hea'"),
        (["side-by-side", "mini", "mini", "mini", "mini"], "two to 4 models, not 5"),
        (["side-by-side", "minu"], "did you mean 'mini'?"),
        (["side-by-side", "mini", "--text", "iPod"], "--image and --text go together"),
        (["side-by-side", "mini", "--text", "iPod", "--image", "no.png"], "'no.png'"),
        (["emotions", "happy", "--model", "timm/tf_efficientnet_lite0"], "has no text tower"),
        (["emotions"], "give words such as jealous, or --unit"),
        (["emotions", "happy", "--unit", "conv_head:1"], "and not both"),
        (["emotions", "--unit", "conv_head:9999"], "no channel 9999"),
        (["facets", "conv_head:1", "--facet", "smell"], "unknown facet 'smell'"),
        (["facets", "conv_head:1", "--facets", "nowhere"], "there is no facet (.npz) in 'nowhere'"),
        (["facets", "conv_head:1", "--out", "x.gif"], "does not end in .png"),
        (["facets", "conv_head:1", "--model", "timm/tf_efficientnet_lite0"], "no facet is shipped for timm"),
        (["facets", "conv_head:1@2,2"], "is one position; write conv_head:1"),
        (["arithmetic", "--plus", "photo:cst"], "did you mean 'photo:cat'"),
        (["arithmetic", "--plus", ","], "at least one word to add"),
        (["arithmetic", "--plus", "苹果"], "cannot draw '苹果'"),
        (["arithmetic", "--plus", "king", "--minus", "king"], "cancel each other out"),
        (["medians", "nowhere", "conv_head:1"], "there is no folder 'nowhere'"),
        (["medians", "nowhere", "conv_head:1", "--out", "x.txt"], "does not end in .json"),
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


def test_a_unit_is_asked_with_faces_bodies_and_words(answer, run, monkeypatch):
    pages, answers = (None,) * 6, np.arange(12.0).reshape(6, 2)
    rows = {kind: Row(kind, tuple(f"{kind} {n}" for n in range(6)), pages, answers)
            for kind in ("faces", "bodies", "words")}  # fmt: skip

    def asked(model, layer):
        yield Progress(18, 18, FeelingRows(layer, **rows, shows=(("words 1",),) * 6, provenance=TOLD))

    monkeypatch.setattr(feeling_rows, "feeling_rows", asked)
    told = answer("emotions", "--unit", "conv_head:1")
    assert [*told["bodies"]] == [f"bodies {n}" for n in (5, 4, 3, 2, 1)] and told["unit"] == "conv_head:1"
    status, out, _ = run("emotions", "--unit", "conv_head:1")
    assert status == 0 and "answers most to 'words 1'" in out and "faces 5" in out


def test_a_unit_is_painted_in_a_row(answer, run, mini, tmp_path):
    first, second, *_ = shipped_facets(mini)
    small = ["--size", "48", "--steps", "1", "--facet", second, "--facet", first]
    told = answer("facets", "conv_head:5", *small, "--out", tmp_path / "row.png")
    assert [row["picture"] for row in told["pictures"]] == ["plain", second, first]
    assert told["pictures"][0]["theme"] is None and isinstance(told["pictures"][1]["theme"], float)
    with Image.open(tmp_path / "row.png") as row:
        assert row.size == (3 * 48, 48)
    status, out, _ = run("facets", "conv_head:5", *small)
    absent = absent_facets(mini)
    assert status == 0 and "theme of plain" in out and all(f"no {name}: " in out for name in absent)


def test_words_are_added_and_taken_away(answer, monkeypatch):
    def space(model, words, images):
        terms = (*words, *images)
        places = np.random.default_rng(0).normal(size=(len(terms), 8))
        places /= np.linalg.norm(places, axis=1, keepdims=True)
        yield Progress(len(terms), len(terms), WordSpace(terms, places, TOLD))

    monkeypatch.setattr(word_arithmetic, "word_space", space)
    told = answer("arithmetic", "--plus", "king, woman", "--minus", "man", "--top", "3")
    assert (told["plus"], told["minus"], len(told["nearest"])) == (["king", "woman"], ["man"], 3)
    told = answer("arithmetic", "--plus", "photo:cat, king", "--top", "2")
    assert all(term.startswith(("photo:", "drawing:")) for term, _ in told["pictures"])


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
    table = tmp_path / "x.csv"
    assert "dark" in run("medians", tmp_path, f"{mini.last_layer}:5", "--out", table)[1]
    assert set(LabelMedians.load(table).labels) == {"dark", "bright"}


def test_three_models_stand_side_by_side(answer, run, monkeypatch, mini, control):
    def measured(models):
        """The second model's units are the first one's backwards, the third one's are noise."""
        rng = np.random.default_rng(0)
        answers, rows = rng.normal(size=(120, 20)), np.arange(120)
        things = tuple(f"thing {number}" for number in range(40))
        values = (answers, answers[:, ::-1], rng.normal(size=(120, 20)))
        made = [
            Multimodal("layer", things, own.astype(np.float32), rows // 3, rows % 3, np.zeros(1),
                       replace(TOLD, model=model.name, n=120))
            for own, model in zip(values, models, strict=True)
        ]  # fmt: skip
        yield Progress(1, 1, tuple(made))

    monkeypatch.setattr(side_by_side, "measure_all", measured)
    names = [control.name, mini.name]
    told = answer("side-by-side", *names, "--top", "4")
    assert [one["model"] for one in told["others"]] == names and len(told["units"]) == len(
        told["things"]
    ) == 4
    for one in told["units"]:
        (partner, _) = one["partners"]
        assert partner["unit"] == 19 - one["unit"] and partner["correlation"] == pytest.approx(1, abs=1e-5)
    assert told["others"][0]["above_chance"] == 1
    status, out, _ = run("side-by-side", *names)
    assert status == 0 and "100% of mini's 20 units have a partner in timm" in out


def test_one_picture_in_the_eyes_of_two_models(answer, run, apple, control):
    told = answer("side-by-side", control.name, "--image", apple, "--text", "iPod")
    assert list(told["taken for"]) == ["mini", control.name] and len(told["pictures"]) == 3
    for answers in told["taken for"].values():
        assert len(answers) == 3 and all(0 < share <= 1 for _, share in answers)
    assert [one["model"] for one in told["provenance"]] == ["mini", control.name]
    status, out, _ = run("side-by-side", control.name, "--image", apple, "--text", "iPod")
    assert status == 0 and "the word alone" in out and control.weights_hash[:8] in out
