"""Run the chapters and store the outputs that tests compare; run it when the model or a chapter changes.

    python scripts/make_chapters.py [notebooks/00_start.ipynb …]

Kept are the texts of cells tagged "keep_output", and told where they have changed: the prose around them may
have to change, too. A chapter in which a cell fails stays as it is.
"""

import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
KEPT = "keep_output"


def run(path: Path) -> Iterator[str]:
    """Run a chapter and store it; yields a line for every kept output that has changed."""
    notebook = nbformat.read(path, as_version=4)
    before, metadata = [told(cell) for cell in notebook.cells], deepcopy(notebook.metadata)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(path.parent)}}).execute()
    for cell, old in zip(notebook.cells, before, strict=True):
        if cell.cell_type == "code":
            keep(cell)
            if told(cell) != old:
                yield f"{path.name} {cell.id}: {old} -> {told(cell)}"
    notebook.metadata = metadata  # a run would add the widgets' state and this machine's Python
    nbformat.write(notebook, path)


def told(cell: NotebookNode) -> list[str]:
    """The plain texts that a cell has put out."""
    return [output.data["text/plain"] for output in cell.get("outputs", []) if "data" in output]


def keep(cell: NotebookNode) -> None:
    """Drop a cell's outputs, but for the plain text of one that is to be kept."""
    kept = KEPT in cell.metadata.get("tags", [])
    cell.outputs = [output for output in cell.outputs if kept and "text/plain" in output.get("data", {})]
    for output in cell.outputs:
        output.data = NotebookNode({"text/plain": output.data["text/plain"]})
    cell.execution_count = cell.execution_count if kept else None
    cell.metadata.pop("execution", None)


if __name__ == "__main__":
    for chapter in map(Path, sys.argv[1:] or sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))):
        for line in run(chapter):
            print(line)
