"""Where a store is: a folder of this machine, or an address of fsspec; and whether it is one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec
import zarr
from zarr.storage import FsspecStore, LocalStore

from clipbench.errors import ClipbenchError
from clipbench.results import cannot_write

FORMAT = 1


def storage(path: str | Path) -> LocalStore | FsspecStore:
    """A folder, or what an fsspec address such as "s3://bucket/store" leads to."""
    if is_remote(path):
        file_system(path)
        return FsspecStore.from_url(str(path))
    return LocalStore(local(path))


def file_system(path: str | Path) -> tuple[fsspec.AbstractFileSystem, str]:
    """What an fsspec address leads to, and the place in it.

    Raises:
        ClipbenchError: fsspec knows no such protocol, or lacks the package for it.
    """
    try:
        return fsspec.core.url_to_fs(str(path))
    except (ImportError, ValueError) as error:
        raise ClipbenchError(f"{str(path)!r} cannot be reached ({error}); name a folder instead") from error


@contextmanager
def sound(path: str | Path) -> Iterator[None]:
    """Tell in a sentence what zarr raises about files of a store that are not what was written.

    Raises:
        ClipbenchError: the store is damaged.
    """
    try:
        yield
    except ClipbenchError:
        raise
    except (LookupError, RuntimeError, TypeError, ValueError, FileNotFoundError) as error:
        raise ClipbenchError(
            f"the store at {str(path)!r} is damaged ({error}); sweep again into another place"
        ) from error


def local(path: str | Path) -> Path:
    """The folder of a store on this machine, whether given as a path or as file://…."""
    return Path(str(path).removeprefix("file://")).resolve()


def is_remote(path: str | Path) -> bool:
    """Whether a path is an address of another file system than this machine's."""
    return "://" in str(path) and not str(path).startswith("file://")


def opened(path: str | Path, write: bool = False) -> zarr.Group:
    """The store at a path.

    Args:
        path: a folder or an fsspec address.
        write: make one where nothing is.

    Raises:
        ClipbenchError: there is none, something else is there, or a store of another version.
    """
    try:
        mode = "r+" if write else "r"  # a reader makes no folder where nothing is
        root = zarr.open_group(storage(path), mode=mode, use_consolidated=False)
    except FileNotFoundError as error:
        if not write:
            raise ClipbenchError(
                f"there is no store at {str(path)!r}; make one with `clipbench sweep`"
            ) from error
        return _made(path)
    except (ValueError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ClipbenchError(
            f"{str(path)!r} holds something else than a store; name another place"
        ) from error
    found = root.attrs.get("clipbench_sweeps")
    if found is None:
        raise ClipbenchError(f"{str(path)!r} is not a store of clipbench; name another place")
    if found != FORMAT:
        raise ClipbenchError(
            f"the store at {str(path)!r} is of version {found}, and this clipbench writes version {FORMAT}; "
            "name another place, or use the clipbench that made it"
        )
    return root


def _made(path: str | Path) -> zarr.Group:
    folder = local(path)
    if not is_remote(path) and folder.exists():
        kept = [inside.name for inside in folder.iterdir() if not inside.name.startswith(".")]
        if kept:
            raise ClipbenchError(
                f"{str(path)!r} is a folder with something else, such as {kept[0]!r}; name another place"
            )
    try:
        return zarr.create_group(storage(path), attributes={"clipbench_sweeps": FORMAT})
    except OSError as error:
        raise cannot_write(folder, error) from error
