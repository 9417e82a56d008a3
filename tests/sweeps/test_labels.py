"""Search and labels against closed forms, another library, and networks whose units are known."""

import numpy as np
import pytest
import torch
from planting import planted
from sklearn.metrics import roc_auc_score

import clipbench as cb
from clipbench.hooks import editing
from clipbench.studies import excited_by, label_units, search_units, similar_units
from clipbench.studies.dissect import clearness, soft_wpmi
from clipbench.studies.labels import held_out
from clipbench.studies.meaning import by_weights, ranks
from clipbench.studies.unit_search import points
from clipbench.sweeps import Store, sweep


class Reader:
    """A CLIP of which only the texts are asked: each name has an axis of its own."""

    name, weights_hash, preprocessing = "planted", "0123456789ab", "none"

    def encode_text(self, texts):
        return torch.eye(8)[[int(text.rsplit(" ", 1)[-1]) for text in texts]]


@pytest.fixture
def known(tmp_path):
    """400 photos of eight things; units 0 … 7 answer to one thing each, the last two to nothing."""
    rng = np.random.default_rng(0)
    things = np.arange(400) % 8
    meaning = np.eye(8)[things] + 0.3 * rng.normal(size=(400, 8))
    units = np.hstack([np.eye(8)[things] * 3, np.zeros((400, 2))]) + rng.normal(size=(400, 10)) * 0.5
    units[:, 9] = 1.0
    return planted(tmp_path / "s", {"top": units, "embedding": meaning})


def test_units_of_known_meaning_get_their_names_and_the_others_none(known, tmp_path):
    names = [str(number) for number in range(8)]
    found = label_units(Reader(), names, known, "top")
    assert [one.label for one in found.labels[:8]] == names
    assert [one.label for one in found.labels[8:]] == [None, None]
    assert all(one.auc > 0.9 for one in found.labels[:8]) and found.labels[9].p == 1
    assert found.scores == ("photos",) and "8 names" in found.provenance.recipe
    assert len(found.save(tmp_path / "x.csv").read_text().splitlines()) == 11
    from clipbench.tables import read_table

    about, rows = read_table(found.save(tmp_path / "x.parquet"))
    assert rows == [vars(one) for one in found.labels] and about["scores"] == ["photos"]
    with pytest.raises(cb.ClipbenchError, match="ends in none of"):
        found.save(tmp_path / "x.txt")


def test_names_are_judged_by_photos_that_did_not_name(known):
    """A unit of noise is named by the luck of one half, and the other half does not confirm it."""
    rng = np.random.default_rng(1)
    noise = planted(
        known._shelf.path.parent / "n", {"top": rng.normal(size=(400, 60)), "embedding": known.embeddings()}
    )
    found = label_units(Reader(), [str(number) for number in range(8)], noise, "top")
    assert [one for one in found.labels if one.label is not None] == []
    assert np.mean([one.auc for one in found.labels]) == pytest.approx(0.5, abs=0.03)


def test_a_name_that_another_unit_bears_with_more_right_is_none(known, tmp_path):
    """Unit 10 answers to the first thing as well, but faintly; unit 11 is unit 0 once more."""
    rng, units = np.random.default_rng(2), known.matrix("top").astype(float)
    faint = (np.arange(400) % 8 == 0) + rng.normal(size=400) * 0.5
    units = np.column_stack([units, faint, units[:, 0]])
    place = planted(tmp_path / "twins", {"top": units, "embedding": known.embeddings()})
    found = label_units(Reader(), [str(number) for number in range(8)], place, "top").labels
    assert found[10].name == "0" and found[10].p < 0.05 / 12 and found[10].auc > 0.8
    assert found[10].label is None and found[10].rivals >= 2
    assert found[0].label == found[11].label == "0" and found[0].rivals == found[11].rivals == 0


def test_held_out_is_the_area_under_the_curve():
    rng = np.random.default_rng(0)
    activations, cosines = rng.normal(size=500), rng.normal(size=500)
    cosines += 0.5 * activations
    own = activations >= np.sort(activations)[-10]
    units = np.stack([rng.normal(size=500), activations], axis=1)
    names = np.stack([cosines, -cosines], axis=1)
    aucs, ps = held_out(units, names)
    assert aucs.shape == ps.shape == (2, 2)
    assert aucs[1, 0] == pytest.approx(roc_auc_score(own, cosines), rel=1e-5)
    assert ps[1, 0] < 0.05 and ps[1, 1] > 0.95
    _, ps = held_out(rng.normal(size=(200, 400)), rng.normal(size=(200, 400)))
    assert np.mean(np.diagonal(ps) < 0.1) == pytest.approx(0.1, abs=0.045)  # three standard errors


def test_soft_wpmi_is_the_formula_of_its_paper():
    rng = np.random.default_rng(0)
    similarities, activations = rng.normal(size=(30, 4)), rng.normal(size=(30, 3))
    expected = np.zeros((3, 4))
    likely = [[np.exp(10 * s) / np.exp(10 * row).sum() for s in row] for row in similarities]
    for unit in range(3):
        ranked = sorted(range(30), key=lambda image: -activations[image, unit])[:5]
        for name in range(4):
            for place, image in enumerate(ranked):
                sure = 0.998 - place / 5 * (0.998 - 0.97)
                expected[unit, name] += np.log(sure * likely[image][name] + 1 - sure + 1e-7)
    expected -= np.log(np.exp(expected).mean(axis=0))
    np.testing.assert_allclose(soft_wpmi(similarities, activations, top=5), expected, rtol=1e-4)


def test_clearness_in_closed_form():
    axes = np.eye(4)
    one_meaning = np.stack([axes[0]] * 6)
    two_meanings = np.stack([axes[0]] * 3 + [axes[1]] * 3)
    found = clearness(np.stack([one_meaning, two_meanings]))
    assert found.clarity == pytest.approx([1, (2 * 3 * 2) / (6 * 5)])  # 12 of 30 ordered pairs are alike
    assert found.polysemanticity == pytest.approx([0, 1], abs=1e-6)
    assert found.redundancy == pytest.approx([2**-0.5] * 2)
    with pytest.raises(cb.ClipbenchError, match="two images"):
        clearness(np.zeros((3, 1, 4)))


def test_ranks_begin_with_the_largest():
    assert ranks(np.array([[1.0, 3.0, 2.0, 3.0]]), axis=1).tolist() == [[4, 1, 3, 2]]


@pytest.fixture(scope="module")
def photos(mini, tmp_path_factory):
    place = tmp_path_factory.mktemp("mini") / "store"
    list(sweep(mini, [one.path for one in cb.samples()[:12]], store=place))
    return Store.open(place, mini)


def test_weights_are_what_a_small_push_does(mini, photos):
    images = [photos.image(number) for number in (0, 5)]
    texts = mini.encode_text(["a photo of a dog", "a photo of an apple"])
    found = by_weights(mini, photos, mini.last_layer, texts, images)
    sd = photos.moments(mini.last_layer, "mean").sd
    unit, push = int(np.abs(found).min(axis=1).argmax()), 0.01  # it matters to both, so no slope is rounding
    cosines = []
    for sign in (-1, 1):
        with raised(mini, mini.last_layer, unit, sign * push):
            cosines.append((mini.encode_image(images) @ texts.T).mean(dim=0))
    slope = (cosines[1] - cosines[0]).numpy() / (2 * push)
    np.testing.assert_allclose(found[unit], slope * sd[unit], rtol=0.03, atol=1e-6)


def test_a_search_ranks_all_units_by_three_scores(mini, photos):
    found = search_units(mini, "dog", photos, mini.last_layer, others=["cat", "tower", "mug"], top=2000)
    assert len(found.matches) == found.units == mini.layer(mini.last_layer).channels
    for score in range(3):
        places = sorted(one.ranks[score] for one in found.matches)
        assert places == list(range(1, found.units + 1))
        by_place = sorted(found.matches, key=lambda one: one.ranks[score])
        values = [one.scores[score] for one in by_place]
        assert values == sorted(values, reverse=True)
    assert [one.ranks[1] for one in found.matches] == list(range(1, found.units + 1))  # by photos
    assert {one.votes for one in found.matches} >= {0, 1}
    assert all(one.votes == sum(place <= 12 for place in one.ranks) for one in found.matches)


def test_similar_units_are_those_that_correlate_and_that_push_alike(tiny, tmp_path):
    list(sweep(tiny, [one.path for one in cb.samples()[:12]], store=tmp_path / "store"))
    store = Store.open(tmp_path / "store", tiny)
    photos, weights = similar_units(tiny, "layer4:3", store, top=5)
    correlation = np.corrcoef(store.matrix("layer4").astype(np.float64).T)[3]
    order = [at for at in np.argsort(-correlation) if at != 3]
    assert photos.units == tuple(f"layer4:{at}" for at in order[:5])
    np.testing.assert_allclose(photos.likeness, correlation[order[:5]], atol=1e-3)
    pixels, units = tiny.pixels(points(store, 2)), (3, int(weights.units[0].partition(":")[2]))
    pushed = []
    for unit in units:
        ends = []
        for sign in (-1, 1):
            with raised(tiny, "layer4", unit, sign * 1e-2), torch.no_grad():
                ends.append(torch.nn.functional.normalize(embedded(tiny, pixels), dim=1).mean(dim=0))
        pushed.append(ends[1] - ends[0])
    likeness = torch.nn.functional.cosine_similarity(*pushed, dim=0)
    assert weights.likeness[0] == pytest.approx(likeness.item(), abs=0.02)


def raised(model, layer, unit, push):
    """While it is open, a unit is raised by that much at every position, behind its ReLU."""
    step = torch.zeros(1, model.layer(layer).channels, 1, 1)
    step[0, unit] = push
    return editing(model._tap(cb.models.Read(layer, relu=True)), lambda old: old + step)


def embedded(model, pixels):
    read = cb.models.Read("embedding")
    return model.read(pixels, [read])[read].flatten(1)


def test_a_picture_leads_to_the_units_that_it_excites(mini, photos):
    image = photos.image(3)
    found = excited_by(mini, image, photos, mini.last_layer, top=4)
    moments = photos.moments(mini.last_layer)
    values = mini.activations([image], mini.last_layer)[0].amax(dim=(1, 2)).numpy()
    sds = (values - moments.mean) / moments.sd
    assert [one.unit for one in found] == [f"{mini.last_layer}:{at}" for at in np.argsort(-sds)[:4]]
    assert found[0].map.max() == pytest.approx(found[0].value) and found[0].sd == pytest.approx(sds.max())


@pytest.mark.parametrize(
    ("ask", "sentence"),
    [
        (lambda mini, photos, control: search_units(control, "dog", photos, "conv_head"), "no text tower"),
        (lambda mini, photos, control: search_units(mini, " ", photos, "conv_head"), "no text to search"),
        (lambda mini, photos, control: search_units(mini, "dog", photos, "conv"), "unknown swept layer"),
        (lambda mini, photos, control: label_units(mini, ["dog"], photos, "conv_head"), "at least two"),
        (lambda mini, photos, control: label_units(mini, ["a", "b"], photos, "conv_head"), "too few"),
        (lambda mini, photos, control: excited_by(control, photos.image(0), photos, "conv_head"), "not of"),
    ],
)
def test_bad_questions_are_told_in_a_sentence(mini, control, photos, ask, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        ask(mini, photos, control)
