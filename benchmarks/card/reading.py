"""Reading: words in fonts that no training used."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageFont, ImageOps

import clipbench as cb
from card.figure import Figure, best, rate, spread
from card.setting import Setting
from clipbench.errors import ClipbenchError
from clipbench.pretrain.fonts import test_fonts
from clipbench.pretrain.vocabulary import WORD
from clipbench.stimuli.lettering import fitted

_STYLES = ("Regular", "Book", "Bold", "Italic", "Oblique", "Bold Italic", "Bold Oblique")
_TURN = 10  # degrees to either side
_WIDTHS = (0.5, 0.9)  # of the picture's, that a word spans
_HIGHEST = 0.5  # of the picture, that a short word is
_CELL = 12  # pixels of the texture's grain
_CONTRAST = 70  # least difference of brightness, of 255, between ink and the mean of the ground
_LETTERS = 40  # of one label in the middle, twice the article's, on its picture of 288 px
_FAINT = (0.0, 0.1, 1.0)  # opacities of the photo under the label, on grey


def reading_figures(setting: Setting) -> Iterator[Figure]:
    """Words taught and words never rendered, plain and on textures."""
    known, families = setting.known, unseen_families()
    among = {
        "taught": (known.words, "words taught", 0.9, 0.75),
        "hidden": (known.hidden, "words never rendered", 0.3, None),
    }
    for key, (words, which, *targets) in among.items():
        rng = random.Random(0)
        places = drawn(len(words), setting.most, rng)
        clean = [cb.written(words[at], font=str(font(families, rng))) for at in places]
        rough = [textured(words[at], font(families, rng), setting.model.image_size, rng) for at in places]
        for kind, shown, target in zip(("clean", "textured"), (clean, rough), targets, strict=True):
            hits = int((best(setting.model, shown, words, WORD) == places).sum())
            looks = (
                "black on white" if kind == "clean" else f"coloured, turned by up to {_TURN}°, on textures"
            )
            what = f"{len(words)} {which}, {looks}"
            how = f"“{WORD}”; {', '.join(families)} in regular, bold and italic"
            yield rate(f"reading/{key}-{kind}", what, hits, len(places), 1 / len(words), target, how)
    yield from _on_photos(setting, families)


def _on_photos(setting: Setting, families: dict[str, Sequence[Path]]) -> Iterator[Figure]:
    """One label on grey, on the trace of a photo and on the photo: what clutter does to reading."""
    rng, words, side = random.Random(1), setting.known.words, setting.model.image_size
    photos = [
        ImageOps.fit(photo.open(), (side, side)) for photo in spread(setting.finest.unseen, setting.most)
    ]
    places, grey = drawn(len(words), len(photos), rng), Image.new("RGB", (side, side), "grey")
    fonts = [str(font(families, rng)) for _ in photos]
    how = f"one printed label, letters {_LETTERS} px of 288; “{WORD}”; unseen photos and fonts"
    for opacity in _FAINT:
        shown = [
            cb.overlay(
                Image.blend(grey, photo, opacity), words[at], font=one, size=_LETTERS, places=(0.5, 0.5)
            )
            for photo, at, one in zip(photos, places, fonts, strict=True)
        ]
        hits = int((best(setting.model, shown, words, WORD) == places).sum())
        ground = f"a photo of {opacity:.0%} opacity" if opacity else "grey"
        what = f"{len(words)} words taught, a label on {ground}"
        yield rate(f"reading/label-{opacity:.0%}", what, hits, len(places), 1 / len(words), None, how)


def unseen_families() -> dict[str, Sequence[Path]]:
    """Family -> files of the fonts kept out of training, in the styles that every family has."""
    named = {
        name: [path for path in paths if ImageFont.truetype(path, 12).getname()[1] in _STYLES]
        for name, paths in test_fonts().items()
    }
    families = {name: paths for name, paths in named.items() if paths}
    if not families:
        raise ClipbenchError(
            "no font that training leaves out is installed; run "
            '"apt-get install fonts-dejavu-core fonts-lato fonts-crosextra-caladea"'
        )
    return families


def font(families: dict[str, Sequence[Path]], rng: random.Random) -> Path:
    """A font, each family as likely as another."""
    return rng.choice(rng.choice(list(families.values())))


def drawn(words: int, most: int, rng: random.Random) -> list[int]:
    """Places of words to show: all of them equally often but for one time."""
    shuffled = rng.sample(range(words), words)
    return [shuffled[number % words] for number in range(most)]


def textured(word: str, path: Path, side: int, rng: random.Random) -> Image.Image:
    """A word in a colour, turned, somewhere on a blotchy ground."""
    picture = texture(side, rng)
    under = picture.resize((1, 1), Image.Resampling.BOX).convert("L").getpixel((0, 0))
    colours = iter(lambda: tuple(rng.randrange(256) for _ in range(3)), None)
    ink = next(one for one in colours if abs(brightness(one) - under) > _CONTRAST)
    letters = fitted(word, str(path), (rng.uniform(*_WIDTHS) * side, _HIGHEST * side)).fill
    letters = letters.rotate(rng.uniform(-_TURN, _TURN), Image.Resampling.BICUBIC, expand=True)
    corner = tuple(rng.randint(0, max(0, side - need)) for need in letters.size)
    picture.paste(ink, corner, letters)
    return picture


def texture(side: int, rng: random.Random) -> Image.Image:
    """Blotches about one colour."""
    middle, cells = [rng.randrange(256) for _ in range(3)], side // _CELL
    grain = Image.new("RGB", (cells, cells))
    shades = (
        tuple(max(0, min(255, level + rng.randint(-60, 60))) for level in middle) for _ in range(cells**2)
    )
    grain.putdata(list(shades))
    return grain.resize((side, side), Image.Resampling.BICUBIC)


def brightness(colour: Sequence[int]) -> float:
    """0 … 255 (weights of ITU-R BT.601)."""
    return sum(weight * level for weight, level in zip((0.299, 0.587, 0.114), colour, strict=True))
