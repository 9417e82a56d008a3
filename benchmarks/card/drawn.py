"""Drawings: OpenMoji's, which training showed, and Noto's of the same names, which it did not."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, features

from card.figure import Figure, best, rate, spread
from card.setting import Setting
from clipbench.errors import ClipbenchError
from clipbench.pretrain.drawings import drawing, drawings
from clipbench.pretrain.fonts import SYSTEM
from clipbench.pretrain.vocabulary import DRAWING

_STRIKE = 109  # pixels to the em: the one size of Noto's bitmaps
_ADVANCE, _SIDE = 136, 160  # pixels: of one glyph; of the pictures


def drawing_figures(setting: Setting) -> Iterator[Figure]:
    """Top-1 among all names of OpenMoji's, for both styles."""
    names = list(setting.known.drawings)
    shown = spread(names, 2 * setting.most)
    what = f"{len(names)} OpenMoji names, their own drawings (a fit: training showed them)"
    yield _figure(setting, "drawings/openmoji", what, 0.8, {name: openmoji(name) for name in shown})
    pictures = {name: picture for name in shown if (picture := noto(name))}
    what = f"the same {len(names)} names, Noto's emoji (never shown)"
    yield _figure(setting, "drawings/noto", what, 0.4, pictures)


def _figure(setting: Setting, key: str, what: str, target: float, pictures: dict[str, Image.Image]) -> Figure:
    names = list(setting.known.drawings)
    truths = [names.index(name) for name in pictures]
    hits = int((best(setting.model, list(pictures.values()), names, DRAWING) == truths).sum())
    return rate(key, what, hits, len(pictures), 1 / len(names), target, f"“{DRAWING}”; on white")


def openmoji(name: str) -> Image.Image:
    """OpenMoji's drawing on white."""
    return _on_white(drawing(name))


def noto(name: str) -> Image.Image | None:
    """Noto's drawing of the same emoji on white; None where Noto has none that is one glyph."""
    symbol = "".join(chr(int(point, 16)) for point in drawings()[name].stem.split("-"))
    face = _noto_face()
    if face.getlength(symbol) > _ADVANCE:  # a sequence that Noto does not join
        return None
    picture = Image.new("RGBA", (_ADVANCE, _ADVANCE))
    ImageDraw.Draw(picture).text((0, 0), symbol, font=face, embedded_color=True)
    return _on_white(picture) if picture.getbbox() else None


@cache
def _noto_face() -> ImageFont.FreeTypeFont:
    path = next(Path(SYSTEM).rglob("NotoColorEmoji.ttf"), None)
    if path is None:
        raise ClipbenchError('Noto\'s emoji are not installed; run "apt-get install fonts-noto-color-emoji"')
    if not features.check("raqm"):
        raise ClipbenchError(
            "this Pillow lacks libraqm, which joins Noto's emoji; install Pillow's own wheel"
        )
    return ImageFont.truetype(path, _STRIKE)


def _on_white(shown: Image.Image) -> Image.Image:
    picture = Image.new("RGB", (_SIDE, _SIDE), "white")
    picture.paste(shown, tuple((_SIDE - side) // 2 for side in shown.size), shown)
    return picture
