"""Print the installed version of everything that clipbench[test,pretrain] needs, one constraint a line.

Wheels that differ by platform (CUDA, Triton) and local version suffixes (+cpu) are left out, so that the
same file serves Linux, macOS and Windows, with and without a GPU.
"""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = tomllib.loads(Path("pyproject.toml").read_text())["project"]
PLATFORM = re.compile(r"nvidia-|cuda-|triton$")


def add_installed(line: str, extra: str, found: dict[str, str]) -> None:
    """Add what the requirement in `line` brings here to `found`, name -> version."""
    requirement = Requirement(line)
    if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
        return
    name = canonicalize_name(requirement.name)
    try:
        dist = distribution(name)
    except PackageNotFoundError:
        raise SystemExit(f"{name} is not installed; run make test first") from None
    if name in found and not requirement.extras:
        return
    found[name] = dist.version
    for needed in dist.requires or ():
        for wanted in requirement.extras or {""}:
            add_installed(needed, wanted, found)


def main() -> None:
    """Print the file."""
    found: dict[str, str] = {}
    extras = PROJECT["optional-dependencies"]
    for line in PROJECT["dependencies"] + extras["test"] + extras["pretrain"]:
        add_installed(line, "", found)
    print("# The exact versions that the tests ran with. Written by `make constraints`.")
    for name, version in sorted(found.items()):
        if not PLATFORM.match(name):
            print(f"{name}=={version.partition('+')[0]}")


if __name__ == "__main__":
    main()
