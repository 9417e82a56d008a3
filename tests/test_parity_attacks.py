"""The chapter of the ledger on attacks: what needs no weights agrees now, the rest would be noticed."""

from dataclasses import replace

import numpy as np
import pytest

import clipbench as cb
from clipbench.attacks import published
from clipbench.parity import attacks as chapter

RECORD = published.RECORDS / "stroop_experiment.json"


@pytest.fixture(scope="module")
def claims():
    return {claim.key: claim for claim in chapter.chapter().claims}


def test_every_claim_has_an_address_of_its_own_and_says_what_it_takes(claims):
    assert len(claims) == len(chapter.chapter().claims) > 200
    assert sum(claim.needs == "RN50x4" for claim in claims.values()) == 64 + 2 * 42
    assert claims["attacks/clean"].published == 0.742 and "not published" in claims["attacks/clean"].needs
    assert claims["stroop/red/green"].published == "green"


def test_what_needs_no_weights_is_recounted_and_agrees(claims):
    found = dict(chapter.chapter().recount())
    assert found.keys() == {key for key, claim in claims.items() if not claim.needs}
    differ = [key for key, value in found.items() if not claims[key].agrees(value)]
    assert differ == ["attacks/highest", "attacks/piggy bank/text"]
    assert all(claims[key].errs(found[key]) for key in differ)


def test_a_cover_by_another_recipe_would_be_noticed(claims, monkeypatch):
    monkeypatch.setattr(chapter, "ARTICLE", replace(chapter.ARTICLE, outline_width=3))
    found = dict(chapter.chapter().recount())
    wrong = {key for key, value in found.items() if not claims[key].agrees(value)}
    wrong -= {key for key in wrong if claims[key].erratum}
    assert wrong == {key for key in found if key.endswith("/cover")} and len(wrong) == 9


def test_a_model_that_answers_as_the_article_s_agrees_and_another_one_does_not(
    claims, chaos, monkeypatch, tmp_path
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # so that the nine shipped photos are taken
    record = published.stroop_record(RECORD)
    monkeypatch.setattr(chapter, "stroop", lambda _: record)
    found = dict(chapter.chapter().measure(chaos))
    cells = {key: value for key, value in found.items() if key.startswith("stroop/")}
    assert len(cells) == 64 and all(claims[key].agrees(value) for key, value in cells.items())
    monkeypatch.setattr(chapter, "stroop", lambda _: replace(record, probabilities=_reversed(record)))
    again = dict(chapter.chapter().measure(chaos))
    assert sum(claims[key].agrees(again[key]) for key in cells) < 16
    photos = {key for key in found if key.startswith("wild/")}
    seen = {key for key in photos if key.endswith("/zero-shot")}
    assert len(seen) == 9 and photos <= claims.keys()
    assert all(claims[key].needs == "RN50x4" for key in found)


def _reversed(record) -> np.ndarray:
    return record.probabilities[:, :, ::-1]


@pytest.fixture(scope="module")
def chaos():
    return cb.load("mini/random", device="cpu")
