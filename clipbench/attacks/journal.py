"""The rows of a run, on disk as they come, so that a run that was interrupted goes on."""

import hashlib
import json
from pathlib import Path

from clipbench.attacks.rows import Row, Seen
from clipbench.errors import ClipbenchError
from clipbench.results import cannot_write, save_bytes


class Journal:
    """Rows by the position of their image; one line of JSON a row, after a line that names the run.

    Args:
        path: the file, which is read if it is there and made with the first row if not; None keeps the rows
            in memory alone.
        key: what decides every row; a journal of another key is refused.

    Raises:
        ClipbenchError: the file is the journal of another run, or none.
    """

    def __init__(self, path: str | Path | None, key: str):
        self._path = None if path is None else Path(path)
        self._run = hashlib.sha256(key.encode()).hexdigest()
        self._head = json.dumps({"run": self._run}) + "\n"
        self.rows: dict[int, Row] = {}
        if self._path is not None and self._path.exists():
            self._read()

    def in_order(self) -> tuple[Row, ...]:
        """The rows in the order of their images."""
        return tuple(row for _, row in sorted(self.rows.items()))

    def add(self, rows: dict[int, Row]) -> None:
        """Keep rows, and write them behind those that are there.

        Raises:
            ClipbenchError: the file cannot be written, as on a full disk.
        """
        self.rows |= rows
        if self._path is None:
            return
        lines = [json.dumps([position, *row]) + "\n" for position, row in rows.items()]
        try:
            if not self._path.exists():
                lines.insert(0, self._head)
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(lines)
        except OSError as error:
            raise cannot_write(self._path, error) from error

    def _read(self) -> None:
        """Read what is there; a last line that was cut off in writing is taken away."""
        try:
            content = self._path.read_text(encoding="utf-8")
            if self._head.startswith(content):  # cut off before the first row, as on a full disk
                self._path.unlink()
                return
            whole, newline, rest = content.rpartition("\n")
            first, *lines = [json.loads(line) for line in whole.split("\n")]
            run = first["run"]
            rows = {position: _row(*told) for position, *told in lines}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ClipbenchError(f"{str(self._path)!r} is no journal; name another file") from error
        if run != self._run:
            raise ClipbenchError(
                f"{str(self._path)!r} is the journal of another run, with other images, texts or weights; "
                "name another file"
            )
        if rest:
            save_bytes(f"{whole}{newline}".encode(), self._path)
        self.rows = rows


def _row(name: str, truth: int, clean: list, attacked: list, covers: list) -> Row:
    return Row(name, truth, _seen(*clean), tuple(_seen(*seen) for seen in attacked), tuple(covers))


def _seen(top: int, share: float, targets: list) -> Seen:
    return Seen(top, share, tuple(targets))
