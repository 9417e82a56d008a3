"""Sections and atlas of a small network, against what the network itself says to the same pictures."""

import json

import numpy as np
import pytest
from PIL import Image

import clipbench as cb
from clipbench.report import Desk, atlas, build, own, seen, studied, survey
from clipbench.report.portraits import Grade
from clipbench.stimuli import written
from clipbench.sweeps import Store, Words, sweep

LAYER, UNIT = "layer3", cb.Unit("layer3", 3)
WORDS = ["spider", "web", "cat", "a", "Zürich", "tea", "rain", "iPod"]


@pytest.fixture(scope="module")
def images() -> list[Image.Image]:
    rng = np.random.default_rng(0)
    small = [Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)) for _ in range(30)]
    return [image.resize((80, 64), Image.Resampling.BICUBIC) for image in small]


@pytest.fixture(scope="module")
def place(tiny, images, tmp_path_factory):
    """Where photos and words were swept."""
    folder, path = tmp_path_factory.mktemp("photos"), tmp_path_factory.mktemp("store") / "store"
    for number, image in enumerate(images):
        image.save(folder / f"{number:02}.png")
    list(sweep(tiny, folder, [LAYER], store=path))
    list(sweep(tiny, Words.of(WORDS), [LAYER], store=path))
    return path


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    """Pictures of two steps: what they show is tested elsewhere."""
    for module in (own, seen, survey):
        monkeypatch.setattr(module, "COARSE", Grade(64, 1))
    for module in (own, survey):
        monkeypatch.setattr(module, "FINE", Grade(64, 1))
    things = cb.concepts()[:4]
    monkeypatch.setattr(studied, "concepts", lambda: things)
    monkeypatch.setattr(own, "_FACE_STEPS", 1)
    monkeypatch.setattr(own, "_FACE", 64)
    monkeypatch.setattr(own, "_PHOTOS", 8)


@pytest.fixture
def desk(tiny, place, tmp_path) -> Desk:
    words = Store.open(place, tiny, kind="words")
    return Desk(tiny, UNIT, Store.open(place, tiny), tmp_path, words=words)


def section(dossier, name: str) -> dict:
    return dossier.parts[name].content


@pytest.fixture
def dossier(desk, tmp_path):
    *_, last = build(desk, tmp_path / "parts")
    return last.result


def test_photos_and_words_are_those_that_the_network_answers_to(dossier, tiny, images):
    answers = tiny.activations(images, LAYER)[:, UNIT.channel].amax(dim=(1, 2)).half().numpy()  # as a store
    best = [f"{number:02}.png" for number in np.argsort(-answers, kind="stable")]
    top = section(dossier, "photos")["top"]
    assert [shown["name"] for shown in top] == best[: len(top)]
    np.testing.assert_allclose(
        [shown["value"] for shown in top], np.sort(answers)[::-1][: len(top)], rtol=1e-3
    )
    assert sum(section(dossier, "photos")["histogram"]["counts"]) == len(images)
    read = tiny.activations([written(word) for word in WORDS], LAYER)[:, UNIT.channel].amax(dim=(1, 2))
    ranked = [WORDS[number] for number in read.half().argsort(descending=True, stable=True)]
    assert [word for word, *_ in section(dossier, "words")["most"]] == ranked
    assert [word for word, *_ in section(dossier, "words")["least"]] == ranked[::-1]
    assert section(dossier, "words")["n"] == len(WORDS)


def test_neighbours_are_those_whose_answers_correlate(dossier, tiny, images):
    answers = tiny.activations(images, LAYER).amax(dim=(2, 3)).double().numpy()
    likeness = np.corrcoef(answers.T)[UNIT.channel]
    likeness[UNIT.channel] = -1
    by_photos = section(dossier, "neighbours")["kinds"][0]
    scores = [row["score"] for row in by_photos["rows"]]
    np.testing.assert_allclose(scores, np.sort(likeness)[::-1][: len(scores)], atol=2e-3)
    assert likeness[int(by_photos["rows"][0]["unit"].partition(":")[2])] == pytest.approx(scores[0], abs=2e-3)


def test_the_effect_is_that_of_the_unit_held_at_its_mean(dossier, desk, tiny, images):
    maps = tiny.activations(images, LAYER)
    favourites = [
        images[number] for number in maps[:, UNIT.channel].amax(dim=(1, 2)).argsort(descending=True)[:8]
    ]
    before = tiny.logits(favourites).softmax(dim=1).mean(dim=0)
    with tiny.ablate([UNIT], value=float(maps[:, UNIT.channel].mean())):
        after = tiny.logits(favourites).softmax(dim=1).mean(dim=0)
    told = {row["label"]: (row["before"], row["after"]) for row in section(dossier, "effect")["rows"]}
    for place, label in enumerate(tiny.classes):
        np.testing.assert_allclose(told[label], (before[place], after[place]), atol=2e-3)


def test_the_page_has_every_picture_that_it_names(dossier, tmp_path):
    path = dossier.save(tmp_path / dossier.file)
    assert path.stat().st_size < 2**20
    told = json.loads(path.with_suffix(".json").read_text())
    assert told["parts"]["circuit"]["lower"] == "layer2" and len(told["parts"]["circuit"]["edges"]) == 8
    assert told["parts"]["pictures"]["photos_reach"] == pytest.approx(
        told["parts"]["photos"]["top"][0]["value"]
    )


def test_the_atlas_has_every_unit_and_a_page_of_those_that_were_refined(tiny, place, tmp_path):
    store, words = Store.open(place, tiny), Store.open(place, tiny, kind="words")
    steps = list(atlas(tiny, LAYER, store, tmp_path, words=words, refine=[UNIT]))
    assert [step.stage for step in steps if step.done == step.total][-1] == "pictures"
    page = steps[-1].page.read_text()
    units = tiny.layer(LAYER).channels
    assert page.count('class="unit"') == units == len(list((tmp_path / "pictures").glob("layer3-*.png")))
    assert len(list((tmp_path / "photos").rglob("*.jpg"))) == units
    assert (tmp_path / "units" / "layer3-3.html").exists() and "units/layer3-3.html" in page
    assert "t-SNE" in page or "UMAP" in page


def test_an_atlas_can_be_seen_before_it_is_painted_and_goes_on(tiny, place, tmp_path, monkeypatch):
    store = Store.open(place, tiny)
    for step in atlas(tiny, LAYER, store, tmp_path):
        if step.stage == "pictures":
            break
    page = (tmp_path / "index.html").read_text()
    assert page.count("/layer3-0.jpg") and not (tmp_path / "pictures").exists()
    monkeypatch.setattr(survey._Survey, "hang_photos", lambda self: iter(()))  # they hang already
    monkeypatch.setattr(survey, "mapped", lambda *_: pytest.fail("drawn again"))
    *_, last = atlas(tiny, LAYER, store, tmp_path)
    assert "pictures/layer3-0.png" in last.page.read_text()


def test_the_store_of_another_model_is_refused(tiny, place, tmp_path, monkeypatch):
    store = Store.open(place, tiny)
    monkeypatch.setattr(tiny, "weights_hash", "ba9876543210")
    with pytest.raises(cb.ClipbenchError, match="sweep with that model"):
        Desk(tiny, UNIT, store, tmp_path)


def test_a_layer_that_was_not_swept_is_refused(tiny, place, tmp_path):
    with pytest.raises(cb.ClipbenchError, match="layer"):
        Desk(tiny, cb.Unit("layer2", 0), Store.open(place, tiny), tmp_path)


def test_words_that_were_not_shown_yet_are_left_out(tiny, place, tmp_path):
    for step in sweep(tiny, Words.of(WORDS), [LAYER], store=tmp_path / "begun"):
        if step.stage == "sweeping":
            break
    begun = Store.open(tmp_path / "begun", tiny, kind="words")
    desk = Desk(tiny, UNIT, Store.open(place, tiny), tmp_path, words=begun)
    assert LAYER in begun.layers and desk.written is None
    for make in (seen.words, studied.regions):
        *_, part = make(desk)
        assert part.content == {}


def test_a_unit_that_is_never_active_has_a_page_that_says_so(tiny, place, images, tmp_path):
    with tiny.ablate([UNIT], value=-1.0):
        for stimuli in (Store.open(place, tiny).stimuli, Words.of(WORDS)):
            list(sweep(tiny, stimuli, [LAYER], store=tmp_path / "store"))
        store, words = (Store.open(tmp_path / "store", tiny, kind=kind) for kind in ("images", "words"))
        assert (store.column(UNIT) == -1).all()
        *_, last = build(Desk(tiny, UNIT, store, tmp_path, words=words), tmp_path / "parts")
    page = last.result.html()
    assert "says the same to all of them" in page and 'id="origin"' in page
    kinds = last.result.parts["neighbours"].content["kinds"]
    assert [kind["name"] for kind in kinds] == ["by weights"] and last.result.parts["words"] is None
    assert "0 of 8 edges" in page and "another answer to 0 of them" in page
