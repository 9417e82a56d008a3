"""Labels on pictures, against the article's published picture and numbers, and closed forms."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFont

from clipbench.attacks.published import RECORDS
from clipbench.errors import ClipbenchError
from clipbench.stimuli import ARTICLE, BAND, TAG, Recipe, Tag, cover, cut_off, label_width, overlay, paper
from clipbench.stimuli.lettering import FONTS, ink, load_font

PUBLISHED = Path(__file__).parent / "data" / "published"
GREY = Image.new("RGB", (288, 288), (100, 120, 140))


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB")).astype(int)


def changed(before: Image.Image, after: Image.Image) -> np.ndarray:
    return (pixels(before) != pixels(after)).any(axis=-1)


@pytest.fixture(scope="module")
def before() -> Image.Image:
    return Image.open(PUBLISHED / "attack_before.png")


@pytest.fixture(scope="module")
def after() -> Image.Image:
    return Image.open(PUBLISHED / "attack_after.png")


def letter_outlines(text: str) -> list[tuple[int, int]]:
    """Where the outline of each letter has its top left pixel, from the origin of the text."""
    face = load_font("DejaVu Sans", 20)
    pens = [face.getlength(text[:place]) for place in range(len(text))]
    corners = [ink(letter, "DejaVu Sans", 20, 2).corner for letter in text]
    return [(int(pen) + x, y) for pen, (x, y) in zip(pens, corners, strict=True)]


def test_the_article_s_picture_to_the_pixel(before, after):
    ours = overlay(before, "pizza")
    assert (changed(before, after) ^ changed(before, ours)).sum() <= 216
    white = (pixels(after) == 255).all(axis=-1)
    assert white.sum() > 500
    assert np.array_equal(white, (pixels(ours) == 255).all(axis=-1))


def test_only_the_freed_bytes_of_the_published_picture_differ(before, after):
    """Its renderer freed each outline before it read it, which spoilt the first eight bytes of each.

    In the letter i they still show the address that the allocator had left there.
    """
    spoilt = np.zeros((288, 288), dtype=bool)
    for x, y in ((20, 20), (70, 45), (20, 70), (70, 95), (120, 120), (170, 145), (120, 170), (170, 195)):
        for left, top in letter_outlines("pizza"):
            spoilt[y + 2 + top, x + 2 + left :][:8] = True
            width = ink("i", "DejaVu Sans", 20, 2).outline.width
            if (left, top) == letter_outlines("pizza")[1]:  # seven wide: the eighth is in the next row
                spoilt[y + 2 + top + 1, x + 2 + left : x + 2 + left + 8 - width] = True
    off = np.abs(pixels(overlay(before, "pizza")) - pixels(after)).max(axis=-1)
    assert off[spoilt].max() > 100
    assert off[~spoilt].max() <= 5  # two versions of FreeType round a few edges otherwise
    assert (off[~spoilt] > 0).sum() <= 30


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("pizza", "pizza"), ("radio", "radio"), ("rifle", "rifle"), ("waste container", "trash"),
        ("iPod", "iPod"), ("library", "library"), ("Siamese cat", "meow"), ("great white shark", "shark"),
        ("piggy bank", "$$$"),
    ],
)  # fmt: skip
def test_cover_is_near_the_published_mean(before, target, text):
    """Ours may be larger by the spoilt bytes, 8 a letter in 8 labels; one photo stands for 1,000."""
    published = json.loads((RECORDS / "small_attacks.json").read_text())["linear_probes"]["results"]
    mean = next(iter(published[target].values()))["avg_img_l0_norm_diff"]
    share = cover(before, overlay(before, text))
    assert -0.0005 < share - mean <= 64 * len(text) / 288**2


def test_cover_counts_a_pixel_once_and_by_any_amount():
    other = GREY.copy()
    other.putpixel((3, 4), (101, 120, 140))
    other.putpixel((5, 6), (0, 0, 0))
    assert cover(GREY, other) == 2 / 288**2
    assert cover(GREY, GREY) == 0
    with pytest.raises(ClipbenchError, match="288 × 288 and 10 × 20"):
        cover(GREY, Image.new("RGB", (10, 20)))


@pytest.mark.parametrize("opacity", [0, 0.25, 0.5, 1])
@pytest.mark.parametrize("lay", [overlay, paper])
def test_opacity_mixes_linearly(lay, opacity):
    expected = (1 - opacity) * pixels(GREY) + opacity * pixels(lay(GREY, "iPod"))
    assert np.abs(pixels(lay(GREY, "iPod", opacity=opacity)) - expected).max() <= 1


def test_the_recipe_grows_with_the_shorter_side_and_stays_in_the_central_square():
    small = changed(GREY, overlay(GREY, "iPod"))
    large = Image.new("RGB", (720, 576), (100, 120, 140))
    marks = changed(large, overlay(large, "iPod"))
    assert not marks[:, :72].any() and not marks[:, -72:].any()
    shrunk = marks[:, 72:-72].reshape(288, 2, 288, 2).mean(axis=(1, 3))
    assert abs(shrunk.mean() - small.mean()) < 0.007  # of 0.07: hinting snaps each size to its own pixels
    overlap = np.minimum(shrunk, small).sum() / np.maximum(shrunk, small).sum()
    assert overlap > 0.75


def test_places_are_the_centres_of_the_labels():
    picture = Image.new("RGB", (400, 300))
    mark = changed(picture, overlay(picture, "ooo", places=[(0.25, 0.5), (0.75, 0.5)]))
    for half, centre in ((mark[:, :200], 100), (mark[:, 200:], 100)):
        ys, xs = np.nonzero(half)
        assert abs((xs.min() + xs.max() + 1) / 2 - centre) <= 1
        assert abs((ys.min() + ys.max() + 1) / 2 - 150) <= 1


@pytest.mark.parametrize("lay", [overlay, paper])
def test_a_quarter_turn_turns_the_label(lay):
    place = {"places": (0.5, 0.5)} if lay is overlay else {}
    flat = changed(GREY, lay(GREY, "iPod", **place))
    turned = changed(GREY, lay(GREY, "iPod", rotation=90, **place))
    assert (np.rot90(flat) ^ turned).sum() / flat.sum() < 0.05  # a half pixel of rounding at its rim


def test_every_part_of_the_recipe_shows():
    plain = overlay(GREY, "iPod")
    for change in (
        {"font": "DejaVu Serif"}, {"font": FONTS["DejaVu Serif"]}, {"size": 30}, {"colour": "#ff0000"},
        {"opacity": 0.5}, {"outline_colour": "blue"}, {"outline_width": 3}, {"outline_width": 0},
        {"places": (0.5, 0.5)}, {"rotation": 10},
    ):  # fmt: skip
        assert changed(plain, overlay(GREY, "iPod", **change)).any(), change
    red = pixels(overlay(GREY, "iPod", colour="red", outline_width=0))
    ours = changed(GREY, Image.fromarray(red.astype(np.uint8)))
    assert (red[ours][:, 0] >= 100).all() and (red[ours][:, 1] <= 120).all()


def test_recipes_are_values_that_print_every_part():
    assert Recipe(places=[0.5, 0.5]) == Recipe(places=((0.5, 0.5),)) != ARTICLE
    assert hash(Recipe(places=[[0.1, 0.2]])) == hash(Recipe(places=[(0.1, 0.2)]))
    text = str(Recipe(size=31, opacity=0.7, places=(0.3, 0.4)))
    for part in ("DejaVu Sans", "size 31", "white", "opacity 0.7", "black", "0.3, 0.4"):
        assert part in text
    assert str(Tag(width=0.3)) != str(Tag(width=0.4))


def test_the_image_itself_stays_as_it_is():
    picture = GREY.copy()
    overlay(picture, "iPod"), paper(picture, "iPod")
    assert picture == GREY


def test_a_band_covers_its_share():
    share = cover(GREY, paper(GREY, "iPod", BAND))
    assert share == 0.5
    rows = changed(GREY, paper(GREY, "iPod", BAND, height=0.25, place=(0.5, 0.875))).any(axis=1)
    assert not rows[: 288 * 3 // 4].any() and rows[288 * 3 // 4 :].all()


@pytest.mark.parametrize("text", ["i", "iPod", "LIBRARY", "grand piano keyboard"])
def test_a_tag_has_its_width_and_holds_its_text(text):
    after = pixels(paper(GREY, text, width=0.5))
    ys, xs = np.nonzero((after != pixels(GREY)).any(axis=-1))
    assert xs.max() + 1 - xs.min() == 144
    tag = after[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    assert tag.shape[0] <= tag.shape[1]
    assert (tag[[0, -1]] == tag[0, 0]).all() and (tag[:, [0, -1]] == tag[0, 0]).all()  # a rim of bare paper
    assert tag[0, 0].min() > 230 and tag.min() < 60


@pytest.mark.parametrize("font", FONTS)
def test_the_layout_needs_no_libraqm(font):
    """With libraqm A and V would move together, without it they would not: machines would differ."""
    assert load_font(font, 20).layout_engine == ImageFont.Layout.BASIC


def test_the_ink_of_one_letter_is_pillow_s():
    drawn = load_font("DejaVu Serif", 40).getmask("g")
    ours = ink("g", "DejaVu Serif", 40).fill
    reference = Image.frombytes("L", drawn.size, bytes(drawn))
    assert ours.tobytes() == reference.crop(reference.getbbox()).tobytes()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no text"),
        ("   ", "no text"),
        ("日本 cat 日", "cannot draw '日本'"),
        ("two\nlines", r"cannot draw '\\n'"),
        ("tab\t", r"cannot draw '\\t'"),
        ("a\u200bb", "cannot draw"),
        ("שלום", "right to left"),
        ("x" * 201, "201 characters"),
    ],
)
@pytest.mark.parametrize("lay", [overlay, paper])
def test_text_that_cannot_be_drawn(lay, text, sentence):
    with pytest.raises(ClipbenchError, match=sentence):
        lay(GREY, text)


def test_text_that_can_be_drawn_is_drawn():
    assert cover(GREY, overlay(GREY, "Ärger $5 ½ Жук αβγ 😀 <b>")) > 0.05


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"size": 0}, "size must be above 0"),
        ({"size": -3}, "not -3"),
        ({"size": float("nan")}, "not nan"),
        ({"size": "20"}, "size must be"),
        ({"outline_width": -1}, "outline width must be at least 0"),
        ({"opacity": 1.5}, "at most 1, not 1.5"),
        ({"rotation": float("inf")}, "rotation"),
        ({"colour": "whit"}, "unknown colour 'whit'"),
        ({"outline_colour": 7}, "unknown colour 7"),
        ({"places": []}, "places must be"),
        ({"places": (0.5, 1.5)}, "places must be"),
        ({"places": "eight"}, "not 'eight'"),
        ({"places": (0.1, 0.2, 0.3, 0.4)}, "places must be"),
        ({"font": "DejaVu San"}, "did you mean 'DejaVu Sans'"),
        ({"font": "fonts/none.ttf"}, "no font file 'fonts/none.ttf'"),
        ({"font": __file__}, "not a font"),
    ],
)
def test_a_recipe_refuses_what_makes_no_sense(change, sentence):
    with pytest.raises(ClipbenchError, match=sentence):
        overlay(GREY, "iPod", **change)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"width": 0}, "width must be above 0"),
        ({"height": 2}, "height"),
        ({"place": (2, 0)}, "places must be"),
        ({"width": 0.02}, "too small"),
        ({"paper_colour": "paper"}, "unknown colour"),
    ],
)
def test_a_tag_refuses_what_makes_no_sense(change, sentence):
    with pytest.raises(ClipbenchError, match=sentence):
        paper(GREY, "iPod", **change)


def test_pictures_too_small_and_labels_too_large():
    with pytest.raises(ClipbenchError, match="cannot be drawn"):
        overlay(Image.new("RGB", (4, 4)), "iPod")
    with pytest.raises(ClipbenchError, match="make it shorter or smaller"):
        overlay(GREY.resize((400, 400)), "W" * 200, size=288)
    with pytest.raises(ClipbenchError, match="PIL image"):
        overlay("apple.jpg", "iPod")


def test_copies_are_the_first_places():
    eight, three = changed(GREY, overlay(GREY, "iPod")), changed(GREY, overlay(GREY, "iPod", copies=3))
    assert np.array_equal(three[:90], eight[:90]) and not three[100:].any()  # the fourth lies below row 95
    assert np.array_equal(changed(GREY, overlay(GREY, "iPod", copies=8)), eight)


def test_blur_spreads_the_ink_and_keeps_its_sum():
    centre = {"places": (0.5, 0.5), "outline_width": 0, "size": 40}
    black = Image.new("RGB", (288, 288))
    sharp, soft = (pixels(overlay(black, "iPod", blur=blur, **centre))[..., 0] for blur in (0, 3))
    assert soft.sum() == pytest.approx(sharp.sum(), rel=0.01)
    assert (soft > 0).sum() > 1.5 * (sharp > 0).sum() and soft.max() < sharp.max()
    centroids = [
        [(axis * mark).sum() / mark.sum() for axis in np.indices(mark.shape)] for mark in (sharp, soft)
    ]
    assert np.abs(np.subtract(*centroids)).max() < 0.1


def test_jpeg_is_pillow_s_at_that_quality():
    file = io.BytesIO()
    overlay(GREY, "iPod").save(file, format="JPEG", quality=30)
    assert np.array_equal(pixels(overlay(GREY, "iPod", jpeg=30)), pixels(Image.open(file)))


def test_a_text_that_is_too_wide_can_be_shrunk_to_the_picture():
    text = "a very long label that no picture holds"
    assert label_width(text, GREY.size) > 288
    mark = changed(GREY, overlay(GREY, text, shrink=True, places=(0.5, 0.5)))
    columns = np.flatnonzero(mark.any(axis=0))
    assert 270 < columns[-1] + 1 - columns[0] <= 288
    assert overlay(GREY, "iPod", shrink=True) == overlay(GREY, "iPod")


def test_a_text_that_is_too_wide_is_said_to_be_cut_off():
    text = "a very long label that no picture holds"
    (said,) = cut_off(text, GREY.size)
    assert f"is {label_width(text, GREY.size)} pixels wide and the picture 288" in said
    assert cut_off("iPod", GREY.size) == cut_off(text, GREY.size, Recipe(shrink=True)) == ()
    assert cut_off(text, GREY.size, TAG) == ()  # a tag's letters are fitted to it


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"copies": 0}, "copies must be at least 1"),
        ({"copies": 9}, "at most 8, not 9"),
        ({"copies": 2, "places": (0.5, 0.5)}, "at most 1, not 2"),
        ({"copies": 1.5}, "copies must be a whole number"),
        ({"blur": -1}, "blur must be at least 0"),
        ({"jpeg": 101}, "JPEG quality must be at least 1 and at most 100"),
    ],
)
def test_the_new_parts_refuse_what_makes_no_sense(change, sentence):
    with pytest.raises(ClipbenchError, match=sentence):
        overlay(GREY, "iPod", **change)
