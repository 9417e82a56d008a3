"""Models: `load` one by name; read and edit any of its layers."""

from clipbench.models.card import mini_card
from clipbench.models.clip import ClipModel
from clipbench.models.image_model import ImageModel, Read
from clipbench.models.layers import Layer
from clipbench.models.loading import ModelInfo, available, load
from clipbench.models.vision import VisionModel

__all__ = [
    "ClipModel",
    "ImageModel",
    "Layer",
    "ModelInfo",
    "Read",
    "VisionModel",
    "available",
    "load",
    "mini_card",
]
