"""The article's photos in the wild, things with words on paper: fetched on request, checked, and listed."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.request import urlopen

from clipbench.cache import cache_home
from clipbench.errors import ClipbenchError
from clipbench.results import save_bytes

# The article's own repository, at the last state that it was given.
SOURCE = (
    "https://raw.githubusercontent.com/distillpub/post--multimodal/"
    "48e435468932a86894a889afa7ea1125a97c525d/static/typographic/in-the-wild-2/"
)
CREDIT = "photos by Goh et al. 2021, https://distill.pub/2021/multimodal-neurons, CC-BY 4.0"
_SUMS = Path(__file__).with_name("in_the_wild.json")  # file -> SHA-256
_LARGEST = 2**20  # bytes; the photos have some 30,000
_PATIENCE = 30  # seconds
_WRITTEN = {"ipod": "iPod", "dollars": "$$$", "blank": ""}  # where a file's name spells it otherwise


@dataclass(frozen=True)
class WildPhoto:
    """One of the photos.

    Args:
        item: what it shows, such as "apple".
        word: what is written on it; "" for nothing.
        path: its file.
    """

    item: str
    word: str
    path: Path


@dataclass(frozen=True)
class FetchProgress:
    """How far it has come: photos that are there, photos in all, and how many of them were fetched now."""

    done: int
    total: int
    fetched: int


def home() -> Path:
    """Where the photos lie unless the user names another folder."""
    return cache_home() / "in-the-wild"


@cache
def checksums() -> dict[str, str]:
    """File -> SHA-256 of each photo."""
    return json.loads(_SUMS.read_text(encoding="utf-8"))


def fetch_wild(folder: Path, source: str = SOURCE) -> Iterator[FetchProgress]:
    """Download the photos that are not in a folder yet, one at a time.

    Args:
        folder: where to; it is made if it is not there.
        source: address of the folder that has them, with a slash at its end.

    Yields:
        After each photo how far it has come.

    Raises:
        ClipbenchError: no connection, a file that is not the article's, a folder that cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ClipbenchError(f"the folder {str(folder)!r} cannot be made ({error.strerror})") from error
    fetched = 0
    for done, (name, checksum) in enumerate(checksums().items(), start=1):
        if not _is(folder / name, checksum):
            save_bytes(_download(source + name, checksum), folder / name)
            fetched += 1
        yield FetchProgress(done, len(checksums()), fetched)


def wild_photos(folder: Path | None = None) -> list[WildPhoto]:
    """The photos of a folder, by thing and word; None looks where `clipbench fetch in-the-wild` puts them.

    Raises:
        ClipbenchError: they are not all there.
    """
    folder = home() if folder is None else folder
    missing = [name for name in checksums() if not (folder / name).is_file()]
    if missing:
        raise ClipbenchError(
            f"{len(missing)} of the article's photos are not in {str(folder)!r}; fetch them with "
            '"clipbench fetch in-the-wild"'
        )
    return [_photo(folder / name) for name in checksums()]


def _photo(path: Path) -> WildPhoto:
    item, _, word = path.stem.partition("-")
    return WildPhoto(item, _WRITTEN.get(word, word), path)


def _is(path: Path, checksum: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == checksum


def _download(address: str, checksum: str) -> bytes:
    try:
        with urlopen(address, timeout=_PATIENCE) as answer:
            content = answer.read(_LARGEST)
    except OSError as error:  # URLError and timeouts are
        reason = getattr(error, "reason", error)
        raise ClipbenchError(
            f"{address} could not be fetched ({reason}); check the network, try again"
        ) from error
    if hashlib.sha256(content).hexdigest() != checksum:
        raise ClipbenchError(f"{address} is not the article's photo: its SHA-256 is not {checksum}")
    return content
