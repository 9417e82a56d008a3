"""Models: `load` one by name; read and edit any of its layers."""

from clipbench.models.card import mini_card
from clipbench.models.clip import ClipModel
from clipbench.models.image_model import ImageModel, Read
from clipbench.models.layers import Layer
from clipbench.models.loading import ModelInfo, available, load
from clipbench.models.onward import onward
from clipbench.models.vision import Classes, VisionModel, classes_of, imagenet_labels

__all__ = [
    "Classes",
    "ClipModel",
    "ImageModel",
    "Layer",
    "ModelInfo",
    "Read",
    "VisionModel",
    "available",
    "classes_of",
    "imagenet_labels",
    "load",
    "mini_card",
    "onward",
]
