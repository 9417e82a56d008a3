"""A result as links, one for each kind of file, to be saved by the browser."""

import tempfile
from base64 import b64encode
from pathlib import Path
from typing import Protocol


class Savable(Protocol):
    """Whatever writes itself into files.

    Attributes:
        endings: of the files that it can be written to.
    """

    endings: tuple[str, ...]

    def save(self, path: str | Path) -> Path:
        """Write all of it into one file."""


def links(result: Savable, name: str) -> str:
    """A line of HTML with a link for each kind of file; `name` is theirs, without an ending."""
    with tempfile.TemporaryDirectory() as folder:
        files = [result.save(Path(folder) / f"{name}{ending}") for ending in result.endings]
        told = [
            f'<a class="cb-link" download="{file.name}" href="data:application/octet-stream;base64,'
            f'{b64encode(file.read_bytes()).decode()}">{file.suffix[1:]}</a>'
            for file in files
        ]
    return f'<p class="cb-note">Save as {" · ".join(told)}</p>'
