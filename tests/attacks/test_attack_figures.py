"""Figures of the typographic lab show the numbers of a result, under their names."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import clipbench as cb
from clipbench import Provenance, figures
from clipbench.attacks import SearchResult, Why, published, shipped_photos
from clipbench.attacks.search_result import Found
from clipbench.intervals import Rate

PROVENANCE = Provenance("a model", "hash", "a recipe", n=1)


def test_a_photo_finds_its_card_in_the_record():
    photos = shipped_photos()
    found = [(card.item, card.label) for card in published.cards_of(photos)]
    assert found == [(photo.item, photo.word.lower() or "blank") for photo in photos]
    assert published.cards_of(photos[1:2])[0].winner("zero_shot") == "iPod"
    with pytest.raises(cb.ClipbenchError, match="no record of apple with meow"):
        published.cards_of([replace(photos[0], word="meow")])


def test_a_table_of_a_thing_has_all_answers_below_their_photo():
    photos = shipped_photos()[:3]
    theirs = [card.zero_shot for card in published.cards_of(photos)]
    mine = [{"Granny Smith": 0.9, "a <b>fruit</b>": 0.1}] * 3
    figure = figures.thing_table(photos, {"mine": mine, "theirs": theirs})
    labels = list(figure.layout.yaxis.ticktext)
    assert labels[0] == "Granny Smith" and {"iPod", "library"} < set(labels) and "toaster" not in labels
    assert "a &lt;b&gt;fruit&lt;/b&gt;" in [label.replace("<br>", " ") for label in labels]
    assert [bar.name for bar in figure.data] == ["mine"] * 3 + ["theirs"] * 3
    ipod = figure.data[4]  # theirs, below the second photo
    assert ipod.xaxis == "x2" and ipod.x[labels.index("iPod")] == pytest.approx(theirs[1]["iPod"])
    assert ipod.text[labels.index("iPod")] == "<b>> 99\xa0%</b>"
    assert [note.text for note in figure.layout.annotations] == ["no word", "iPod", "library"]
    waiting = figures.thing_table(photos, {"mine": (), "theirs": theirs})
    assert len(waiting.data) == 6 and set(waiting.data[0].x) == {0}


def test_the_texts_that_were_found_stand_in_their_order_and_the_own_name_is_marked():
    found = [
        Found(text, Rate(hits, 28), Rate(hits, 28), 0, 0, ("units",))
        for text, hits in (("pizzas", 20), ("pizza", 14))
    ]
    figure = figures.search(SearchResult("pizza", tuple(found), {"units": 1}, 0, (), PROVENANCE))
    (bars,) = figure.data
    assert figure.layout.yaxis.ticktext == ("pizzas", "pizza") and bars.text == ("20 of 28", "14 of 28")
    assert bars.x == pytest.approx((20 / 28, 0.5)) and len(set(bars.marker.color)) == 2
    assert bars.error_x.array[1] == pytest.approx(Rate(14, 28).interval[1] - 0.5)


def test_units_are_drawn_with_what_they_added_and_places_with_their_sign():
    added = np.array([[0.5, -1.0, 2.5]], np.float32)
    places = np.array([[[1.0, -4.0], [0.0, 5.0]]], np.float32)
    result = Why("layer", added, places, np.array([2.0], np.float32), "iPod", ("apple",), PROVENANCE)
    (bars,) = figures.why(result, k=3).data
    assert (
        bars.x == (2.5, 0.5, -1.0) and bars.text[0] == "+2.50 (125\xa0%)" and bars.text[2].startswith("−1.00")
    )
    heat = figures.places(result, Image.new("RGB", (8, 8)))
    assert np.array_equal(heat.data[0].z, places[0]) and (heat.data[0].zmin, heat.data[0].zmax) == (-5, 5)
    assert heat.layout.yaxis.range == (1.5, -0.5)  # the first row on top, as in the picture


def test_the_curve_over_opacity_is_in_order_of_the_opacity():
    full = published.stroop_record(published.RECORDS / "stroop_experiment.json")
    faint = replace(
        full, probabilities=np.full_like(full.probabilities, 1 / 8)
    )  # always the first ink, black
    lines = {line.name: line for line in figures.stroop_opacity({1.0: full, 0.1: faint}).data}
    word = lines["word, where they disagree"]
    assert word.x == (0.1, 1.0) and word.y == (faint.word.share, full.word.share) and full.word.share > 0.5
    neutral = lines["ink of a neutral word"]
    assert neutral.y[0] == 1 / 8 and neutral.error_y.array[0] == pytest.approx(Rate(1, 8).interval[1] - 1 / 8)
