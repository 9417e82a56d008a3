"""Folders of pages."""

from pathlib import Path

from clipbench.results import cannot_write


def made(folder: Path) -> Path:
    """The folder, made if need be.

    Raises:
        ClipbenchError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return folder
