"""Units matched across models, on answers whose partners are known."""

import numpy as np
import pytest

import clipbench as cb
from clipbench.results import Provenance
from clipbench.studies.known_pictures import Shown
from clipbench.studies.multimodal import Multimodal
from clipbench.studies.side_by_side import match_units, universality

N = 120


def seen(answers: np.ndarray, name: str) -> Shown:
    told = Provenance(name, "0" * 12, "made up", n=N)
    return Shown("layer", len(answers), N, answers.astype(np.float32), told)


def test_units_in_another_order_and_scale_are_found():
    rng = np.random.default_rng(0)
    answers, order = rng.normal(size=(N, 30)), rng.permutation(30)
    result = match_units(seen(answers, "a"), seen(5 + 3 * answers[:, order], "b"))
    assert order[result.partners].tolist() == list(range(30))
    assert result.likeness == pytest.approx(1, abs=1e-5) and result.above == 1
    assert result.provenance.n == N and result.provenance.model == "a and b"


def test_noise_has_no_partners_beyond_chance():
    rng = np.random.default_rng(1)
    result = match_units(seen(rng.normal(size=(N, 200)), "a"), seen(rng.normal(size=(N, 200)), "b"))
    assert result.above < 0.12  # 5 % are expected
    assert np.median(result.likeness) == pytest.approx(result.chance[0], abs=0.02)


def test_a_stream_that_was_left_is_refused():
    half = seen(np.ones((N // 2, 3)), "a")
    with pytest.raises(cb.ClipbenchError, match="seen all pictures"):
        match_units(half, half)


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
    with pytest.raises(cb.ClipbenchError, match="two models at least"):
        universality([first])
