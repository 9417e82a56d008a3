"""Figures show the numbers of a result, all of them, under their names."""

from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from clipbench import Provenance, figures
from clipbench.classify import BeforeAfter, Similarities
from clipbench.studies import Cell, Column

RESULT = BeforeAfter(
    ("mug", "apple", "iPod"),
    before=np.array([0.02, 0.9, 0.08], np.float32),
    after=np.array([0.04, 0.001, 0.959], np.float32),
    provenance=None,
)


def drawn(figure) -> list[tuple]:
    """From top to bottom: label, before, after."""
    before, after = figure.data
    axis = figure.layout.yaxis
    assert [before.name, after.name] == ["before", "after"]
    assert before.y == after.y == axis.tickvals and axis.range[0] > axis.range[1]
    return list(zip(axis.ticktext, before.x, after.x, strict=True))


def numbers(*rows):
    return [(label, pytest.approx(before), pytest.approx(after)) for label, before, after in rows]


def test_the_larger_of_two_probabilities_decides_the_order():
    figure = figures.before_after(RESULT)
    assert drawn(figure) == numbers(("iPod", 0.08, 0.959), ("apple", 0.9, 0.001), ("mug", 0.02, 0.04))
    assert [text.replace("\xa0", " ") for text in figure.data[1].text] == ["96 %", "< 1 %", "4 %"]


def test_another_figure_gives_the_order():
    figure = figures.before_after(RESULT, order=("laptop", "mug", "apple"))
    assert [label for label, *_ in drawn(figure)] == ["mug", "apple", "iPod"]


def test_a_label_is_text_and_a_long_one_takes_two_lines():
    labels = ("<b>bold</b>", "a rather long label that nobody would print")
    shares = np.array([0.6, 0.4], np.float32)
    figure = figures.before_after(BeforeAfter(labels, shares, shares, provenance=None))
    bold, long = figure.layout.yaxis.ticktext
    assert bold == "&lt;b&gt;bold&lt;/b&gt;"
    assert long.split("<br>") == ["a rather long label that", "nobody would print"]


@pytest.mark.parametrize("k", [1, 7, 100])
def test_each_label_has_room(k):
    shares = np.full(k, 1 / k, np.float32)
    figure = figures.before_after(BeforeAfter(tuple(map(str, range(k))), shares, shares, provenance=None))
    assert figure.layout.height / k >= 24  # two lines of 11 px and a little air


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (1e-9, "< 1 %"),
        (0.006, "1 %"),
        (0.5, "50 %"),
        (0.994, "99 %"),
        (0.9999, "> 99 %"),
        (1, "100 %"),
    ],
)
def test_percent_never_says_none_or_all_of_what_is_not(share, text):
    assert figures.percent(share).replace("\xa0", " ") == text


def a_column(concept: str, colours: tuple[str, ...] = ("red", "lime"), model: str = "mini") -> Column:
    """Three cells; in each as many pictures as colours, and in the second a cross."""
    images = tuple(Image.new("RGB", (400, 300), colour) for colour in colours)
    sds = tuple(float(number) - 0.5 for number in range(len(colours)))
    cells = tuple(Cell(images, sds, ticked) for ticked in (True, False, True))
    return Column(7, concept, cells, Provenance(model, "0" * 12, "planted", unit="conv_head:7"))


def cell_of(part) -> tuple[int, int]:
    return int(part.x), int(part.y)


def test_the_table_holds_every_picture_and_number_in_its_cell():
    figure = figures.multimodal_table([a_column("cat"), a_column("dog", ("blue",)), a_column("ox")])
    pictures = [cell_of(image) for image in figure.layout.images]
    texts = [(cell_of(each), each.text) for each in figure.layout.annotations]
    for column, row in [(column, row) for column in range(3) for row in range(3)]:
        wanted = ["−0.5"] if column == 1 else ["−0.5", "+0.5"]
        assert pictures.count((column, row)) == len(wanted)
        found = [text for at, text in texts if at == (column, row)]
        assert [text for text in found if text[0] in "+−"] == wanted
        marks = [text for text in found if "✓" in text or "✗" in text]
        colour, mark = (figures.CROSS, "✗") if row == 1 else (figures.TICK, "✓")
        assert marks == [f'<span style="color:{colour}">{mark}</span>']


def test_pictures_in_the_table_are_small_and_keep_colour_and_shape():
    figure = figures.multimodal_table([a_column("cat")])
    shown = [Image.open(BytesIO(b64decode(each.source.partition(",")[2]))) for each in figure.layout.images]
    assert {image.size for image in shown} == {(160, 120)}
    assert [image.getpixel((9, 9)) for image in shown[:2]] == [(255, 0, 0), (0, 255, 0)]
    places = [each.x for each in figure.layout.images[:2]]
    assert places == sorted(places)


def test_titles_in_the_table_name_model_unit_and_concept_as_text():
    columns = [a_column("<i>cat</i>", model="timm/tf_efficientnet_lite0"), a_column("dog")]
    figure = figures.multimodal_table(columns)
    titles = [each.text for each in figure.layout.annotations if "conv_head:7" in each.text]
    first = "timm<br>tf_efficientnet_lite0<br>conv_head:7<br>&lt;i&gt;cat&lt;/i&gt;"
    assert titles == [first, "mini<br>conv_head:7<br>dog"]
    assert figure.layout.margin.t >= 4 * 15  # the longer title fits above
    rows = [each.text for each in figure.layout.annotations if each.xanchor == "right"]
    assert rows == ["photos", "drawings", "words"]


MATRIX = Similarities(
    ("a cat", "<i>a dog</i>"),
    cosines=np.array([[0.3, -0.1], [-0.004, 0.2], [0.1, 0.12]], np.float32),
    weights=np.array([[0.6, -0.8, 0], [0, 0, 1]], np.float32),
    scale=46.0,
    provenance=None,
)
IMAGES = [Image.new("RGB", size) for size in ((8, 8), (900, 300), (20, 400))]


def test_a_matrix_has_a_row_for_a_text_and_a_column_below_an_image():
    figure = figures.similarities(MATRIX, IMAGES)
    (heat,) = figure.data
    np.testing.assert_array_equal(heat.z, MATRIX.cosines.T)
    assert heat.text == (["0.30", "0.00", "0.10"], ["−0.10", "0.20", "0.12"])
    axis = figure.layout.yaxis
    assert axis.ticktext == ("a cat", "&lt;i&gt;a dog&lt;/i&gt;") and axis.range[0] > axis.range[1]
    assert [picture.x for picture in figure.layout.images] == [0, 1, 2]


def test_the_most_similar_text_of_each_image_is_framed():
    frames = figures.similarities(MATRIX, IMAGES).layout.shapes
    middles = [((frame.x0 + frame.x1) / 2, (frame.y0 + frame.y1) / 2) for frame in frames]
    assert middles == [(0, 0), (1, 1), (2, 1)]


def test_predictions_are_in_per_cent_under_the_labels():
    figure = figures.predictions(MATRIX, IMAGES, names=("cat", "dog"))
    (heat,) = figure.data
    np.testing.assert_array_equal(heat.z, MATRIX.probabilities.T)
    odds = np.exp(46 * 0.02)  # of the third image, dog to cat
    assert [row[2].replace("\xa0", " ") for row in heat.text] == [
        f"{1 / (1 + odds):.0%}".replace("%", " %"),
        f"{odds / (1 + odds):.0%}".replace("%", " %"),
    ]
    assert figure.layout.yaxis.ticktext == ("cat", "dog")


def test_weights_are_all_there_and_zero_is_in_the_middle_of_the_colours():
    figure = figures.weights(MATRIX, names=("cat", "dog"))
    (heat,) = figure.data
    np.testing.assert_array_equal(heat.z, MATRIX.weights)
    assert heat.zmax == -heat.zmin > 0.8 and figure.layout.yaxis.ticktext == ("cat", "dog")


def test_a_long_caption_has_room_for_its_lines():
    long = Similarities(("a cat", "word " * 40), MATRIX.cosines, MATRIX.weights, 46.0, None)
    figure = figures.similarities(long, IMAGES)
    lines = figure.layout.yaxis.ticktext[1].count("<br>") + 1
    inside = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
    assert inside / 2 >= 16 * lines
