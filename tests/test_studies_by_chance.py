"""Things, regions and emotions with random weights: each study finds what chance finds."""

from unittest.mock import patch

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

import clipbench as cb
from clipbench.intervals import usual
from clipbench.models import ClipModel
from clipbench.studies.country_units import country_units
from clipbench.studies.emotions import codes, wheel_words
from clipbench.studies.feeling_units import FeelingUnits, feeling_units
from clipbench.studies.multimodal import Multimodal, multimodal

SHUFFLINGS = 1000


def untaught_by(seed: int) -> ClipModel:
    """Mini's architecture with weights drawn with a seed, where `load` draws them with 0."""
    sown = torch.manual_seed
    with patch("torch.manual_seed", lambda _: sown(seed)):
        return cb.load("mini/random", device="cpu")


@pytest.fixture(scope="module")
def untaught():
    return cb.load("mini/random", device="cpu")


def chosen(found: Multimodal) -> np.ndarray:
    """(k,) for each thing the unit to which both its drawings and its words stand out most."""
    standing = [
        found.means[:, :, modality] / np.maximum(found.means[:, :, modality].std(axis=1, keepdims=True), 1e-9)
        for modality in (1, 2)
    ]
    centred = [own - own.mean(axis=1, keepdims=True) for own in standing]
    return np.minimum(*centred).argmax(axis=0)


def telling(model) -> tuple[float, np.ndarray]:
    """How well units tell photos of their own things from others, and (`SHUFFLINGS`,) of things dealt out.

    Areas under the curve of hits against false alarms, means over the things: 1 is always, 0.5 as by luck.
    """
    found = multimodal(model, cb.concepts(), model.last_layer, draws=1)
    photos = found.modality == 0
    shown, activations = found.concept[photos], found.activations[photos]
    units, rng = chosen(found), np.random.default_rng(0)
    things = np.arange(len(units))
    areas = np.array(
        [[roc_auc_score(shown == thing, activations[:, unit]) for thing in things] for unit in units]
    )
    dealt = [areas[things, rng.permutation(things)].mean() for _ in range(SHUFFLINGS)]
    return areas.diagonal().mean(), np.array(dealt)


def test_a_unit_chosen_by_drawings_and_words_tells_of_photos(mini):
    area, dealt = telling(mini)
    assert area > dealt.max()


def test_it_does_not_with_random_weights():
    """Over six draws of the weights, as forty-odd units of one network are few."""
    areas, dealt = zip(*(telling(untaught_by(seed)) for seed in range(6)), strict=True)
    assert len(set(areas)) == 6
    assert np.mean(areas) <= np.quantile(np.mean(dealt, axis=0), 0.95)


def test_units_for_countries_fall_to_chance(untaught):
    *_, last = country_units(untaught)
    found = last.result
    assert found.found.hits <= usual(found.permuted)[1]
    assert found.found_by_name.hits <= usual(found.permuted_by_name)[1]


def feelings_of(seed: int) -> FeelingUnits:
    """Feelings of mini's architecture with weights drawn with a seed."""
    model = untaught_by(seed)
    *_, last = codes(model, wheel_words())
    return feeling_units(model, last.result)


def test_codes_of_feelings_fall_to_chance():
    """Over six draws of the weights: thirty-odd words of one network are few, and share their faces."""
    found = [feelings_of(seed) for seed in range(6)]
    assert len({one.units for one in found}) == 6 and min(len(one.words) for one in found) > 30
    dealt = sum(np.roll(one.permuted, place) for place, one in enumerate(found))  # no two alike
    assert sum(one.found.hits for one in found) <= usual(dealt)[1]
