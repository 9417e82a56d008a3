"""Make clipbench/stimuli/emoji: flags of countries and faces with feelings, as Noto draws them.

Usage:
    apt-get install fonts-noto-color-emoji
    npm pack cldr-annotations-full
    pip install '.[pretrain]'
    python scripts/make_emoji.py cldr-annotations-full-48.2.0.tgz

No training shows a drawing of Noto's, so these tell whether a unit knows a flag or a face, or one drawing of
it. The rules, without any picking by hand: a flag is of a country of the article's map if Unicode gives it
the country's name, capitals, hyphens, "&" and "St." apart; a face shows each word of the feeling wheel that
is in its name or among its English keywords in Unicode's CLDR. Symbols that the font lacks are left out.
"""

import json
import re
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import emoji
from PIL import Image, ImageDraw, ImageFont

from clipbench.studies.emotions import wheel_words
from clipbench.studies.regions import country_names

FOLDER = Path(__file__).parents[1] / "clipbench" / "stimuli" / "emoji"
SIDE = 144  # pixels, as of the other shipped drawings
CREDIT = {"author": "Google", "licence": "OFL-1.1", "source": "https://github.com/googlefonts/noto-emoji"}
_STRIKE, _GLYPH = 109, 136  # pixels: to the em, the one size of Noto's bitmaps; of a picture in it
_FONTS = Path("/usr/share/fonts")
_KEYWORDS = "package/annotations/en/annotations.json"
_LETTERS = range(0x1F1E6, 0x1F200)  # two of them are a flag
_SMILEYS = (
    *range(0x2639, 0x263B), *range(0x1F600, 0x1F645), *range(0x1F910, 0x1F930), *range(0x1F970, 0x1F97B),
    0x1F9D0, *range(0x1FAE0, 0x1FAEB),
)  # fmt: skip


def symbols() -> Iterator[tuple[str, str]]:
    """Every symbol of Unicode, without its mark for coloured drawing, and its name."""
    for symbol, told in emoji.EMOJI_DATA.items():
        if told["status"] == emoji.STATUS["fully_qualified"]:
            yield symbol.replace("\ufe0f", ""), told["en"].strip(":").replace("_", " ")


def plain(name: str) -> str:
    """What two spellings of a country's name have in common."""
    spelt = name.lower().replace("&", "and").replace("st. ", "saint ")
    return re.sub(r"[^\w]+", " ", spelt).strip()


def flags() -> Iterator[tuple[str, dict]]:
    """Each flag and what the list says of it."""
    known = {plain(country): country for country in country_names()}
    for symbol, name in symbols():
        country = known.get(plain(name))
        if len(symbol) == 2 and ord(symbol[0]) in _LETTERS and country is not None:
            yield symbol, {"name": country, "kind": "flag", "shows": [country]}


def faces(archive: str) -> Iterator[tuple[str, dict]]:
    """Each face and what the list says of it."""
    with tarfile.open(archive) as told:
        keywords = json.load(told.extractfile(_KEYWORDS))["annotations"]["annotations"]
    words = set(wheel_words())
    for symbol, name in symbols():
        if len(symbol) == 1 and ord(symbol) in _SMILEYS and "face" in name.split():
            own = keywords.get(symbol, keywords.get(f"{symbol}\ufe0f", {})).get("default", [])
            shows = sorted(words & {*own, *name.split()})
            yield symbol, {"name": name, "kind": "face", "shows": shows}


def drawn(symbol: str, face: ImageFont.FreeTypeFont) -> Image.Image | None:
    """Noto's drawing on white; None where the font has none."""
    glyph = Image.new("RGBA", (_GLYPH, _GLYPH))
    ImageDraw.Draw(glyph).text((0, 0), symbol, font=face, embedded_color=True)
    if glyph.getbbox() is None:
        return None
    picture = Image.new("RGB", (SIDE, SIDE), "white")
    picture.paste(glyph, ((SIDE - _GLYPH) // 2, (SIDE - _GLYPH) // 2), glyph)
    return picture.quantize(64, dither=Image.Dither.NONE)


def main() -> None:
    """Write the drawings and their list."""
    face = ImageFont.truetype(next(_FONTS.rglob("NotoColorEmoji.ttf")), _STRIKE)
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    rows = []
    for symbol, told in [*flags(), *faces(sys.argv[1])]:
        file = "-".join(f"{ord(letter):04x}" for letter in symbol) + ".png"
        picture = drawn(symbol, face)
        if picture is not None:
            picture.save(FOLDER / file, optimize=True)
            rows.append({**told, **CREDIT, "file": file})
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":")).replace("},{", "},\n{")
    (FOLDER / "emoji.json").write_text(text + "\n", encoding="utf-8")
    kinds = [row["kind"] for row in rows]
    print(f"{kinds.count('flag')} flags, {kinds.count('face')} faces")


if __name__ == "__main__":
    main()
