"""Make clipbench/stimuli/drawings: OpenMoji's drawings of what is on the shipped photos.

Usage:
    pip install '.[pretrain]'
    python scripts/make_drawings.py

The rule: a drawing shows a thing if one of its names (Unicode's, or an alias in the package `emoji`), cut off
before its first preposition or the word "face", ends in the thing's words, with at most one word before them.
So "cat face" shows a cat and "Statue of Liberty" a statue, but "fish cake with swirl" no fish. Drawings whose
name has fewer words before the thing's come first, then those with shorter names; two of a thing at most.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import emoji
from PIL import Image

from clipbench.pretrain.drawings import drawing, drawings
from clipbench.stimuli import samples

FOLDER = Path(__file__).parents[1] / "clipbench" / "stimuli" / "drawings"
SIDE = 144  # pixels; a model sees some 224
MOST = 2  # drawings of one thing
ENDS = {"with", "without", "of", "at", "on", "in", "from", "to", "for", "face"}
CREDIT = {"author": "OpenMoji", "licence": "CC-BY-SA-4.0", "source": "https://openmoji.org"}


def words_before(name: str, thing: str) -> int | None:
    """How many words stand before a thing's in a drawing's name; None where it names another thing."""
    words, wanted = name.lower().split(), thing.lower().split()
    end = next((place for place, word in enumerate(words) if word in ENDS), len(words))
    start = end - len(wanted)
    return start if 0 <= start <= 1 and words[start:end] == wanted else None


def aliases() -> dict[str, list[str]]:
    """All names of each symbol that the package `emoji` knows, by its first one, which Unicode gave it."""
    known = {}
    for told in emoji.EMOJI_DATA.values():
        first, *others = (name.strip(":").replace("_", " ") for name in (told["en"], *told.get("alias", ())))
        known.setdefault(first, [first]).extend(others)
    return known


def shown(thing: str, names: dict[str, list[str]]) -> list[str]:
    """The drawings of a thing, best first, by the first of their names."""
    found = []
    for first, all_names in names.items():
        before = [count for name in all_names if (count := words_before(name, thing)) is not None]
        if before:
            found.append((min(before), len(first.split()), first))
    return [first for *_, first in sorted(found)[:MOST]]


def rows() -> Iterator[dict]:
    """What drawings.json says of each drawing."""
    known = aliases()
    names = {name: known.get(name, [name]) for name in drawings()}
    for thing in dict.fromkeys(sample.truth for sample in samples()):
        for name in shown(thing, names):
            yield {"name": name, "concept": thing, **CREDIT, "file": name.lower().replace(" ", "-") + ".png"}


def main() -> None:
    """Write the drawings, on white, and their list."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    listed = list(rows())
    for row in listed:
        layer = drawing(row["name"], SIDE)
        ground = Image.new("RGBA", layer.size, "white")
        flat = Image.alpha_composite(ground, layer).convert("RGB").quantize(64, dither=Image.Dither.NONE)
        flat.save(FOLDER / row["file"], optimize=True)
    text = json.dumps(listed, indent=1, ensure_ascii=False)
    (FOLDER / "drawings.json").write_text(text + "\n", encoding="utf-8")
    print(f"{len(listed)} drawings of {len({row['concept'] for row in listed})} things")


if __name__ == "__main__":
    main()
