"""Results that are a table and what is true of all its rows, as JSON, CSV or Parquet; most read back."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

from clipbench.errors import ClipbenchError
from clipbench.results import check_path, read_json, reading, save_bytes, save_json
from clipbench.tables import ENDINGS, read_table, table_bytes


class Written(ABC):
    """A result that is some rows and what is true of all of them, and is written as that.

    `listed` is the name that its rows have in the document.
    """

    listed: ClassVar[str] = "rows"
    endings: ClassVar[tuple[str, ...]] = (".json", *ENDINGS)  # of its files

    @abstractmethod
    def about(self) -> dict:
        """What is true of all rows, as plain JSON types."""

    @abstractmethod
    def cells(self) -> list[dict]:
        """The rows, all of the same columns; see `table_bytes`."""

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        return {**self.about(), self.listed: self.cells()}

    def save(self, path: str | Path) -> Path:
        """Write all of it into one file of its `endings`; of a table, each row is one of `cells`.

        Raises:
            ClipbenchError: another ending, no row that a table could hold, a file that cannot be written.
        """
        path = check_path(path, self.endings)
        if path.suffix.lower() not in ENDINGS:
            return save_json(self.as_dict(), path)
        cells = self.cells()
        if not cells:
            raise ClipbenchError("nothing has been measured yet that a table could hold")
        return save_bytes(table_bytes(self.about(), cells, path.suffix.lower()), path)


class Tabled(Written):
    """A result whose files read back to the same; `kind` is what such a file is called."""

    kind: ClassVar[str]

    @classmethod
    @abstractmethod
    def of_cells(cls, about: dict, cells: Sequence[dict]) -> Self:
        """Back from `about` and `cells`, also where cells have become text and None has become "".

        Raises:
            One of `results.UNREADABLE` where they are of something else.
        """

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` has written.

        Raises:
            ClipbenchError: the file is not there, or is not that.
        """
        with reading(path, cls.kind) as file:
            return cls._read(file)

    @classmethod
    def _read(cls, path: Path) -> Self:
        if path.suffix.lower() in ENDINGS:
            return cls.of_cells(*read_table(path))
        document = read_json(path)
        return cls.of_cells(document, document[cls.listed])
