"""Flags and faces as Noto draws them: things that `mini` knows, by a hand that it has never seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clipbench.stimuli.shipped import Shipped


@dataclass(frozen=True, kw_only=True)
class Emoji(Shipped):
    """A shipped drawing of 144 × 144 pixels on white.

    `scripts/make_emoji.py` makes them all and says by which rules.

    Args:
        name: a country of the article's map, or what Unicode calls a face.
        kind: "flag" or "face".
        shows: the country; or the words of the feeling wheel that Unicode gives to the face, perhaps none.
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
