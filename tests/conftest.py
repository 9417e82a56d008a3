"""The models that many tests share, and the order of a full run: fast tests, the notebooks, the browser."""

import pytest

import clipbench as cb


@pytest.fixture(scope="session")
def mini():
    return cb.load("mini", device="cpu")


@pytest.fixture(scope="session")
def control():
    return cb.load("timm/tf_efficientnet_lite0", device="cpu")


def stage(item: pytest.Item) -> int:
    if "browser" in item.path.parts:
        return 2
    return 1 if item.path.suffix == ".ipynb" else 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if stage(item) == 2:
            item.add_marker("browser")
    items.sort(key=stage)
