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
from clipbench.sweeps.shelf import is_remote, local

_BEAT = 20.0  # seconds between two signs of life of a sweep into a remote store
_SILENCE = 6 * _BEAT  # after which it is taken for dead


@contextmanager
def locked(path: str | Path) -> Iterator[None]:
    """Hold a store while the block runs.

    On this machine's disks the system holds the lock, and lets go of it when the process ends, however it
    ends. A remote store has a file with the time of the last sign of life.

    Raises:
        ClipbenchError: another sweep holds it.
    """
    with _beating(str(path)) if is_remote(path) else _held(local(path)):
        yield


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f".{folder.name}.lock"), timeout=0):
            yield
    except Timeout as error:
        raise _busy(str(folder)) from error
    except OSError as error:  # also of what is written while the store is held, such as a full disk
        raise cannot_write(folder, error) from error


@contextmanager
def _beating(address: str) -> Iterator[None]:
    files, root = fsspec.core.url_to_fs(address)
    place, own, over = f"{root.rstrip('/')}.lock", uuid4().hex, threading.Event()
    if files.exists(place):
        told = json.loads(files.cat_file(place))
        if time.time() - told["beat"] < _SILENCE:
            raise _busy(address)

    def beat() -> None:
        files.pipe_file(place, json.dumps({"sweep": own, "beat": time.time()}).encode())

    def keep_beating() -> None:
        while not over.wait(_BEAT):
            beat()

    beat()
    heart = threading.Thread(target=keep_beating, daemon=True)
    heart.start()
    try:
        yield
    finally:
        over.set()
        heart.join()
        files.rm_file(place)


def _busy(place: str) -> ClipbenchError:
    return ClipbenchError(f"another sweep is writing to {place!r}; wait for its end, or name another store")
