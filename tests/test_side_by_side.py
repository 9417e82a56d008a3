"""Units matched across models, on answers whose partners are known."""

import numpy as np
import pytest

import clipbench as cb
from clipbench.models import imagenet_labels
from clipbench.results import Provenance
from clipbench.studies.multimodal import Multimodal
from clipbench.studies.side_by_side import match_units, measure_all, taken_for, universality

N = 120


def seen(answers: np.ndarray, name: str) -> Multimodal:
    told, rows = Provenance(name, "0" * 12, "made up", n=N), np.arange(N)
    things = tuple(f"thing {number}" for number in range(N // 3))
    values = answers.astype(np.float32)
    return Multimodal("layer", things, values, rows // 3, rows % 3, np.zeros(1), told)


def test_units_in_another_order_and_scale_are_found_in_each_of_three_models():
    rng = np.random.default_rng(0)
    answers, orders = rng.normal(size=(N, 30)), [rng.permutation(30) for _ in range(3)]
    others = [seen(5 + 3 * answers[:, order], name) for order, name in zip(orders, "bcd", strict=True)]
    result = match_units([seen(answers, "a"), *others])
    for order, partners in zip(orders, result.partners, strict=True):
        assert order[partners].tolist() == list(range(30))
    assert result.likeness == pytest.approx(1, abs=1e-5) and result.above.tolist() == [1, 1, 1]
    assert [source.model for source in result.sources] == [*"abcd"] and len(result.captions) == 5
    assert [line.split(" have")[0] for line in result.summary] == ["100% of a's 30 units"] * 3


def test_units_that_every_model_has_come_first():
    """Unit 4 is in both other models, unit 9 in one of them alone, the rest in none."""
    rng = np.random.default_rng(2)
    first, second, third = rng.normal(size=(3, N, 12))
    second[:, 0], third[:, 7], second[:, 3] = first[:, 4], first[:, 4], first[:, 9]
    result = match_units([seen(first, "a"), seen(second, "b"), seen(third, "c")])
    (unit, partners), *_ = result.best(3)
    assert unit == 4 and [partner for partner, _ in partners] == [0, 7]
    assert [likeness for _, likeness in partners] == pytest.approx([1, 1], abs=1e-5)


def test_noise_has_no_partners_beyond_chance():
    rng = np.random.default_rng(1)
    result = match_units([seen(rng.normal(size=(N, 200)), name) for name in "ab"])
    assert result.above[0] < 0.12  # 5 % are expected
    assert np.median(result.likeness) == pytest.approx(result.chance[0, 0], abs=0.02)


def test_one_model_five_and_other_things_are_refused(tiny):
    one = seen(np.ones((N, 3)), "a")
    for results in ([one], [one] * 5):
        with pytest.raises(cb.ClipbenchError, match="two to 4 models, not"):
            match_units(results)
    with pytest.raises(cb.ClipbenchError, match="two to 4 models, not 1"):
        next(measure_all([tiny]))
    others = Multimodal(one.layer, one.concepts[::-1], one.activations, one.concept, one.modality,
                        one.permuted, one.provenance)  # fmt: skip
    with pytest.raises(cb.ClipbenchError, match="different things"):
        match_units([one, others])


def test_what_each_model_takes_the_same_pictures_for(tiny, mini):
    apple = cb.samples()[0].image
    *steps, last = taken_for([mini, tiny], [apple, cb.paper(apple, "iPod")])
    assert [step.done for step in steps] == [0, 1] and [one.model for one in last.result] == ["mini", "tiny"]
    labels = imagenet_labels()
    probabilities = cb.zero_shot(mini, [apple], labels)[0]
    (label, share), _ = last.result[0].answers
    assert label == labels[probabilities.argmax()] and share == pytest.approx(float(probabilities.max()))
    with pytest.raises(cb.ClipbenchError, match="two to 4 models, not 1"):
        next(taken_for([mini], [apple]))


def test_every_model_sees_every_picture(tiny):
    *steps, last = measure_all([tiny, tiny, tiny])
    assert last.done == last.total == 3 * last.result[0].provenance.n
    done = [step.done for step in steps]
    assert done == sorted(done) and all(step.result is None for step in steps)
    matched = match_units(last.result)
    moving = last.result[0].activations.std(axis=0) > 0
    assert matched.likeness[:, moving] == pytest.approx(1, abs=1e-5)


def test_things_that_every_model_has_come_first():
    def measured(owned: list[str]) -> Multimodal:
        """Units of which each answers to one thing in all three modalities."""
        things = ("cat", "dog", "owl", "pig")
        rows = [[1.0 if thing == own else 0.1 * place for own in owned] for place, thing in enumerate(things)
                for _ in range(3)]  # fmt: skip
        concept, modality = np.repeat(np.arange(4), 3), np.tile(np.arange(3), 4)
        told = Provenance("made up", "", "made up")
        return Multimodal("layer", things, np.array(rows, np.float32), concept, modality, np.zeros(1), told)

    first, second = measured(["cat", "dog"]), measured(["dog", "dog"])
    table = {row.concept: row for row in universality([first, second])}
    assert table["dog"].counts == (1, 2) and table["dog"].everywhere
    assert table["cat"].counts == (1, 0) and not table["cat"].everywhere
    assert next(iter(table)) in {row.concept for row in table.values() if row.everywhere}
    with pytest.raises(cb.ClipbenchError, match="two to 4 models, not 1"):
        universality([first])
