"""One section of a dossier: data, the pictures that the data names, and a file that keeps both."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from PIL import Image

from clipbench.results import UNREADABLE, read_json, save_json


@dataclass(frozen=True)
class Part:
    """A section that is finished.

    Args:
        content: plain JSON types; pictures are named in it.
        pictures: name -> bytes of a PNG or JPEG file.
    """

    content: Mapping
    pictures: Mapping[str, bytes]

    def save(self, path: Path, key: str) -> None:
        """Keep the section; see `load`."""
        files = {name: b64encode(file).decode() for name, file in self.pictures.items()}
        save_json({"key": key, "content": self.content, "pictures": files}, path)

    @classmethod
    def load(cls, path: Path, key: str | None = None) -> "Part | None":
        """A section that was kept, under this key if one is given; None if there is none that can be read."""
        try:
            told = read_json(path)
            if key not in (None, told["key"]):
                return None
            return cls(told["content"], {name: b64decode(file) for name, file in told["pictures"].items()})
        except UNREADABLE:
            return None


def key_of(*told: object) -> str:
    """A name for whatever decides a section, of plain JSON types: other input, other name."""
    return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def jpeg(image: Image.Image, side: int) -> bytes:
    """A JPEG file of at most `side` pixels, never larger than the picture."""
    small, file = image.convert("RGB"), BytesIO()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    small.save(file, "JPEG", quality=86)
    return file.getvalue()


def png(image: Image.Image) -> bytes:
    """A PNG file, for what has few colours and sharp edges."""
    file = BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()
