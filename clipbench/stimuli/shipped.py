"""Pictures that are shipped in a folder, each with its author and licence in a list beside them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from PIL import Image

from clipbench.stimuli.images import rgb


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """A shipped picture.

    Args:
        name: what to call it.
        author: who made it.
        licence: "public domain", or an SPDX-like name such as "CC-BY-SA-4.0".
        source: where it comes from.
        file: its name in the folder.
    """

    folder: ClassVar[Path]
    listed_in: ClassVar[str]  # name of the JSON list of all in the folder

    name: str
    author: str
    licence: str
    source: str
    file: str

    @classmethod
    def all(cls) -> list[Self]:
        """All that are shipped, in the order of the list."""
        return [cls(**row) for row in json.loads((cls.folder / cls.listed_in).read_text(encoding="utf-8"))]

    @property
    def path(self) -> Path:
        """Its file."""
        return self.folder / self.file

    @property
    def image(self) -> Image.Image:
        """A new RGB image, read from the file when asked for."""
        with Image.open(self.path) as image:
            return rgb(image)
