"""Flags, faces and bodies as Noto draws them: things that `mini` knows, by a hand that it has never seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clipbench.stimuli.shipped import Shipped


@dataclass(frozen=True, kw_only=True)
class Emoji(Shipped):
    """A shipped drawing of 144 × 144 pixels on white.

    `scripts/make_emoji.py` makes them all and says by which rules.

    Args:
        name: a country of the article's map, or what Unicode calls a face or a body.
        kind: "flag", "face" or "body", such as a raised fist or a person who shrugs.
        shows: the country; or the words of the feeling wheel that Unicode gives to the drawing, perhaps none.
        author, licence, source, file: see `Shipped`.
    """

    folder = Path(__file__).parent / "emoji"
    listed_in = "emoji.json"

    kind: str
    shows: Sequence[str]


def flags() -> list[Emoji]:
    """The flags of 159 countries of the article's map, in the order of their names."""
    return [one for one in Emoji.all() if one.kind == "flag"]


def faces() -> list[Emoji]:
    """99 faces."""
    return [one for one in Emoji.all() if one.kind == "face"]


def bodies() -> list[Emoji]:
    """63 hands and persons that say something without a face."""
    return [one for one in Emoji.all() if one.kind == "body"]
