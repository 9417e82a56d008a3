"""The models that many tests share, and the order of a full run: fast tests, the notebooks, the browser."""

import pytest

import clipbench as cb


@pytest.fixture(scope="session")
def mini():
    return cb.load("mini", device="cpu")


@pytest.fixture(scope="session")
def control():
    return cb.load("timm/tf_efficientnet_lite0", device="cpu")


@pytest.fixture(scope="session")
def tiny():
    """A ResNet of 0.5 million random weights and five classes, for what holds of any network."""
    return random_resnet("tiny", 64)


@pytest.fixture(scope="session")
def untaught():
    """The same at 160 pixels: on the 64 of `tiny` long names cannot be written."""
    return random_resnet("untaught", 160)


def random_resnet(name: str, side: int):
    import timm
    import torch
    from torchvision.transforms import CenterCrop, Compose, Normalize, Resize, ToTensor

    from clipbench.models import VisionModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = timm.create_model("test_resnet", num_classes=5)
    transform = Compose([Resize(side), CenterCrop(side), ToTensor(), Normalize([0.45] * 3, [0.25] * 3)])
    return VisionModel(network, name, "0123456789ab", transform)


def stage(item: pytest.Item) -> int:
    if "browser" in item.path.parts:
        return 2
    return 1 if item.path.suffix == ".ipynb" else 0


@pytest.hookimpl(tryfirst=True)  # before "-m" chooses by marker
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if stage(item) == 2:
            item.add_marker("browser")
            if item.name.endswith("[dark]"):  # the same walk through a panel's states as in the light
                item.add_marker("thorough")
    items.sort(key=stage)
