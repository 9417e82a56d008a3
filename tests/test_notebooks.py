"""What a chapter is made of, and that nbval does see a number that has changed."""

import copy
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CHAPTERS = [path for path in NOTEBOOKS if re.match(r"\d\d_", path.name)]
KEPT, IGNORED = "keep_output", "nbval-ignore-output"


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def code(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell: nbformat.NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_only_small_text_is_stored(path):
    notebook = read(path)
    assert path.stat().st_size < 50_000 and "widgets" not in notebook.metadata
    for cell in code(notebook):
        assert bool(cell.outputs) == (KEPT in tags(cell))
        assert all(list(output.data) == ["text/plain"] for output in cell.outputs)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name)
def test_a_chapter_asks_shows_and_leaves_something_to_try(path):
    notebook = read(path)
    first, last = notebook.cells[0].source, notebook.cells[-1].source
    assert re.match(r"# .+\?\n", first) and last.startswith("## Try this")
    cells = code(notebook)
    assert not any(re.search(r"^\s*(def|class) ", cell.source, re.MULTILINE) for cell in cells)
    assert sum(KEPT in tags(cell) for cell in cells) >= 3
    figures = [number for number, cell in enumerate(cells) if IGNORED in tags(cell)]
    gaps = [later - earlier for earlier, later in zip([-1, *figures], [*figures, len(cells)], strict=True)]
    assert max(gaps) <= 4, "more than three cells without a figure"


@pytest.mark.parametrize(("stored", "status"), [("'laptop'", 0), ("'pear'", 1)])
def test_nbval_sees_one_output_that_has_changed(tmp_path, stored, status):
    """The beginning of the first chapter, up to its first answer, as it is and with another answer."""
    notebook = copy.deepcopy(read(CHAPTERS[0]))
    answers = [
        cell for cell in code(notebook) if [o.data["text/plain"] for o in cell.outputs] == ["'laptop'"]
    ]
    notebook.cells = notebook.cells[: notebook.cells.index(answers[0]) + 1]
    answers[0].outputs[0].data["text/plain"] = stored
    nbformat.write(notebook, tmp_path / "beginning.ipynb")
    command = [sys.executable, "-m", "pytest", "--nbval", "-p", "no:cacheprovider", "beginning.ipynb"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (run.returncode, "1 failed" in run.stdout) == (status, bool(status)), run.stdout
