"""What a measurement ran on, to stand beside its figures."""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path


def machine(*packages: str) -> dict[str, object]:
    """CPU, usable cores, system, Python, and the versions of the named packages."""
    return {
        "cpu": cpu_name(),
        "cores": usable_cores(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {package: version(package) for package in packages},
    }


def cpu_name() -> str:
    """The name the kernel gives the CPU; where it gives none, the architecture."""
    listing = Path("/proc/cpuinfo")
    named = re.search(r"model name\s*: (.+)", listing.read_text()) if listing.exists() else None
    return named[1] if named else platform.processor() or platform.machine()


def usable_cores() -> int:
    """Cores that this process may use; affinity is known on Linux alone."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
