"""What is installed, and from which list: the lists agree with one another and with the code."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import metadata, packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# Names that conda-forge gives to what PyPI calls otherwise.
PYPI_NAME = {"pytorch": "torch", "playwright-python": "playwright", "python-build": "build"}
OWN = {"clipbench", "widgets", "tests", "conftest"}
# A folder or a drive of one person's machine, not a part of a longer path or of an address.
MACHINE_PATH = re.compile(r"(?<![\w.~/-])(/(work|root|home|Users)/[\w.]|[A-Z]:\\\\?Users)")


def requirements(lines: list[str]) -> dict[str, str]:
    """Canonical PyPI name -> version specifier."""
    parsed = [Requirement(line) for line in lines]
    return {canonicalize_name(PYPI_NAME.get(one.name, one.name)): str(one.specifier) for one in parsed}


def declared(*extras: str) -> dict[str, str]:
    """The requirements of pyproject.toml with those of the named extras."""
    optional = PROJECT["optional-dependencies"]
    return requirements(PROJECT["dependencies"] + [line for extra in extras for line in optional[extra]])


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return requirements([line for line in lines if not line.startswith("#")])


def files_of_the_repo(*folders: str) -> list[Path]:
    """Tracked files and new ones that git does not ignore, relative to the repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *folders]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if run.returncode:
        pytest.skip("not a git checkout")
    return [path for name in run.stdout.split("\0") if name and (ROOT / (path := Path(name))).exists()]


def third_party(*folders: str) -> set[str]:
    """Distributions that the Python files in the folders import, by canonical name."""
    modules = set()
    for path in files_of_the_repo(*folders):
        if path.suffix == ".py":
            for node in ast.walk(ast.parse((ROOT / path).read_text())):
                if isinstance(node, ast.Import):
                    modules |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    modules.add(node.module.partition(".")[0])
    local = {path.stem for path in files_of_the_repo("tests", "benchmarks", "scripts")}
    foreign = modules - sys.stdlib_module_names - OWN - local
    providers = packages_distributions()
    return {canonicalize_name(providers.get(module, [module])[0]) for module in foreign}


def test_conda_environment_lists_the_same_packages():
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    by_pip = next(entry["pip"] for entry in dependencies if isinstance(entry, dict))
    assert "--editable ." in by_pip
    lines = [line for line in dependencies if isinstance(line, str)]
    listed = requirements(lines + [line for line in by_pip if line != "--editable ."])
    assert listed.pop("python") == PROJECT["requires-python"]
    del listed["pip"]
    assert listed == declared("test")


def test_every_tested_version_is_exact_and_within_the_ranges():
    tested = constraints()
    assert all(re.fullmatch(r"==[\w.]+", version) for version in tested.values())
    for name, specifier in declared("test", "pretrain").items():
        assert Requirement(f"{name}{specifier}").specifier.contains(tested[name].removeprefix("==")), name
    assert not [name for name in tested if name.startswith(("nvidia-", "cuda-", "triton"))]


def test_the_oldest_python_can_install_every_tested_version():
    oldest = PROJECT["requires-python"].removeprefix(">=") + ".0"  # Debian 12 has 3.11.2
    for name in constraints():
        needed = metadata(name).get("Requires-Python") or ""
        assert SpecifierSet(needed).contains(oldest), f"{name} needs Python {needed}"


def test_pre_commit_runs_the_tested_versions():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    revision = {hook["repo"].rpartition("/")[2]: hook["rev"].removeprefix("v") for hook in hooks}
    tested = constraints()
    assert f"=={revision['ruff-pre-commit']}" == tested["ruff"]
    assert f"=={revision['nbstripout']}" == tested["nbstripout"]


def test_what_the_code_imports_is_declared():
    assert third_party("clipbench", "widgets") - set(declared()) == set()
    assert third_party("tests", "scripts") - set(declared("test", "pretrain")) == set()


def test_no_file_names_a_path_of_the_machine_it_was_written_on():
    found = []
    for path in files_of_the_repo():
        try:
            text = (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or weights
        found += [f"{path}: {match[0]}" for match in MACHINE_PATH.finditer(text)]
    assert found == []


@pytest.mark.parametrize(
    ("text", "names_a_machine"),
    [
        ('open("' + "/work" + '/main/x")', True),
        ("see " + "/root" + "/.cache", True),
        ("C:\\" + "Users\\me", True),
        ("https://example.org/home/page", False),
        ("notebooks/home/x", False),
        ("../work/x", False),
    ],
)
def test_a_machine_path_is_told_from_others(text: str, names_a_machine: bool):
    assert bool(MACHINE_PATH.search(text)) == names_a_machine


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as archive:
        yield archive


def test_wheel_holds_the_packages_and_the_notebooks_whole(wheel: zipfile.ZipFile):
    expected = {
        "clipbench/" + path.as_posix() if path.parts[0] == "notebooks" else path.as_posix()
        for path in files_of_the_repo("clipbench", "widgets", "notebooks")
    }
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == expected


def test_wheel_runs_offline_with_its_own_data(wheel: zipfile.ZipFile):
    names = wheel.namelist()
    assert "clipbench/notebooks/dashboard.ipynb" in names
    assert "clipbench/notebooks/00_start.ipynb" in names
    for suffix, least in {".safetensors": 1, ".gz": 1, ".ttf": 1, ".jpg": 50}.items():
        assert sum(name.endswith(suffix) for name in names) >= least, suffix
    licences = {name.rpartition("/")[2] for name in names if "/licenses/" in name}
    assert licences == {"LICENSE", "NOTICE"}


def test_packages_the_customer_asked_for_come_along():
    wanted = {"ipywidgets", "torch", "open-clip-torch", "plotly", "pillow", "nbval", "voila"}
    assert wanted <= set(declared("test"))
