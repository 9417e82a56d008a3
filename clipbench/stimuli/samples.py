"""The photos that are shipped: everyday things, tools, animals, monuments, and nine of the article's."""

import json
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from clipbench.errors import unknown
from clipbench.stimuli.images import rgb

_FOLDER = Path(__file__).parent / "photos"


@dataclass(frozen=True)
class Sample:
    """A shipped photo; `tools/make_samples.py` makes them all.

    Args:
        name: short and unique, such as "apple with iPod label".
        kind: "article", "thing", "tool", "person", "animal" or "monument".
        truth: what is on it, a noun to put among the labels; of the article's, the object, not the label.
        author: who took it.
        licence: "public domain", or an SPDX-like name such as "CC-BY-SA-4.0".
        source: where it comes from.
        file: its name in the folder of photos.
    """

    name: str
    kind: str
    truth: str
    author: str
    licence: str
    source: str
    file: str

    @property
    def path(self) -> Path:
        """Its file."""
        return _FOLDER / self.file

    @property
    def image(self) -> Image.Image:
        """A new RGB image, square, at most 384 pixels wide, read from the file when asked for."""
        with Image.open(self.path) as image:
            return rgb(image)


def samples() -> list[Sample]:
    """All shipped photos, the article's first."""
    return [Sample(**row) for row in json.loads((_FOLDER / "photos.json").read_text(encoding="utf-8"))]


def sample(name: str) -> Sample:
    """The shipped photo of this name.

    Raises:
        ClipbenchError: there is none of this name; the nearest names are given.
    """
    by_name = {one.name: one for one in samples()}
    if name not in by_name:
        raise unknown("sample photo", name, by_name)
    return by_name[name]
