"""Make clipbench/stimuli/emoji: flags of countries, faces and bodies with feelings, as Noto draws them.

Usage:
    apt-get install fonts-noto-color-emoji
    npm pack cldr-annotations-full
    pip install '.[pretrain]'
    python scripts/make_emoji.py cldr-annotations-full-48.2.0.tgz

No training shows a drawing of Noto's, so these tell whether a unit knows a flag or a face, or one drawing of
it. The rules, without any picking by hand: a flag is of a country of the article's map if Unicode gives it
the country's name, capitals, hyphens, "&" and "St." apart; a face shows each word of the feeling wheel that
is in its name or among its English keywords in Unicode's CLDR. A body is a symbol of Unicode's subgroups of
hands, gestures and activities of persons, and shows words by the same rule. Symbols that the font lacks are
left out.
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
_BODIES = (
    0x261D, *range(0x270A, 0x270E), 0x1F3C3, *range(0x1F446, 0x1F451), 0x1F46F, 0x1F481, 0x1F483, 0x1F486,
    0x1F487, 0x1F574, 0x1F57A, 0x1F590, 0x1F595, 0x1F596, *range(0x1F645, 0x1F648), *range(0x1F64B, 0x1F650),
    0x1F6B6, 0x1F90C, 0x1F90F, *range(0x1F918, 0x1F920), 0x1F926, 0x1F932, 0x1F937,
    *range(0x1F9CD, 0x1F9D0), 0x1F9D6, 0x1F9D7, *range(0x1FAF0, 0x1FAF9),
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


def feelings(archive: str) -> Iterator[tuple[str, dict]]:
    """Each face, then each body, and what the list says of it."""
    with tarfile.open(archive) as told:
        keywords = json.load(told.extractfile(_KEYWORDS))["annotations"]["annotations"]
    words, bodies = set(wheel_words()), []
    for symbol, name in symbols():
        face = len(symbol) == 1 and ord(symbol) in _SMILEYS and "face" in name.split()
        body = len(symbol) == 1 and ord(symbol) in _BODIES
        if face or body:
            own = keywords.get(symbol, keywords.get(f"{symbol}\ufe0f", {})).get("default", [])
            shows = sorted(words & {*own, *name.split()})
            told = symbol, {"name": name, "kind": "face" if face else "body", "shows": shows}
            if face:
                yield told
            else:
                bodies.append(told)
    yield from bodies


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
    for symbol, told in [*flags(), *feelings(sys.argv[1])]:
        file = "-".join(f"{ord(letter):04x}" for letter in symbol) + ".png"
        picture = drawn(symbol, face)
        if picture is not None:
            picture.save(FOLDER / file, optimize=True)
            rows.append({**told, **CREDIT, "file": file})
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":")).replace("},{", "},\n{")
    (FOLDER / "emoji.json").write_text(text + "\n", encoding="utf-8")
    kinds = [row["kind"] for row in rows]
    print(", ".join(f"{kinds.count(kind)} of {kind}" for kind in dict.fromkeys(kinds)))


if __name__ == "__main__":
    main()
