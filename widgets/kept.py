"""Where panels keep what they have computed, so that it goes on after a stop and another day."""

from pathlib import Path

from clipbench.cache import cache_home
from clipbench.results import cannot_write


def folder_for(*names: str) -> Path:
    """A folder in the user's cache, made if need be.

    Raises:
        ClipbenchError: it cannot be made.
    """
    folder = cache_home().joinpath(*names)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return folder
