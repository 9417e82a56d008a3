"""Dependencies point one way: every import in clipbench is read from its source and checked."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Each room may import those above it. The facade is clipbench/__init__.py.
FLOORS = (
    {"errors"},
    {"cache", "intervals", "results", "streams", "tables", "units"},
    {"hooks", "tabled"},
    {"models", "stimuli"},
    {"classify", "optvis", "sweeps"},
    {"attacks", "studies"},
    {"parity"},
    {"figures"},
    {"report"},
    {"facade"},
    {"cli"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms} | {"pretrain": 4}
FRONT_ENDS = {"ipywidgets", "IPython", "anywidget", "widgets"}
DYNAMIC_IMPORTS = {"import_module", "importlib.import_module", "__import__"}
PLOTTING = {"figures", "report"}


class WithoutTypeHints(ast.NodeTransformer):
    """Drops what only type checkers read: naming the type of an argument is no use of its room."""

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        return node.orelse if ast.unparse(node.test) == "TYPE_CHECKING" else node


def imported(source: str, package: str) -> Iterator[str]:
    """Dotted names that the source imports, anywhere in it; `package` is where relative ones start."""
    for node in ast.walk(WithoutTypeHints().visit(ast.parse(source))):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                above = package.split(".")[: len(package.split(".")) - level + 1] if level else []
                start = ".".join([*above, *([module] if module else [])])
                yield from (f"{start}.{alias.name}" for alias in names)
            case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]):
                if ast.unparse(func) in DYNAMIC_IMPORTS:
                    yield name


def room_of(path: Path) -> str:
    """The room a file of clipbench belongs to, from its path relative to the repository."""
    name = path.parts[1].removesuffix(".py")
    return "facade" if name == "__init__" else name


def violations(path: Path, source: str) -> list[str]:
    """What the file imports and may not."""
    room, package = room_of(path), ".".join(path.parent.parts)
    if room not in FLOOR:
        return [f"{path}: there is no room {room}"]
    wrong = []
    for name in imported(source, package):
        top, _, rest = name.partition(".")
        if top in FRONT_ENDS or (top == "plotly" and room not in PLOTTING):
            wrong.append(f"{path} imports {name}")
        if top == "clipbench":
            inner = rest.partition(".")[0]
            other = inner if inner in FLOOR else "facade"
            if not may_import(room, other):
                wrong.append(f"{path}: {room} imports {other}")
    return wrong


def may_import(room: str, other: str) -> bool:
    if other == "pretrain":
        return room in {"pretrain", "cli"}
    return room == other or FLOOR[other] < FLOOR[room]


def test_every_import_points_down():
    files = sorted((ROOT / "clipbench").rglob("*.py"))
    assert files
    assert [line for file in files for line in violations(file.relative_to(ROOT), file.read_text())] == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("clipbench/units.py", "from clipbench.models import load"),
        ("clipbench/units.py", "from .models import load"),
        ("clipbench/units.py", "from . import results"),  # the same floor
        ("clipbench/models/load.py", "from ..stimuli import photos"),
        ("clipbench/models/load.py", "def f():\n    import clipbench.optvis.render"),  # lazy ones count
        ("clipbench/optvis/render.py", "import clipbench as cb"),
        ("clipbench/optvis/render.py", "from clipbench import zero_shot"),
        ("clipbench/optvis/render.py", 'import importlib\nimportlib.import_module("clipbench.attacks")'),
        ("clipbench/figures.py", "import ipywidgets"),
        ("clipbench/cli.py", "from IPython.display import display"),
        ("clipbench/cli.py", "from widgets.workbench import Workbench"),
        ("clipbench/classify/zero_shot.py", "import plotly.graph_objects as go"),
        ("clipbench/optvis/render.py", "from clipbench.pretrain import recipe"),
        ("clipbench/pretrain/recipe.py", "from clipbench.optvis import visualize"),
        ("clipbench/__init__.py", "from clipbench import cli"),
        ("clipbench/units.py", "if TYPE_CHECKING:\n    x = 1\nelse:\n    from clipbench.models import load"),
        ("clipbench/utils.py", ""),
    ],
)
def test_a_violation_is_seen(path: str, source: str):
    assert len(violations(Path(path), source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("clipbench/units.py", "from .errors import ClipbenchError"),
        ("clipbench/optvis/render.py", "from .objectives import channel\nfrom ..models import Read"),
        ("clipbench/cli.py", "import clipbench as cb\nfrom clipbench import figures, pretrain"),
        ("clipbench/pretrain/recipe.py", "from clipbench import models, stimuli"),
        ("clipbench/figures.py", "import plotly.graph_objects as go"),
        ("clipbench/__init__.py", "from .models import load"),
        ("clipbench/units.py", "if TYPE_CHECKING:\n    from clipbench.models import VisionModel"),
    ],
)
def test_what_the_design_draws_is_allowed(path: str, source: str):
    assert violations(Path(path), source) == []


def test_import_clipbench_leaves_the_heavy_libraries_out():
    heavy = {"open_clip", "timm", "torchvision", "plotly", "ipywidgets", "IPython"}
    code = f"import sys, clipbench; print(*({heavy!r} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []
