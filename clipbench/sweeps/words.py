"""Words as stimuli: written on a plain ground, in one look or in several."""

import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from PIL import Image

from clipbench.errors import ClipbenchError
from clipbench.stimuli import FONTS, written
from clipbench.sweeps.pictures import Stimuli, digest_of

CASES = {"as written": str, "lower": str.lower, "upper": str.upper, "title": str.title}


@dataclass(frozen=True)
class Look:
    """How a word is written; the fields but `case` are those of `written`.

    Args:
        font: a shipped font, or the path of a font file.
        case: a key of `CASES`.
        size: share of the square that the ink spans.
        place: of the centre of the ink.
    """

    font: str = "DejaVu Sans"
    case: str = "as written"
    size: float = 0.8
    place: tuple[float, float] = (0.5, 0.5)

    def __post_init__(self):
        object.__setattr__(self, "place", tuple(self.place))  # JSON has lists
        if self.case not in CASES:
            raise ClipbenchError(f"there is no case {self.case!r}; there are {', '.join(CASES)}")

    def __str__(self) -> str:
        at = "" if self.place == (0.5, 0.5) else " at {:g}, {:g}".format(*self.place)
        return f"{self.font}, {self.case}, size {self.size:g}{at}"

    def picture(self, word: str) -> Image.Image:
        """The word in this look; see `written` for errors."""
        return written(CASES[self.case](word), self.font, self.size, place=self.place)


# The first is how a word is read; each other one differs from it, or from the small one, in one thing.
PLAIN = Look()
SMALL = Look(size=0.4)
LOOKS = (
    PLAIN,
    *(Look(font=font) for font in FONTS if font != PLAIN.font),
    Look(case="upper"),
    Look(case="title"),
    SMALL,
    *(replace(SMALL, place=place) for place in ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75))),
)


@dataclass(frozen=True)
class Words(Stimuli):
    """Words, each in every look: all in the first, then all in the second, …. `Words.of` makes it.

    Args:
        looks: of which each word has one item.
    """

    looks: tuple[Look, ...]

    @classmethod
    def of(cls, words: Sequence[str], looks: Sequence[Look] = (PLAIN,)) -> "Words":
        """Words in some looks; blank ones and those that were there before are left out.

        Raises:
            ClipbenchError: there is no word, or no look.
        """
        written = (unicodedata.normalize("NFC", word.strip()) for word in words)  # an accent in one way only
        kept = tuple(dict.fromkeys(word for word in written if word))
        if not kept:
            raise ClipbenchError("there is no word to show; give at least one")
        if not looks:
            raise ClipbenchError("there is no look to write words in; give at least one")
        prints = [f"{look} {_font_print(look.font)}" for look in looks]
        digests = tuple(digest_of(f"{word}\0{one}".encode()) for one in prints for word in kept)
        return cls(kept * len(looks), digests, tuple(looks))

    @property
    def words(self) -> tuple[str, ...]:
        """The words, without their looks."""
        return self.names[: len(self) // len(self.looks)]

    @property
    def origin(self) -> dict:
        """See `Stimuli`."""
        return {"kind": "words", "looks": [asdict(look) for look in self.looks]}

    def part(self, start: int, stop: int) -> "Part":
        """See `Stimuli`."""
        each = len(self.words)
        looks = tuple(self.looks[number // each] for number in range(start, stop))
        return Part(self.names[start:stop], self.digests[start:stop], looks)

    def picture(self, number: int) -> Image.Image:
        """See `Stimuli`."""
        return self.looks[number // len(self.words)].picture(self.names[number])


@dataclass(frozen=True)
class Part(Stimuli):
    """Some words, each in a look of its own.

    Args:
        looks: one for each word.
    """

    looks: tuple[Look, ...]

    @property
    def origin(self) -> dict:
        """See `Stimuli`."""
        return {"kind": "words"}

    def picture(self, number: int) -> Image.Image:
        """See `Stimuli`."""
        return self.looks[number].picture(self.names[number])


def _font_print(font: str) -> str:
    """What a font file holds; two of one name may differ."""
    path = FONTS.get(font, Path(font))
    return digest_of(path.read_bytes()).hex() if path.is_file() else ""
