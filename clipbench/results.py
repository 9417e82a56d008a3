"""Where a result comes from, carried by every figure, file and panel that shows it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from uuid import uuid4
from zipfile import BadZipFile

import numpy as np
from PIL import Image, PngImagePlugin

from clipbench.errors import ClipbenchError

_PNG_KEY = "clipbench"

# What reading a file raises that is not what it should be: cut off, no archive, other content.
UNREADABLE = (OSError, EOFError, KeyError, ValueError, TypeError, BadZipFile)


def versions() -> dict[str, str]:
    """Versions of the packages that decide what a result looks like."""
    return {name: version(name) for name in ("clipbench", "torch", "open_clip_torch", "timm", "pillow")}


@dataclass(frozen=True)
class Provenance:
    """How a result was obtained.

    Args:
        model: the name that `load` takes.
        weights_hash: first 12 hex digits of the SHA-256 of the weights.
        recipe: everything else that decides the result, as the parts print themselves.
        unit: address of the unit, or None where the result belongs to no unit.
        seed: seed of the random draws, or None where nothing is drawn.
        n: number of images (or trials) behind the result.
        versions: package versions.
    """

    model: str
    weights_hash: str
    recipe: str
    unit: str | None = None
    seed: int | None = None
    n: int | None = None
    versions: dict[str, str] = field(default_factory=versions)

    def caption(self) -> str:
        """One line for below a picture: model, unit, recipe, seed, n."""
        parts = [f"{self.model} {self.weights_hash[:8]}", self.unit, self.recipe]
        parts += [f"seed {self.seed}" if self.seed is not None else None]
        parts += [f"n = {self.n}" if self.n is not None else None]
        return " · ".join(part for part in parts if part)

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        return asdict(self)


def save_png(image: Image.Image, path: str | Path, provenance: Provenance) -> Path:
    """Write a picture as PNG with its provenance in a text chunk called "clipbench".

    The file appears at once or not at all.

    Raises:
        ClipbenchError: the folder is missing, not writable, or full.
    """
    path = check_png_path(path)
    chunk = PngImagePlugin.PngInfo()
    chunk.add_itxt(_PNG_KEY, json.dumps(provenance.as_dict(), ensure_ascii=False))
    with _whole(path) as partial:
        image.save(partial, format="PNG", pnginfo=chunk)
    return path


def save_bytes(content: bytes, path: str | Path) -> Path:
    """Write a file, which appears at once or not at all.

    Raises:
        ClipbenchError: the folder is missing, not writable, or full.
    """
    with _whole(Path(path)) as partial:
        partial.write_bytes(content)
    return Path(path)


def save_json(document: dict, path: str | Path) -> Path:
    """Write plain JSON types as a file, as `save_bytes` does."""
    return save_bytes(json.dumps(document, indent=1, allow_nan=False).encode(), path)


def read_json(path: str | Path) -> dict:
    """What `save_json` has written; one of `UNREADABLE` if it is not there or no JSON."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def read_npz(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by name, pickles refused; one of `UNREADABLE` if that is not possible."""
    with np.load(BytesIO(Path(path).read_bytes())) as arrays:  # given a path, numpy leaves broken files open
        return dict(arrays)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A file to write to, which takes the place of `path` once it is complete."""
    partial = path.with_name(f".{uuid4().hex}.partial")
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        partial.unlink(missing_ok=True)


def check_png_path(path: str | Path) -> Path:
    """The path, if `save_png` can write there now; asked before long work, it saves the work.

    Raises:
        ClipbenchError: it does not end in .png, is a folder, or lies in one that is missing or read-only.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ClipbenchError(f"{path.name!r} does not end in .png; pictures are written as PNG")
    if not path.parent.is_dir():
        raise ClipbenchError(f"the folder {str(path.parent)!r} does not exist; make it or name another one")
    if path.is_dir():
        raise ClipbenchError(f"{str(path)!r} is a folder; give the name of a file")
    try:
        with TemporaryFile(dir=path.parent):
            return path
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> ClipbenchError:
    """The sentence for a file that could not be written."""
    reason = error.strerror or error
    return ClipbenchError(f"cannot write {str(path)!r} ({reason}); name a folder that can be written to")


def read_provenance(path: str | Path) -> Provenance:
    """Read back what `save_png` wrote into a file.

    Raises:
        ClipbenchError: the file is no PNG of clipbench.
    """
    try:
        with Image.open(path) as image:
            return Provenance(**json.loads(image.info[_PNG_KEY]))
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise ClipbenchError(f"{str(path)!r} is not a picture that clipbench has written") from error
