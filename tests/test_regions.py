"""Region maps in the article's colours, and written names against what a made-up model must answer."""

import colorsys

import numpy as np
import pytest

import clipbench as cb
from clipbench.results import Provenance
from clipbench.studies import records, regions
from clipbench.studies.written_names import SIZES, Names, names, page

COLOURS = records.record("regions")["colours"]  # by the article's own JavaScript


def made_up(answers: np.ndarray, known: tuple[str, ...]) -> Names:
    return Names("layer", known, answers.astype(np.float32), Provenance("made up", "", "made up", n=1))


@pytest.mark.parametrize("place", range(66))
def test_a_map_has_the_colours_that_the_article_s_code_gives(place):
    unit = records.region_units()[place]
    for own, scale, table in (
        (unit.countries, 1, "places"), (unit.cities, 1, "places"), (unit.map.reshape(-1), 1.1, "map")
    ):  # fmt: skip
        drawn = regions.colours(scale * own[None] / 255)
        assert np.abs(drawn - np.array(COLOURS[table])[own]).max() < 1e-6


def test_several_units_mix_as_the_article_s_code_mixes_them():
    for answers, wanted in zip(records.record("regions")["mixes"], COLOURS["mixes"], strict=True):
        assert regions.colours(np.array(answers)[:, None] / 255)[0] == pytest.approx(wanted, abs=1e-5)


def test_units_that_oppose_each_other_turn_grey():
    both, alone = np.full((2, 1), 0.8), np.array([[0.8], [0.0]])
    assert regions.colours(both)[0, 1] < 1e-6 < 100 < regions.colours(alone)[0, 1]


def test_hues_become_pixels_as_python_s_own_library_has_them():
    rng = np.random.default_rng(0)
    hsl = np.column_stack([rng.uniform(-180, 180, 200), rng.uniform(0, 130, 200), rng.uniform(0, 100, 200)])
    for (hue, saturation, light), drawn in zip(hsl, regions.rgb(hsl), strict=True):
        wanted = colorsys.hls_to_rgb(hue % 360 / 360, light / 100, min(saturation, 100) / 100)
        assert drawn == pytest.approx(255 * np.array(wanted), abs=0.51)


def test_the_world_has_the_record_s_places():
    world = records.world()
    assert (len(world.countries), len(world.cities)) == (175, 620)
    assert world.countries[world.country("Australia")].name == "Australia"
    with pytest.raises(cb.ClipbenchError, match="unknown country 'Austrlia'; did you mean 'Australia'"):
        world.country("Austrlia")
    with pytest.raises(
        cb.ClipbenchError, match="unknown region unit 'RN50x4:863'; did you mean 'RN50x4:862'"
    ):
        records.region_unit("RN50x4:863")


def test_australia_s_unit_is_largest_in_australia():
    """The map without words, read off by where Australia lies, not by the record's order of names."""
    unit = records.region_unit("RN50x4:513")
    row, column = np.unravel_index(unit.map.argmax(), unit.map.shape)
    latitude, longitude = 90 - (row + 0.5) * 4.5, -180 + (column + 0.5) * 4.5
    assert -40 < latitude < -10 and 112 < longitude < 154
    assert regions.strongest(unit)[0][0] == "Australia"


def test_the_figure_has_every_country_and_the_visible_cities():
    drawn = regions.published_map([records.region_unit("RN50x4:862")])
    figure = cb.figures.world_map(drawn)
    areas, cities = figure.data[:-1], figure.data[-1]
    assert [area.text for area in areas] == list(regions.country_names())
    usa = next(area for area in areas if area.text == "United States of America")
    place = regions.country_names().index("United States of America")
    assert usa.fillcolor == "rgba({},{},{},0.9)".format(*drawn.countries[place].tolist())
    assert "Washington" in cities.text and len(cities.text) == (drawn.cities[:, 3] > 12).sum()
    with pytest.raises(cb.ClipbenchError, match="no region unit"):
        regions.published_map([])


def test_a_unit_is_found_by_what_it_answers_to_names():
    rng = np.random.default_rng(1)
    known, values = regions.country_names(), rng.normal(size=175)
    answers = rng.normal(size=(175, 20))
    answers[:, 7] = 3 * values - 5 + 0.1 * rng.normal(size=175)
    found = made_up(answers, known)
    unit, likeness, chance = found.nearest(values)
    assert (unit, likeness) == (7, pytest.approx(np.corrcoef(values, answers[:, 7])[0, 1], abs=1e-6))
    assert chance < likeness
    _, likeness, chance = made_up(rng.normal(size=(175, 20)), known).nearest(values)
    assert likeness < chance + 0.1  # noise is no match
    with pytest.raises(cb.ClipbenchError, match="all equal"):
        found.nearest(np.ones(175))
    drawn = regions.answered_map(found, [7])
    strongest = int(answers[:, 7].argmax())
    assert found.top(7, 1) == (known[strongest],)
    assert drawn.countries[strongest].tolist() == regions.rgb(regions.colours(np.ones((1, 1))))[0].tolist()
    with pytest.raises(cb.ClipbenchError, match="all 175 countries, and .* was not asked for"):
        regions.answered_map(made_up(answers[:2], known[:2]), [7])
    with pytest.raises(cb.ClipbenchError, match="unknown name 'Atlantis'"):
        found.only(["Atlantis"])


def test_a_map_of_cities_has_the_colours_of_their_answers():
    known = regions.place_names()
    assert len(known) == len(set(known)) and len(known) < 175 + 620  # some cities bear their country's name
    answers = np.zeros((len(known), 2))
    answers[[known.index("Paris"), known.index("Guatemala")], 1] = 1
    drawn = regions.answered_map(made_up(answers, known), [1])
    cities = [city.name for city in records.world().cities]
    shown = {cities[place] for place in np.flatnonzero(drawn.radii > 9)}
    assert shown == {"Paris", "Guatemala"}
    full = regions.rgb(regions.colours(np.ones((1, 1))))[0].tolist()
    assert drawn.countries[regions.country_names().index("Guatemala")].tolist() == full
    only = made_up(answers, known).only(regions.country_names())
    assert regions.answered_map(only, [1]).cities is None


def test_a_constant_unit_answers_to_no_name():
    found = made_up(np.ones((3, 2)), ("a", "b", "c"))
    assert found.sds(0).tolist() == [0, 0, 0]
    assert found.nearest(np.array([1.0, 2, 3]))[1] == 0


def test_a_long_name_stands_in_lines_that_all_fit():
    name = "Democratic Republic of the Congo"
    drawn = 255 - np.array(page(name, 0.5, 128).convert("L"), int)
    rows, columns = drawn.max(axis=1) > 128, drawn.max(axis=0) > 128
    lines = np.diff(rows.astype(int)).clip(0).sum()
    assert lines == 3 and rows.sum() < 64
    assert 0.4 * 128 < np.flatnonzero(columns).max() - np.flatnonzero(columns).min() <= 0.52 * 128
    for name in ("Peru", "disillusioned"):  # a word is never broken, however long
        assert page(name, 0.5, 128).tobytes() == cb.written(name, size=0.5, side=128).tobytes()


def test_names_are_read_as_largest_over_the_map_and_mean_over_the_sizes(tiny):
    layer = list(tiny.layers)[-1]
    *steps, last = names(tiny, ["Fiji", "Peru"], layer)
    assert last.done == last.total == 4 and all(step.result is None for step in steps)
    pages = [[cb.written(name, size=size, side=64) for size in SIZES] for name in ("Fiji", "Peru")]
    wanted = [tiny.activations(page, layer).amax(dim=(2, 3)).mean(dim=0).numpy() for page in pages]
    np.testing.assert_allclose(last.result.answers, wanted, atol=1e-5)
    with pytest.raises(cb.ClipbenchError, match="'Fiji' is there twice"):
        next(names(tiny, ["Fiji", "Fiji"], layer))
    with pytest.raises(cb.ClipbenchError, match="there are no names"):
        next(names(tiny, [], layer))
