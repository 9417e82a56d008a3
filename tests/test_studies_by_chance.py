"""Conditional probability, regions and emotions with random weights: each finds what chance finds."""

from collections.abc import Sequence
from unittest.mock import patch

import numpy as np
import pytest
import torch

import clipbench as cb
from clipbench.intervals import usual
from clipbench.studies.conditional import known
from clipbench.studies.country_units import country_units
from clipbench.studies.emotions import codes, wheel_words
from clipbench.studies.feeling_units import FeelingUnits, feeling_units
from clipbench.studies.multimodal import Multimodal, multimodal

SHUFFLINGS = 40


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


def in_the_highest_bucket(found: Multimodal, units: Sequence[int], things: Sequence[int]) -> float:
    """How often a photo in a unit's highest bucket shows a thing: the mean over pairs of both."""
    photos, shares = found.modality == 0, []
    for unit, thing in zip(units, things, strict=True):
        labels = np.where(found.concept[photos] == thing, "it", "another").tolist()
        result = known(found.activations[photos, unit], labels, found.provenance, buckets=4)[1]
        shares.append(result.shares[result.labels.index("it"), np.flatnonzero(result.totals)[-1]])
    return float(np.mean(shares))


def above_chance(model) -> tuple[float, np.ndarray]:
    """The share for units and their own things, and (`SHUFFLINGS`,) for things dealt out among them."""
    found = multimodal(model, cb.concepts(), model.last_layer, draws=1)
    units, rng = chosen(found), np.random.default_rng(0)
    things = np.arange(len(units))
    dealt = [in_the_highest_bucket(found, units, rng.permutation(things)) for _ in range(SHUFFLINGS)]
    return in_the_highest_bucket(found, units, things), np.array(dealt)


def test_a_unit_chosen_by_drawings_and_words_tells_of_photos_only_in_a_taught_model(mini, untaught):
    """Its conditional plot over photos whose class is known: what is in the highest bucket?"""
    share, dealt = above_chance(mini)
    assert share > np.quantile(dealt, 0.95)
    share, dealt = above_chance(untaught)
    assert share <= np.quantile(dealt, 0.975)


def test_units_for_countries_fall_to_chance(untaught):
    *_, last = country_units(untaught)
    found = last.result
    assert found.found.hits <= usual(found.permuted)[1]
    assert found.found_by_name.hits <= usual(found.permuted_by_name)[1]


def feelings_of(seed: int) -> FeelingUnits:
    """Feelings of mini's architecture with weights drawn with a seed, where `load` draws them with 0."""
    sown = torch.manual_seed
    with patch("torch.manual_seed", lambda _: sown(seed)):
        model = cb.load("mini/random", device="cpu")
    *_, last = codes(model, wheel_words())
    return feeling_units(model, last.result)


def test_codes_of_feelings_fall_to_chance():
    """Over six draws of the weights: thirty-odd words of one network are few, and share their faces."""
    found = [feelings_of(seed) for seed in range(6)]
    assert len({one.units for one in found}) == 6 and min(len(one.words) for one in found) > 30
    dealt = sum(np.roll(one.permuted, place) for place, one in enumerate(found))  # no two alike
    assert sum(one.found.hits for one in found) <= usual(dealt)[1]
