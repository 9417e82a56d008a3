"""Files that appear at once or not at all, and what reading a broken one raises."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from uuid import uuid4
from zipfile import BadZipFile

import numpy as np

from clipbench.errors import ClipbenchError

# What reading a file raises that is not what it should be: cut off, no archive, other content.
UNREADABLE = (OSError, EOFError, KeyError, ValueError, TypeError, BadZipFile)


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


def npz(told: dict, **arrays: np.ndarray) -> bytes:
    """An .npz file, compressed: arrays by name, and plain JSON types beside them, which `read_told` reads."""
    file = BytesIO()
    np.savez_compressed(file, told=json.dumps(told), **arrays)
    return file.getvalue()


def read_told(path: str | Path) -> tuple[dict, dict[str, np.ndarray]]:
    """What `npz` was told, and the arrays; one of `UNREADABLE` if the file is not that."""
    arrays = read_npz(path)
    return json.loads(arrays.pop("told").item()), arrays


@contextmanager
def reading(path: str | Path, kind: str) -> Iterator[Path]:
    """A file to read from; what fails in the block is told in a sentence.

    Args:
        path: the file.
        kind: what it should be, such as "a curve".

    Raises:
        ClipbenchError: the file is not there, or what is read of it is not that.
    """
    try:
        yield Path(path)
    except FileNotFoundError as error:
        raise ClipbenchError(
            f"there is no file {str(path)!r}; give one that clipbench has written"
        ) from error
    except UNREADABLE as error:
        raise ClipbenchError(f"{str(path)!r} is not {kind} that clipbench has written") from error


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
        with suppress(OSError):  # it has become the file, or was never made; a read-only disk says so again
            partial.unlink()


def check_path(path: str | Path, endings: Sequence[str]) -> Path:
    """The path, if a file of that ending can be written there now; asked before long work, it saves the work.

    Raises:
        ClipbenchError: it has another ending, is a folder, or lies in one that is missing or read-only.
    """
    path = Path(path)
    if path.suffix.lower() not in endings:
        raise ClipbenchError(f"{path.name!r} does not end in {', '.join(endings)}; write FILE{endings[0]}")
    if not path.parent.is_dir():
        raise ClipbenchError(f"the folder {str(path.parent)!r} does not exist; make it or name another one")
    if path.is_dir():
        raise ClipbenchError(f"{str(path)!r} is a folder; give the name of a file")
    try:
        with TemporaryFile(dir=path.parent):
            return path
    except OSError as error:
        raise cannot_write(path, error) from error


def made_folder(folder: str | Path) -> Path:
    """The folder, made if need be.

    Raises:
        ClipbenchError: it cannot be made.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return folder


def cannot_write(path: Path, error: OSError) -> ClipbenchError:
    """The sentence for a file that could not be written."""
    reason = error.strerror or error
    return ClipbenchError(f"cannot write {str(path)!r} ({reason}); name a folder that can be written to")
