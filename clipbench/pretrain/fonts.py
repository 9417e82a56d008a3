"""Fonts to render words in, taken from where the system keeps them."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from PIL import ImageFont

from clipbench.errors import ClipbenchError
from clipbench.pretrain.recipe import UNSEEN_FONTS

SYSTEM = Path("/usr/share/fonts")
# Dingbats and Greek where letters should be, which no look at the ink tells from letters.
_SYMBOLS = ("D050000L", "Standard Symbols PS")
_LEAST = 3  # families with which "any font" begins to mean something
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def training_fonts(folder: str | Path = SYSTEM) -> list[Path]:
    """Every font in a folder that has the Latin letters, but those of the families kept for tests.

    Raises:
        ClipbenchError: fewer than three families.
    """
    found = [path for path in _usable(Path(folder)) if _family(path) not in UNSEEN_FONTS]
    if len({ImageFont.truetype(path, 12).getname()[0] for path in found}) < _LEAST:
        raise ClipbenchError(
            f"fewer than {_LEAST} font families to train on in {str(folder)!r}; run "
            '"apt-get install fonts-liberation fonts-freefont-ttf fonts-open-sans", or name another folder'
        )
    return found


def test_fonts(folder: str | Path = SYSTEM) -> dict[str, list[Path]]:
    """Family -> files of the families that no training picture uses, as far as they are installed."""
    usable = _usable(Path(folder))
    families = {name: [path for path in usable if _family(path) == name] for name in UNSEEN_FONTS}
    return {name: paths for name, paths in families.items() if paths}


@cache
def _usable(folder: Path) -> Sequence[Path]:
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".ttf", ".otf"))
    return [path for path in files if _draws_latin(path)]


def _draws_latin(path: Path) -> bool:
    """Whether every letter has ink of its own; symbol fonts draw one box for most of them."""
    try:
        font = ImageFont.truetype(path, 24)
    except OSError:
        return False
    if font.getname()[0] in _SYMBOLS:
        return False
    return len({bytes(font.getmask(letter)) for letter in _LETTERS}) > len(_LETTERS) - 12


def _family(path: Path) -> str:
    return ImageFont.truetype(path, 12).getname()[0].split()[0]
