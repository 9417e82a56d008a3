"""Tables of rows, with what they are about, as CSV or Parquet: each reads back to the same."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

ENDINGS = (".csv", ".parquet")
_ABOUT = "about"  # last column of a CSV file, filled in its first row; key in the metadata of a Parquet file


def table_bytes(about: dict, rows: Sequence[dict], ending: str) -> bytes:
    """A file of at least one row, and of plain JSON types about all of them.

    Args:
        about: what is true of all rows.
        rows: n rows of the same columns, none called "about"; cells are text, numbers or None, and mappings,
            which become JSON.
        ending: of `ENDINGS`.
    """
    flat = [
        {name: json.dumps(cell) if isinstance(cell, dict) else cell for name, cell in row.items()}
        for row in rows
    ]
    return (_csv if ending == ".csv" else _parquet)(json.dumps(about), flat)


def read_table(path: Path) -> tuple[dict, list[dict]]:
    """What `table_bytes` made; cells of a CSV file are text, and None is an empty one.

    Raises:
        ValueError: a row of a CSV file is cut off; others of `results.UNREADABLE`.
    """
    return (_from_csv if path.suffix.lower() == ".csv" else _from_parquet)(path)


def _csv(about: str, rows: Sequence[dict]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, [*rows[0], _ABOUT])
    writer.writeheader()
    writer.writerows([{**rows[0], _ABOUT: about}, *rows[1:]])
    return file.getvalue().encode()


def _from_csv(path: Path) -> tuple[dict, list[dict]]:
    csv.field_size_limit(2**27)  # a long list of labels is one field
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    if any(None in row.values() for row in rows):
        raise ValueError("a row is cut off")
    (about,) = [told for row in rows if (told := row.pop(_ABOUT))]  # wherever a sorting has put it
    return json.loads(about), rows


def _parquet(about: str, rows: Sequence[dict]) -> bytes:
    import pyarrow
    from pyarrow import parquet

    table, file = pyarrow.Table.from_pylist(list(rows)), io.BytesIO()
    parquet.write_table(table.replace_schema_metadata({_ABOUT: about}), file)
    return file.getvalue()


def _from_parquet(path: Path) -> tuple[dict, list[dict]]:
    from pyarrow import parquet

    table = parquet.read_table(io.BytesIO(path.read_bytes()))
    return json.loads(table.schema.metadata[_ABOUT.encode()]), table.to_pylist()
