"""One sweep at a time writes to a store."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import fsspec
from filelock import FileLock, Timeout

from clipbench.errors import ClipbenchError
from clipbench.results import cannot_write
from clipbench.sweeps.place import file_system, is_remote, local

_BEAT = 20.0  # seconds between two signs of life of a sweep into a remote store
_SILENCE = 6 * _BEAT  # after which it is taken for dead


@contextmanager
def locked(path: str | Path) -> Iterator[None]:
    """Hold a store while the block runs.

    On this machine's disks the system holds the lock, and lets go of it when the process ends, however it
    ends. A remote store has a file beside it with the time of the last sign of life. Of two sweeps that begin
    at once, one gets to make that file where the file system can make one only if there is none: S3, Google
    and Azure can, but fsspec looks first and writes then on others, such as SFTP. Neither can it take over
    the file of a dead sweep in one step. Two sweeps that slip through there do the same work twice: a block
    is the same whoever writes it.

    Raises:
        ClipbenchError: another sweep holds it, or it cannot be written to.
    """
    try:
        with _beating(str(path)) if is_remote(path) else _held(local(path)):
            yield
    except OSError as error:  # also of what is written while the store is held, such as a full disk
        raise cannot_write(path, error) from error


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.with_name(f".{folder.name}.lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise _busy(str(folder)) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _beating(address: str) -> Iterator[None]:
    files, root = file_system(address)
    place, own, over = f"{root.rstrip('/')}.lock", uuid4().hex, threading.Event()

    def beat(mode: str = "overwrite") -> None:
        files.pipe_file(place, json.dumps({"sweep": own, "beat": time.time()}).encode(), mode=mode)

    def keep_beating() -> None:
        while not over.wait(_BEAT):
            beat()

    last = _told(files, place)
    if last is not None and time.time() - last["beat"] > _SILENCE:
        files.rm_file(place)
    try:
        beat("create")
    except OSError as error:  # not always FileExistsError: each file system has its own
        if _told(files, place) is None:
            raise
        raise _busy(address) from error
    heart = threading.Thread(target=keep_beating, daemon=True)
    heart.start()
    try:
        yield
    finally:
        over.set()
        heart.join()
        last = _told(files, place)
        if last is not None and last["sweep"] == own:  # else another one took this sweep for dead
            files.rm_file(place)


def _told(files: fsspec.AbstractFileSystem, place: str) -> dict | None:
    """What the file of a lock says; None if there is none."""
    try:
        return json.loads(files.cat_file(place))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ClipbenchError(
            f"the lock {place!r} cannot be read; remove it if no sweep is writing there"
        ) from error


def _busy(place: str) -> ClipbenchError:
    return ClipbenchError(f"another sweep is writing to {place!r}; wait for its end, or name another store")
