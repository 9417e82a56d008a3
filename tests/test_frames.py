"""How pictures grow: frames, the files that show them, and their provenance in every format."""

import os
from base64 import b64decode
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import av
import numpy as np
import pytest
import torch
from PIL import Image

import clipbench as cb
from clipbench.optvis import Frames, Step
from clipbench.optvis.frames import film_steps, strip_steps
from clipbench.results import ENDINGS, Provenance, read_provenance

SVG = "{http://www.w3.org/2000/svg}"
COLOURS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)


@pytest.fixture
def provenance() -> Provenance:
    settings = {"plan": {"words": 'Ä "<spider>" 蜘蛛', "photo": "x" * 100_000}}
    return Provenance("mini", "0123456789ab", "channel(a:1), 9 steps", "a:1", 3, 2, settings=settings)


@pytest.fixture
def frames(provenance) -> Frames:
    """Two pictures of 31 × 31 px at three steps: plain colours, the second one step ahead."""
    places = np.array([[0, 1], [1, 2], [2, 0]])
    pixels = np.broadcast_to(COLOURS[places][:, :, None, None], (3, 2, 31, 31, 3))
    values = np.arange(6, dtype=np.float32).reshape(3, 2)
    return Frames(("a spider", "b <web>"), (0, 4, 9), values, pixels, provenance)


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_format_gives_its_provenance_back(frames, provenance, tmp_path, ending):
    path = frames.save(tmp_path / f"x{ending}")
    assert [file.name for file in tmp_path.iterdir()] == [f"x{ending}"]
    assert read_provenance(path) == provenance
    assert read_provenance(path.rename(tmp_path / "download")) == provenance, "a name may be anything"


def test_steps_become_frames(provenance):
    images = torch.rand(2, 2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    steps = [Step(number, torch.tensor([1.0, 2.0]), images[place]) for place, number in enumerate((0, 7))]
    frames = Frames.of(steps, ["a", "b"], provenance)
    assert frames.numbers == (0, 7) and frames.values.tolist() == [[1, 2], [1, 2]]
    wanted = np.floor(images.permute(0, 1, 3, 4, 2).numpy() * 255)
    assert np.array_equal(frames.pixels, wanted.astype(np.uint8))
    assert np.array_equal(np.asarray(frames.rows[1][0]), frames.pixels[0, 1])


def test_some_steps_can_be_taken_out_the_last_stays(frames):
    fewer = frames.only((0, 3, 5))
    assert fewer.numbers == (0, 9) and fewer.provenance is frames.provenance
    assert np.array_equal(fewer.pixels, frames.pixels[[0, 2]])
    assert np.array_equal(fewer.values, frames.values[[0, 2]])


def test_a_picture_alone_has_no_frame_around_it_and_more_lie_in_rows(frames):
    alone = Frames(("a",), (9,), frames.values[:1, :1], frames.pixels[2:, :1], frames.provenance)
    assert alone.sheets[0].size == (31, 31)
    both = np.asarray(frames.sheets[2])
    assert both.shape[1] > 2 * both.shape[0] - 10
    assert both[16, 16].tolist() == [0, 0, 255] and both[16, -16].tolist() == [255, 0, 0]


def test_a_png_shows_the_last_step(frames, tmp_path):
    with Image.open(frames.save(tmp_path / "x.png")) as image:
        assert np.array_equal(np.asarray(image), np.asarray(frames.sheets[2]))


def test_a_gif_shows_all_steps_and_rests_at_the_last(frames, tmp_path):
    with Image.open(frames.save(tmp_path / "x.gif")) as image:
        assert image.n_frames == 3 and image.info["loop"] == 0
        durations = []
        for number, sheet in enumerate(frames.sheets):
            image.seek(number)
            durations.append(image.info["duration"])
            shown = np.asarray(image.convert("RGB")).astype(int)
            assert np.abs(shown - np.asarray(sheet)).max() <= 2
    assert durations[0] == durations[1] < 100 < 1000 < durations[2]


def test_an_mp4_shows_all_steps_in_browsers_colours_and_even_sides(frames, tmp_path):
    path = frames.save(tmp_path / "x.mp4")
    with av.open(str(path)) as film:
        video = film.streams.video[0]
        assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
        shown = [frame.to_ndarray(format="rgb24").astype(int) for frame in film.decode(video)]
    rest = len(shown) - 3
    assert rest == 2 * video.average_rate, "two seconds of the last"
    for number, sheet in enumerate(frames.sheets):
        wanted = np.asarray(sheet).astype(int)
        even = [side - side % 2 for side in wanted.shape[:2]]
        assert list(shown[number].shape[:2]) == even
        for column in (16, even[1] - 16):
            assert np.abs(shown[number][16, column] - wanted[16, column]).max() < 12


def test_an_svg_is_a_table_without_loss_that_needs_no_other_file(frames, tmp_path):
    root = ElementTree.parse(frames.save(tmp_path / "x.svg")).getroot()
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert words == ["noise", "step 4", "step 9", "a spider", "b <web>", "mini 01234567"]
    images = list(root.iter(f"{SVG}image"))
    places = [(float(image.get("y")), float(image.get("x"))) for image in images]
    assert places == sorted(places) and len(set(places)) == 6
    width, height = float(root.get("width")), float(root.get("height"))
    assert all(left + 31 <= width and top + 31 + 14 <= height for top, left in places)
    for number, image in enumerate(images):
        kind, _, content = image.get("href").partition(";base64,")
        shown = Image.open(BytesIO(b64decode(content)))
        assert kind == "data:image/png"
        assert np.array_equal(np.asarray(shown), frames.pixels[number % 3, number // 3])


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_transparent_picture_goes_into_every_format(frames, tmp_path, ending):
    clear = np.concatenate([frames.pixels, np.zeros((3, 2, 31, 31, 1), np.uint8)], axis=-1)
    path = replace(frames, pixels=clear).save(tmp_path / f"x{ending}")
    if ending in (".png", ".gif"):
        with Image.open(path) as image:
            corner = image.convert("RGBA").getpixel((16, 16))
        assert corner == ((0, 0, 255, 0) if ending == ".png" else (255, 255, 255, 255))


@pytest.mark.parametrize("ending", ENDINGS)
def test_on_a_full_disk_the_old_file_stays(frames, tmp_path, monkeypatch, ending):
    path = tmp_path / f"x{ending}"
    path.write_bytes(b"old")

    def full(self, content):
        with self.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(cb.ClipbenchError, match="cannot write .* .No space left on device.; name a folder"):
        frames.save(path)
    assert path.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_foreign_or_broken_file_gets_one_sentence(frames, tmp_path, ending):
    whole = frames.save(tmp_path / f"whole{ending}").read_bytes()
    for name, content in (("cut", whole[:200]), ("empty", b""), ("text", b"hello")):
        path = tmp_path / f"{name}{ending}"
        path.write_bytes(content)
        with pytest.raises(cb.ClipbenchError, match="is not a picture that clipbench has written"):
            read_provenance(path)
    with pytest.raises(cb.ClipbenchError, match="there is no file"):
        read_provenance(tmp_path / f"no{ending}")


def test_another_ending_is_refused(frames, tmp_path):
    with pytest.raises(cb.ClipbenchError, match="does not end in .png, .gif, .mp4, .svg; write FILE.png"):
        frames.save(tmp_path / "x.webm")


def test_films_and_strips_show_the_start_and_the_end():
    assert strip_steps(2048) == (0, 4, 48, 2048) and strip_steps(256) == (0, 4, 48, 256)
    assert strip_steps(1) == film_steps(1) == (0, 1) and strip_steps(0) == film_steps(0) == (0,)
    film = np.array(film_steps(2048))
    assert film[0] == 0 and film[-1] == 2048 and len(set(film)) == len(film)
    for power in range(3, 11):  # seven in each doubling; those below are whole numbers close together
        assert ((film >= 2**power) & (film < 2 ** (power + 1))).sum() == 7
    assert set(film_steps(300)) - {300} <= set(film), "those of a longer film are kept on the way"


def test_the_figure_shows_every_picture_at_its_row_and_column(frames):
    figure = cb.figures.growth(frames)
    assert [note.text for note in figure.layout.annotations[:3]] == ["noise", "step 4", "step 9"]
    assert "b &lt;web&gt;" in [note.text for note in figure.layout.annotations]
    assert figure.layout.annotations[-1].text == "mini 01234567"
    shown = figure.layout.images
    assert [int(image.x) for image in shown] == [0, 1, 2, 0, 1, 2]
    assert [int(image.y) for image in shown] == [0, 0, 0, 1, 1, 1]
    for image in shown:
        assert image.x + image.sizex <= int(image.x) + 1 and image.y + image.sizey <= int(image.y) + 1
