"""Finding the packages that only pretraining needs, or saying in one sentence which one is missing."""

from importlib import import_module
from types import ModuleType

from clipbench.errors import ClipbenchError


def package(module: str, name: str) -> ModuleType:
    """Import a module of the extra "pretrain".

    Args:
        module: what is imported.
        name: the package on PyPI that has it.

    Raises:
        ClipbenchError: it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ClipbenchError(
            f'pretraining needs the package {name}; run "pip install clipbench[pretrain]"'
        ) from error
