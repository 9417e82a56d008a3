"""Reading pictures of every kind, each made here by Pillow or NumPy; the values are worked out by hand."""

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from clipbench.errors import ClipbenchError
from clipbench.stimuli import Photo, read_image
from clipbench.stimuli.images import MAX_SIDE


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def empty_png(width: int, height: int) -> bytes:
    """A PNG that says how large it is, and has nothing in it."""
    chunks = b""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    for name, body in ((b"IHDR", header), (b"IDAT", zlib.compress(b""))):
        chunks += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.fixture
def halves() -> Image.Image:
    """40 × 20, red on the left, blue on the right."""
    image = Image.new("RGB", (40, 20), (255, 0, 0))
    image.paste((0, 0, 255), (20, 0, 40, 20))
    return image


def test_each_kind_of_source_gives_the_same_picture(tmp_path, halves):
    path = tmp_path / "halves <b>.png"
    halves.save(path)
    with path.open("rb") as file:
        photos = [read_image(source) for source in (path, str(path), path.read_bytes(), file, halves)]
    assert all(photo.image.tobytes() == halves.tobytes() for photo in photos)
    assert [photo.name for photo in photos] == [path.name, path.name, "image", path.name, "image"]
    assert all(photo.notes == () for photo in photos)
    upload = read_image(memoryview(path.read_bytes()), name="mine.png")
    assert upload.name == "mine.png" and upload.image.tobytes() == halves.tobytes()


def test_a_picture_is_turned_as_its_exif_says(halves):
    exif = Image.Exif()
    exif[0x0112] = 6  # "the camera was turned": the left of the file is the top of the picture
    image = read_image(encoded(halves, "JPEG", exif=exif, quality=95)).image
    assert image.size == (20, 40)
    top, bottom = np.asarray(image)[5, 10], np.asarray(image)[35, 10]
    assert top[0] > 200 and top[2] < 50 and bottom[2] > 200 and bottom[0] < 50


def test_the_given_image_stays_as_it_is(halves):
    big = halves.resize((4096, 2048))
    before = big.tobytes()
    assert read_image(big).image.size == (2048, 1024)
    assert big.size == (4096, 2048) and big.tobytes() == before


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        ("RGBA", (200, 100, 0, 0), (255, 255, 255)),
        ("RGBA", (200, 100, 0, 51), (244, 224, 204)),  # 1/5 of the colour, 4/5 white
        ("LA", (0, 102), (153, 153, 153)),
        ("L", 77, (77, 77, 77)),
        ("1", 1, (255, 255, 255)),
        ("CMYK", (0, 255, 255, 0), (255, 0, 0)),
        ("I;16", 257 * 100, (100, 100, 100)),
        ("I", 257 * 100, (100, 100, 100)),
        ("I", 200, (1, 1, 1)),  # nearly black: a range is never guessed from an integer picture
        ("F", 0.2, (51, 51, 51)),
        ("F", 51.0, (51, 51, 51)),
    ],
)
def test_modes(mode, value, expected):
    image = read_image(Image.new(mode, (3, 2), value)).image
    assert image.mode == "RGB" and image.size == (3, 2)
    assert np.abs(np.asarray(image).astype(int) - expected).max() <= 1


def test_values_outside_of_every_range_are_stretched():
    ramp = np.array([[-3.0, 0.0, 3.0]], dtype=np.float32)
    black, middle, white = np.asarray(read_image(Image.fromarray(ramp)).image)[0, :, 0].tolist()
    assert black == 0 and middle in (127, 128) and white == 255
    flat = np.full((2, 2), -7, dtype=np.int32)
    assert read_image(Image.fromarray(flat)).image.size == (2, 2)
    with pytest.raises(ClipbenchError, match="not finite"):
        read_image(Image.fromarray(np.array([[1.0, np.nan]], dtype=np.float32)))


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_16_bit_file(kind):
    levels = np.arange(0, 65536, 4369, dtype=np.uint16).reshape(4, 4)  # 16 steps of 17 × 257
    image = read_image(encoded(Image.fromarray(levels), kind)).image
    assert np.asarray(image)[..., 1].ravel().tolist() == list(range(0, 256, 17))


def test_a_palette_with_a_clear_colour():
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((1, 0), 1)
    photo = read_image(encoded(image, "PNG", transparency=0))
    assert np.asarray(photo.image)[0].tolist() == [[255, 255, 255], [200, 100, 50]]


def test_cmyk_jpeg(halves):
    image = np.asarray(read_image(encoded(halves.convert("CMYK"), "JPEG", quality=95)).image).astype(int)
    assert np.abs(image[10, 5] - (255, 0, 0)).max() < 12 and np.abs(image[10, 35] - (0, 0, 255)).max() < 12


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_the_first_frame_of_an_animation(kind):
    frames = [Image.new("RGB", (8, 8), (20 * step, 0, 0)) for step in range(12)]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, **options)
    photo = read_image(data)
    assert photo.notes == ("animated: the first of 12 frames is used",)
    assert photo.image.getpixel((4, 4)) == (0, 0, 0)


@pytest.mark.parametrize("kind", ["TIFF", "MPO"])  # MPO: two JPEGs in one file, as some phones write them
def test_the_first_picture_of_several(kind, halves):
    other = halves.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    photo = read_image(encoded(halves, kind, save_all=True, append_images=[other, other]))
    assert photo.notes == ("the first of the 3 pictures in the file is used",)
    assert photo.image.getpixel((5, 10))[0] > 200 and photo.image.getpixel((35, 10))[2] > 200


def test_a_large_picture_is_scaled_down_and_says_so():
    photo = read_image(encoded(Image.new("L", (5000, 2500), 90), "JPEG"))
    assert photo.image.size == (MAX_SIDE, MAX_SIDE // 2)
    assert photo.notes == ("scaled down from 5000 × 2500 to 2048 × 1024 pixels",)
    assert photo.image.getpixel((100, 100)) == (90, 90, 90)


def test_a_thin_picture_keeps_a_pixel():
    assert read_image(Image.new("RGB", (1, 9000))).image.size == (1, MAX_SIDE)


# above our limit; where Pillow warns; where Pillow raises
@pytest.mark.parametrize("size", [(9000, 9000), (12000, 12000), (40000, 40000)])
def test_too_many_pixels(size):
    with warnings.catch_warnings(record=True) as leaked:
        warnings.simplefilter("always")
        with pytest.raises(ClipbenchError, match="'bomb.png' has more than 80 million pixels"):
            read_image(empty_png(*size), name="bomb.png")
    assert not leaked


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "'x.jpg' is empty"),
        (b"hello", "'x.jpg' is not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "'x.jpg' is not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "'x.jpg' is not a picture"),
        (empty_png(10, 10), "'x.jpg' is damaged"),
    ],
)
def test_what_is_no_picture(data, sentence):
    with pytest.raises(ClipbenchError, match=sentence):
        read_image(data, name="x.jpg")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM"])
def test_a_file_cut_short_at_any_place(kind):
    noise = np.random.default_rng(0).integers(0, 255, (60, 60, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    for share in (0.01, 0.1, 0.3, 0.6, 0.9):
        with pytest.raises(ClipbenchError, match="'cut' is (damaged|not a picture)"):
            read_image(data[: int(share * len(data))], name="cut")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF"])
def test_scrambled_bytes_give_a_picture_or_a_sentence(kind, halves):
    rng = np.random.default_rng(1)
    whole = np.frombuffer(encoded(halves, kind), dtype=np.uint8)
    for _ in range(60):
        data = whole.copy()
        data[rng.integers(0, len(data), 4)] = rng.integers(0, 255, 4)
        try:
            photo = read_image(data.tobytes())
        except ClipbenchError as error:
            assert str(error).startswith("'image'")
        else:
            assert isinstance(photo, Photo) and photo.image.mode == "RGB"


def test_paths_that_lead_to_no_picture(tmp_path):
    with pytest.raises(ClipbenchError, match="there is no file '.*none.png'"):
        read_image(tmp_path / "none.png")
    with pytest.raises(ClipbenchError, match="is a folder"):
        read_image(str(tmp_path))
    with pytest.raises(ClipbenchError, match="cannot be opened"):
        read_image("zero\0byte.png")
    with pytest.raises(ClipbenchError, match="not ndarray"):
        read_image(np.zeros((4, 4, 3)))
