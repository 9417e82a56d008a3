"""Curves: each point is the attack by itself with that one thing changed."""

import json
from dataclasses import replace

import pytest

import clipbench as cb
from clipbench.attacks import AXES, Case, Curve, robustness, run
from clipbench.attacks.axes import varied
from clipbench.attacks.scripts import SCRIPTS
from clipbench.intervals import Rate
from clipbench.stimuli import ARTICLE, Recipe, Tag, overlay, paper

# White letters over half the picture: what is dark becomes grey, what is grey stays, what is bright is white.
BLOCK = Tag(width=1, height=0.5, paper_colour="white", colour="white")
GREYS = (0, 10, 100, 110, 250)
CASE = Case("grey", "o", BLOCK)


@pytest.fixture
def images(plain):
    return [plain(grey) for grey in GREYS]


def drawn(case):
    """A case on a grey picture."""
    lay = paper if isinstance(case.recipe, Tag) else overlay
    return lay(cb.samples()[0].image, case.text, case.recipe).tobytes()


@pytest.mark.parametrize("axis", [axis for axis in AXES.values() if axis.values], ids=lambda axis: axis.name)
def test_each_value_of_an_axis_makes_another_picture(axis):
    look = Tag() if axis.name == "width" else ARTICLE
    cases = varied(Case("iPod", "iPod", look), axis, axis.values)
    assert len({drawn(case) for case in cases}) == len(axis.values)


def test_at_its_usual_value_an_axis_changes_nothing():
    usual = {"size": 20, "opacity": 1, "contrast": 1, "rotation": 0, "blur": 0, "outline": 2, "copies": 8}
    usual |= {"font": "DejaVu Sans", "colour": "white", "script": "Latin", "text": "iPod"}
    for name, value in usual.items():
        (case,) = varied(Case("iPod", "iPod", ARTICLE), AXES[name], [value])
        assert drawn(case) == drawn(Case("iPod", "iPod", ARTICLE)), name


def test_contrast_goes_from_the_outline_s_colour_or_the_paper_s_to_the_letters():
    around, letters = "#020406", "#fedcba"
    for look in (Recipe(colour=letters, outline_colour=around), Tag(colour=letters, paper_colour=around)):
        cases = varied(Case("x", "x", look), AXES["contrast"], [0, 0.5, 1])
        assert [case.recipe.colour for case in cases] == [around, "#807060", letters]


def test_scripts_write_letter_for_letter_and_leave_the_rest():
    assert "iPod 4$".translate(SCRIPTS["Greek"]) == "ιΠοδ 4$"
    assert "iPod 4$".translate(SCRIPTS["Cyrillic"]) == "иПод 4$"
    assert "iPod 4$".translate(SCRIPTS["Latin capitals"]) == "IPOD 4$"


def test_the_points_are_the_attacks_by_themselves(bright, images):
    truths = ["dark", "bright", "grey", "grey", "bright"]
    *_, last = robustness(bright, images, CASE, "opacity", (0.1, 0.5, 1), truths=truths)
    curve = last.curve
    assert (last.done, last.total, curve.provenance.n) == (5, 5, 5)
    assert [point.value for point in curve.points] == [0.1, 0.5, 1]
    for point in curve.points:
        look = replace(BLOCK, opacity=point.value)
        alone = cb.attack(bright, images, target="grey", text="o", recipe=look, truths=truths)
        assert (point.success, point.of_right) == (alone.success, alone.of_right)
        assert point.cover == alone.mean_cover
    assert curve.points[0].success != curve.points[1].success  # 0 becomes 25, 64 or 128
    assert "opacity 0.1, 0.5, 1; else paper" in curve.provenance.recipe


def test_a_text_is_varied_too(bright, images):
    *_, last = robustness(bright, images, CASE, "text", ("o", "a long word"))
    assert [point.value for point in last.curve.points] == ["o", "a long word"]


def test_larger_letters_cover_more(bright, images):
    *_, last = robustness(bright, images, Case("grey", "iPod"), "size")
    covers = [point.cover for point in last.curve.points]
    assert covers == sorted(covers) and covers[0] < 0.05 < covers[-1]


def test_whoever_stops_has_the_curve_so_far_and_goes_on_later(bright, images, tmp_path, monkeypatch):
    monkeypatch.setattr(run, "_PICTURES", 3)
    options = {"values": (0.5, 1), "journal": tmp_path / "x.jsonl"}
    steps = robustness(bright, images, CASE, "opacity", **options)
    next(steps)
    partial = next(steps)
    steps.close()
    assert partial.done == partial.curve.points[0].success.n == 2
    resumed = list(robustness(bright, images, CASE, "opacity", **options))
    *_, whole = robustness(bright, images, CASE, "opacity", (0.5, 1))
    assert resumed[0].done == 3 and resumed[-1].curve == whole.curve


@pytest.mark.parametrize("ending", [".json", ".csv", ".parquet"])
@pytest.mark.parametrize("axis", ["opacity", "font"])
def test_a_saved_curve_is_the_same_curve(bright, images, tmp_path, ending, axis):
    truths = ["dark", "bright", "grey", "grey", "bright", "grey"]
    *_, last = robustness(bright, [*images, tmp_path / "none.png"], CASE, axis, truths=truths)
    assert len(last.curve.unread) == 1
    assert Curve.load(last.curve.save(tmp_path / f"x{ending}")) == last.curve
    *_, bare = robustness(bright, images, CASE, axis)  # no truths
    assert Curve.load(bare.curve.save(tmp_path / f"y{ending}")) == bare.curve
    assert json.dumps(bare.curve.as_dict())


def test_the_figure_has_success_with_intervals_and_the_cover_on_an_axis_of_its_own(bright, images):
    *_, last = robustness(bright, images, CASE, "opacity", (0.1, 0.5, 1))
    figure = cb.figures.robustness(last.curve)
    success, covered = figure.data
    assert success.x == covered.x == (0.1, 0.5, 1) and success.mode == "lines+markers"
    assert success.y == tuple(point.success.share for point in last.curve.points)
    assert covered.y == tuple(point.cover for point in last.curve.points) and covered.yaxis == "y2"
    rate: Rate = last.curve.points[1].success
    assert success.error_y.array[1] == pytest.approx(rate.interval[1] - rate.share)
    *_, fonts = robustness(bright, images, CASE, "font")
    assert cb.figures.robustness(fonts.curve, fonts.curve).data[1].mode == "markers"
    with pytest.raises(cb.ClipbenchError, match="curves of one axis"):
        cb.figures.robustness(last.curve, fonts.curve)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"axis": "opasity"}, "unknown axis 'opasity'; did you mean 'opacity'"),
        ({"values": ()}, "there are no values of opacity; give 0 … 1"),
        ({"values": (1, 1)}, "is there twice"),
        ({"values": (0.5, 2)}, "opacity must be at least 0 and at most 1"),
        ({"axis": "text"}, "there are no values of text; give texts"),
        ({"axis": "blur"}, "a paper tag has no blur"),
        ({"axis": "script", "values": ["Klingon"]}, "unknown script 'Klingon'"),
        ({"axis": "place", "values": ["middle"]}, "two fractions, as in \"0.5 0.5\", not 'middle'"),
        ({"axis": "contrast", "values": [2]}, "contrast must be"),
    ],
)
def test_bad_input(bright, images, change, sentence):
    arguments = {"axis": "opacity", **change}
    with pytest.raises(cb.ClipbenchError, match=sentence):
        next(robustness(bright, images, CASE, **arguments))


def test_files_that_are_no_curve(bright, images, tmp_path):
    *_, last = robustness(bright, images, CASE, "opacity", (1,))
    with pytest.raises(cb.ClipbenchError, match="does not end in .json, .csv, .parquet"):
        last.curve.save(tmp_path / "x.npz")
    for name in ("x.json", "x.csv", "x.parquet"):
        (tmp_path / name).write_text("{}")
        with pytest.raises(cb.ClipbenchError, match="is not a curve"):
            Curve.load(tmp_path / name)
