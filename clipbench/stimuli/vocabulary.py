"""The shipped list of words, and lists of one's own."""

from functools import cache
from pathlib import Path

from clipbench.errors import ClipbenchError

_LIST = Path(__file__).with_name("words.txt")


@cache
def common_words() -> tuple[str, ...]:
    """The 10,000 most common English words, most common first, and those of the article's records besides.

    Source: wordfreq 3.1 (Robyn Speer, CC-BY-SA 4.0) and the records of Goh et al. 2021 (CC-BY 4.0);
        `scripts/make_words.py` makes the list.
    """
    return tuple(_LIST.read_text(encoding="utf-8").split())


def read_words(path: str | Path) -> list[str]:
    """The lines of a text file, without blank ones; a byte order mark is no letter.

    Raises:
        ClipbenchError: no such file, no text in UTF-8, or no line with text.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ClipbenchError(
            f"{str(path)!r} cannot be read as text; give a UTF-8 file, one text a line"
        ) from error
    words = [line.strip() for line in lines if line.strip()]
    if not words:
        raise ClipbenchError(f"{str(path)!r} has no text in it; write one a line")
    return words
