"""The sections on the article's studies: there where they apply, absent where they do not."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import clipbench as cb
from clipbench.report import Desk, studied
from clipbench.studies import MaximalText
from clipbench.studies.phrases import Phrase
from clipbench.studies.regions import country_names

TOLD = cb.Provenance("tiny", "0123456789ab", "made up", "layer3:3", n=1)
UNIT = cb.Unit("layer3", 3)


class Swept:
    """A store, as far as the sections ask."""

    title, layers = "a sweep", ("layer3",)

    def __init__(self, names, values):
        self.names = self.words = names
        self._values = np.asarray(values, np.float32)

    def unit(self, unit):
        return unit

    def column(self, unit):
        return self._values

    def provenance(self, layer, unit=None):
        return TOLD


def made(section, desk) -> studied.Part:
    *_, part = section(desk)
    return part


def words(lifted: int):
    """A thousand words besides the countries' names, of which some excite the unit and no other word does."""
    names = [name.lower() for name in country_names()]
    values = np.random.default_rng(0).normal(size=1000 + len(names))
    values[1000 : 1000 + lifted] = 50 + np.arange(lifted)
    return Swept([f"word{number}" for number in range(1000)] + names, values)


def test_countries_are_told_where_more_of_them_excite_the_unit_than_by_chance():
    part = made(studied.regions, SimpleNamespace(unit=UNIT, written=words(6)))
    content = part.content
    assert content["asked"] == content["known"] == 175 and content["above"] >= 6
    expected = [(country_names()[at], str(50 + at)) for at in range(5, -1, -1)]
    assert [row[:2] for row in content["top"]][:6] == expected
    assert part.pictures["regions/map"].startswith(b"\x89PNG")
    for store in (words(0), None):
        assert made(studied.regions, SimpleNamespace(unit=UNIT, written=store)).content == {}


def test_a_country_on_the_map_has_the_article_s_colour_and_one_not_asked_is_grey():
    sheet = studied._map({"Australia": 2.0, "Brazil": 0.0})
    at = {name: sheet.getpixel(((180 + east) * 2, (84 - north) * 2)) for name, east, north in
          (("Australia", 134, -25), ("Brazil", -53, -10), ("Canada", -110, 60), ("sea", -30, 0))}  # fmt: skip
    red, green, blue = at["Australia"]
    assert red > 150 and green < 90 and blue < 90  # one unit has the hue 0
    assert min(at["Brazil"]) > 230 and at["Canada"] == studied._UNASKED and at["sea"] == studied._SEA


def test_luck_is_that_of_the_binomial_distribution():
    from scipy.stats import binom

    assert studied._luck(5, 175, 0.01) == pytest.approx(binom.sf(4, 175, 0.01))
    assert studied._luck(0, 10, 0.5) == 1


def test_folders_are_labels_and_one_folder_has_none():
    values = [*np.linspace(4, 6, 40), *np.linspace(-1, 1, 40)]
    names = [f"{label}/{number}.jpg" for label in ("spider", "cat") for number in range(40)]
    content = made(studied.activation, SimpleNamespace(unit=UNIT, store=Swept(names, values))).content
    assert [label["name"] for label in content["labels"]] == ["spider", "cat"]
    assert [label["recall"] for label in content["labels"]] == [1, 0]
    assert content["columns"][0] == [0, 1] and content["columns"][-1] == [1, 0]
    flat = Swept([f"{number}.jpg" for number in range(80)], values)
    assert made(studied.activation, SimpleNamespace(unit=UNIT, store=flat)).content == {}


def test_a_thing_in_three_forms_is_that_of_the_study(tiny, tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    noise = [Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)) for _ in range(12)]
    things = [cb.Concept(f"thing {at}", *(noise[3 * at + form : 3 * at + form + 1] for form in range(3)))
              for at in range(4)]  # fmt: skip
    monkeypatch.setattr(studied, "concepts", lambda: things)
    desk = SimpleNamespace(unit=UNIT, model=tiny, folder=tmp_path)
    content = made(studied.multimodal, desk).content
    found = cb.multimodal(tiny, things, UNIT.layer)
    assert content["concept"] == found.best(3) and content["multimodal"] == (3 in found.units)
    monkeypatch.setattr(studied, "measure", lambda *_: pytest.fail("measured again"))
    other = SimpleNamespace(unit=cb.Unit("layer3", 5), model=tiny, folder=tmp_path)
    assert made(studied.multimodal, other).content["concept"] == found.best(5)
    assert made(studied.feelings, desk).content == {}  # it has no text tower


def test_the_text_that_was_given_is_told_and_that_of_another_unit_refused(tiny):
    phrases = (Phrase(("red", "spider"), 0.5, 9.0, 0.4), Phrase(("web",), 0.2, 1.0, 0.2))
    found = MaximalText(str(UNIT), phrases, (phrases[1],), (0.1, 0.6), 3, 9, (2.0, 1.0, 3.0), TOLD)
    part = made(studied.text, SimpleNamespace(text=found))
    assert part.content["phrases"] == [("red spider", "0.4", 1.0), ("web", "0.2", 0.5)]
    assert "place 3" in part.content["summary"][1] and "1 of 2 random" in part.content["summary"][2]
    assert made(studied.text, SimpleNamespace(text=None)).content == {}
    for unit, weights in (("layer3:4", tiny.weights_hash), (str(UNIT), "ba9876543210")):
        told = dataclasses.replace(TOLD, weights_hash=weights)
        other = dataclasses.replace(found, unit=unit, provenance=told)
        with pytest.raises(cb.ClipbenchError, match="look for that unit's"):
            Desk(tiny, UNIT, SimpleNamespace(is_of=lambda _: True), None, text=other)
