"""Small pictures, and a classifier whose answers can be worked out by hand."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image

import clipbench as cb
from clipbench.classify import Classifier


class Bright(Classifier):
    """Calls a picture dark, grey or bright by its mean; no network has a say."""

    labels = ("dark", "grey", "bright")
    recipe = "by brightness"

    def __init__(self, model):
        self.model = model

    def logits(self, features):
        return -200 * (features - torch.tensor([[0.0, 0.5, 1.0]])).abs()

    def probabilities(self, pixels):
        return self.logits(pixels.mean(dim=(1, 2, 3))[:, None]).softmax(dim=1)


@pytest.fixture(scope="session")
def chaos():
    return cb.load("mini/random", device="cpu")


@pytest.fixture
def bright(chaos) -> Bright:
    return Bright(chaos)


@pytest.fixture
def plain(chaos) -> Callable[[int], Image.Image]:
    """A picture of one grey, of the model's size."""
    side = chaos.image_size
    return lambda grey: Image.fromarray(np.full((side, side, 3), grey, np.uint8))
