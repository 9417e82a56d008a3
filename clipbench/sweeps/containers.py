"""Pictures inside of parquet tables and tar archives, read one by one."""

import tarfile
from functools import lru_cache
from pathlib import Path

import numpy as np

from clipbench.errors import ClipbenchError
from clipbench.stimuli import is_picture


def stamped(path: Path) -> tuple[str, int, int]:
    """A file as it is now: what was remembered of it counts only as long as that does not change."""
    told = path.stat()
    return str(path), told.st_mtime_ns, told.st_size


@lru_cache(maxsize=64)
def members(path: str, _changed: int, _size: int) -> dict[str, tuple[int, int]]:
    """Name -> (offset, size) of the pictures in a tar archive."""
    try:
        with tarfile.open(path, "r:") as archive:
            return {
                member.name: (member.offset_data, member.size)
                for member in archive
                if member.isfile() and is_picture(member.name)
            }
    except tarfile.TarError as error:
        raise ClipbenchError(f"{path!r} is no tar archive, or a compressed one; unpack it first") from error


def member(path: Path, inner: str) -> bytes:
    """Bytes of a picture in a tar archive."""
    offset, size = members(*stamped(path))[inner]
    with open(path, "rb") as file:
        file.seek(offset)
        return file.read(size)


@lru_cache(maxsize=64)
def groups(path: str, _changed: int, _size: int, column: str) -> np.ndarray:
    """(groups + 1,) first row of each row group of a parquet table, and the number of rows."""
    from pyarrow import parquet

    try:
        told = parquet.read_metadata(path)
    except (OSError, ValueError) as error:
        raise ClipbenchError(f"{path!r} is no parquet table; give another file") from error
    names = told.schema.to_arrow_schema().names
    if column not in names:
        raise ClipbenchError(f"{path!r} has no column {column!r}; its columns are {', '.join(names)}")
    return np.cumsum([0] + [told.row_group(group).num_rows for group in range(told.num_row_groups)])


@lru_cache(maxsize=2)
def _column(path: str, _changed: int, _size: int, column: str, group: int):
    """A column of a row group; two are kept, as pictures are read in order."""
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        return file.read_row_group(group, columns=[column]).column(0)


def cell(path: Path, column: str, row: int) -> bytes:
    """Bytes of a picture; Hugging Face keeps them in a struct with "bytes" and "path"."""
    file = stamped(path)
    starts = groups(*file, column)
    group = int(np.searchsorted(starts, row, side="right")) - 1
    value = _column(*file, column, group)[row - int(starts[group])].as_py()
    content = value["bytes"] if isinstance(value, dict) else value
    if not isinstance(content, bytes):
        raise LookupError(f"row {row} has no picture")
    return content
