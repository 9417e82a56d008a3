"""Reading a picture, whatever file it came in, as one upright RGB image."""

import io
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from clipbench.errors import ClipbenchError

Buffer = bytes | bytearray | memoryview  # the last is what an upload widget hands over

MAX_UPLOAD_BYTES = 20 * 2**20  # what a panel takes from a browser; a phone's large photo is half of it
MAX_PIXELS = 80_000_000  # 240 MB once decoded; Pillow starts to warn at 89 million
MAX_SIDE = 2048  # several times what a model looks at, and every later step pays for each pixel

# What Pillow decodes by itself; EPS is left out, because Pillow would start Ghostscript for it.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "JPEG2000", "AVIF")
_ANIMATIONS = ("GIF", "WEBP", "PNG", "AVIF")
_filters = threading.Lock()  # all threads of Python share one list of warning filters


@dataclass(frozen=True)
class Photo:
    """A picture that was read.

    Args:
        image: RGB, upright, at most `MAX_SIDE` pixels on its longer side.
        name: file name without its folder; it came from outside, so escape it where it is shown.
        notes: a sentence for each thing that was left out or made smaller.
    """

    image: Image.Image
    name: str
    notes: tuple[str, ...] = ()


def read_image(source: str | Path | Buffer | BinaryIO | Image.Image, name: str | None = None) -> Photo:
    """Read a picture and make it upright RGB.

    Args:
        source: a path, the bytes of a file, an open binary file, or a PIL image, which stays as it is.
        name: what to call the picture; by default the name of its file.

    Returns:
        The picture: turned as its EXIF says, transparency on white, more than 8 bits scaled to 8,
        the first frame of an animation, at most `MAX_SIDE` pixels on its longer side.

    Raises:
        ClipbenchError: no such file, a folder, an empty or damaged file, not a picture, or more than
            `MAX_PIXELS` pixels.
    """
    if isinstance(source, Image.Image):
        return _photo(source, name or Path(getattr(source, "filename", "")).name or "image")
    if isinstance(source, str | Path):
        with _opened(Path(source)) as file:
            return _photo_in(file, name or Path(source).name)
    if isinstance(source, Buffer):
        return _photo_in(io.BytesIO(source), name or "image")
    if hasattr(source, "read"):
        return _photo_in(io.BytesIO(source.read()), name or Path(str(getattr(source, "name", "image"))).name)
    raise ClipbenchError(f"a picture is a path, bytes, a file or a PIL image, not {type(source).__name__}")


def rgb(image: Image.Image) -> Image.Image:
    """A new RGB image from one of any mode.

    Transparency is laid on white. 16 bits are divided by 257. 32-bit integers and floats are taken as
    0 … 65535, as 0 … 1 or as 0 … 255 where they fit, and are stretched from black to white where not.

    Raises:
        ClipbenchError: not a PIL image, values that are not finite, a mode without a way to RGB.
    """
    if not isinstance(image, Image.Image):
        got = type(image).__name__
        raise ClipbenchError(f"a PIL image is needed, not {got}; read_image(…).image gives one")
    if image.mode == "F" or image.mode.startswith("I"):
        return Image.fromarray(_eight_bits(image)).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), layer).convert("RGB")
    try:
        return image.convert("RGB")
    except ValueError as error:
        raise ClipbenchError(f"an image of mode {image.mode} cannot be shown; save it as RGB") from error


def _opened(path: Path) -> BinaryIO:
    if path.is_dir():
        raise ClipbenchError(f"{str(path)!r} is a folder; give the path of one picture in it")
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise ClipbenchError(f"there is no file {str(path)!r}; give the path of a picture") from error
    except (OSError, ValueError) as error:  # ValueError: a path with a zero byte in it
        raise ClipbenchError(f"the file {str(path)!r} cannot be opened: {error}") from error


def _photo_in(file: BinaryIO, name: str) -> Photo:
    """The picture in a seekable file."""
    if not file.read(1):
        raise ClipbenchError(f"{name!r} is empty; it should be a JPEG, PNG or other picture")
    file.seek(0)
    too_large = f"{name!r} has more than {MAX_PIXELS // 10**6} million pixels; make it smaller first"
    try:
        with _filters, warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(file, formats=_FORMATS)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise ClipbenchError(too_large) from error
    except UnidentifiedImageError as error:
        known = "JPEG, PNG, WebP, GIF, TIFF or BMP"
        raise ClipbenchError(f"{name!r} is not a picture that can be read; use {known}") from error
    except Exception as error:
        raise _damaged(name) from error
    if image.width * image.height > MAX_PIXELS:
        raise ClipbenchError(too_large)
    return _photo(image, name)


def _photo(image: Image.Image, name: str) -> Photo:
    try:
        notes = _frames(image)
        full = rgb(ImageOps.exif_transpose(image))
    except ClipbenchError as error:
        raise ClipbenchError(f"{name!r}: {error}") from error
    except Exception as error:
        raise _damaged(name) from error
    if max(full.size) <= MAX_SIDE:
        return Photo(full, name, notes)
    size = tuple(max(1, round(side * MAX_SIDE / max(full.size))) for side in full.size)
    before, after = (f"{width} × {height}" for width, height in (full.size, size))
    note = f"scaled down from {before} to {after} pixels"
    return Photo(full.resize(size, Image.Resampling.LANCZOS), name, (*notes, note))


def _damaged(name: str) -> ClipbenchError:
    """For whatever else a decoder raises: no list of it exists."""
    return ClipbenchError(f"{name!r} is damaged and cannot be read to its end; save it anew")


def _frames(image: Image.Image) -> tuple[str, ...]:
    count = getattr(image, "n_frames", 1)
    if count == 1:
        return ()
    if image.format in _ANIMATIONS:
        return (f"animated: the first of {count} frames is used",)
    return (f"the first of the {count} pictures in the file is used",)


def _eight_bits(image: Image.Image) -> np.ndarray:
    """(h, w) uint8 from an image of mode I;16, I or F."""
    values = np.asarray(image, dtype=np.float32)
    if not np.isfinite(values).all():
        raise ClipbenchError("some of its values are not finite; all must be numbers")
    low, high = values.min(), values.max()
    ranges = (1, 255, 65535) if image.mode == "F" else (65535,)
    white = next((white for white in ranges if low >= 0 and high <= white), None)
    if white is None:
        values, white = values - low, (high - low) or 1
    return np.rint(values * (255 / white)).astype(np.uint8)
