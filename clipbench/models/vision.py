"""A classifier without a text tower, such as the unimodal control."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Protocol

import torch
from open_clip import IMAGENET_CLASSNAMES
from PIL import Image
from timm.data import ImageNetInfo, infer_imagenet_subset
from torch import Tensor, nn
from torchvision.transforms import Compose

from clipbench.errors import unknown
from clipbench.hooks import Tap
from clipbench.models.image_model import ImageModel


class VisionModel(ImageModel):
    """A timm network: an image tower with classes.

    Args:
        network: a timm network with a classifier.
        name, weights_hash, transform: see `ImageModel`.
    """

    def __init__(self, network: nn.Module, name: str, weights_hash: str, transform: Compose):
        self.classes: tuple[str, ...] = _class_names(network)
        heads = {"embedding": Tap(network.get_classifier(), "input"), "logits": Tap(network)}
        super().__init__(network, network, name, weights_hash, transform, heads)

    @torch.no_grad()
    def logits(self, images: Sequence[Image.Image]) -> Tensor:
        """Class logits.

        Args:
            images: n PIL images.

        Returns:
            (n, k) float32, in the order of `classes`.
        """
        return self.activations(images, "logits").flatten(1).float()


class Classes(Protocol):
    """A network or a probe with classes that have names."""

    name: str
    classes: Sequence[str]


def classes_of(model: Classes, label: str) -> list[int]:
    """Numbers of the classes whose name contains a label as whole words, in any case.

    Raises:
        ClipbenchError: there is none; the sentence names the nearest.
    """
    words = re.compile(rf"(?<!\w){re.escape(label.strip())}(?!\w)", re.IGNORECASE)
    found = [number for number, name in enumerate(model.classes) if words.search(name)]
    if not found:
        raise unknown(f"class of {model.name}", label, model.classes)
    return found


@cache
def imagenet_labels() -> tuple[str, ...]:
    """ImageNet's class names as open_clip spells them; missile and sunglasses, there twice, once."""
    return tuple(dict.fromkeys(IMAGENET_CLASSNAMES))


def _class_names(network: nn.Module) -> tuple[str, ...]:
    """OpenAI's readable names for ImageNet-1k, timm's for its other subsets, numbers for anything else."""
    if network.num_classes == len(IMAGENET_CLASSNAMES):
        return tuple(IMAGENET_CLASSNAMES)
    subset = infer_imagenet_subset(network)
    if subset is None:
        return tuple(f"class {number}" for number in range(network.num_classes))
    return tuple(ImageNetInfo(subset).label_descriptions())
