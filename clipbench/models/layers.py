"""The catalogue of addressable layers of an image tower, in the order of the forward pass.

A layer is read where the field reads it: after batch norm and residual sum, before the ReLU (Goh et
al. 2021 use `image_block_4/5/Add_6`). The last block of a stage bears the stage's name, so that
`layer4` of RN50x4 is the article's layer and its channels are the article's units.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from open_clip.modified_resnet import ModifiedResNet
from open_clip.timm_model import TimmModel
from open_clip.transformer import VisionTransformer
from timm.models.efficientnet import EfficientNet
from timm.models.resnet import ResNet
from timm.models.vision_transformer import VisionTransformer as TimmVisionTransformer
from torch import nn

from clipbench.errors import ClipbenchError
from clipbench.hooks import Tap, Tokens, reading

_PROBE_SIZE = 64  # any size does for a convolutional tower; two positions are left at stride 32


@dataclass(frozen=True)
class Layer:
    """One addressable layer.

    Args:
        name: its address, as in "layer4:550".
        channels: number of channels.
        stride: input pixels from one position to the next; None where the layer has no map.
    """

    name: str
    channels: int
    stride: int | None


@dataclass(frozen=True)
class Place:
    """Where a layer is tapped: before and after its nonlinearity (the same place if it has none)."""

    before: Tap
    after: Tap


@dataclass(frozen=True)
class Catalogue:
    """The layers of one tower and where they lie in it; both dicts have the same keys."""

    layers: dict[str, Layer]
    places: dict[str, Place]


def catalogue(tower: nn.Module) -> Catalogue:
    """List the layers of an image tower.

    Args:
        tower: open_clip's `ModifiedResNet`, `VisionTransformer` or `TimmModel`, or a timm network.

    Raises:
        ClipbenchError: a tower of another family.
    """
    trunk = tower.trunk if isinstance(tower, TimmModel) else tower
    places = dict(_places(trunk))
    if isinstance(trunk, (VisionTransformer, TimmVisionTransformer)):
        layers = dict(_token_layers(trunk, places))
    else:
        layers = _probed_layers(trunk, places)
    return Catalogue(layers, {name: places[name] for name in layers})


def takes_any_size(tower: nn.Module) -> bool:
    """Whether the layers (not the heads) can be read at sizes other than the native one."""
    trunk = tower.trunk if isinstance(tower, TimmModel) else tower
    return not isinstance(trunk, (VisionTransformer, TimmVisionTransformer))


def head_takes_any_size(tower: nn.Module) -> bool:
    """Whether the embedding can be read at any size: true for global average pooling only."""
    if isinstance(tower, TimmModel):
        return takes_any_size(tower) and not hasattr(tower.head, "pool")
    return takes_any_size(tower) and not isinstance(tower, ModifiedResNet)


def _places(trunk: nn.Module) -> Iterator[tuple[str, Place]]:
    if isinstance(trunk, ModifiedResNet):
        for number in (1, 2, 3):
            yield f"conv{number}", _around(getattr(trunk, f"act{number}"))
        yield from _residual_stages(trunk)
    elif isinstance(trunk, ResNet):
        yield "conv1", _around(trunk.act1)
        yield from _residual_stages(trunk)
    elif isinstance(trunk, EfficientNet):
        yield "conv_stem", _around(trunk.bn1.act)
        for name, block in _stages("blocks", trunk.blocks):
            yield name, _output(block)
        yield "conv_head", _around(trunk.bn2.act)
    elif isinstance(trunk, VisionTransformer):
        tokens = Tokens(prefix=1, grid=tuple(trunk.grid_size))
        yield from _transformer_blocks(trunk.transformer.resblocks, "gelu", tokens)
    elif isinstance(trunk, TimmVisionTransformer):
        tokens = Tokens(prefix=trunk.num_prefix_tokens, grid=tuple(trunk.patch_embed.grid_size))
        yield from _transformer_blocks(trunk.blocks, "act", tokens)
    elif getattr(trunk, "feature_info", None):
        for info in trunk.feature_info:
            name = info["module"]
            yield name, _output(trunk.get_submodule(name))
    else:
        raise ClipbenchError(
            f"image towers of the kind {type(trunk).__name__} have no known layers; use a ModifiedResNet, "
            "a vision transformer or a timm network with feature_info"
        )


def _around(nonlinearity: nn.Module) -> Place:
    return Place(Tap(nonlinearity, "input"), Tap(nonlinearity, "output"))


def _output(module: nn.Module, tokens: Tokens | None = None) -> Place:
    tap = Tap(module, "output", tokens)
    return Place(tap, tap)


def _stages(prefix: str, stages: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for number, stage in enumerate(stages):
        yield from _stage(f"{prefix}.{number}", stage)


def _stage(name: str, blocks: nn.Sequential) -> Iterator[tuple[str, nn.Module]]:
    for number, block in enumerate(blocks):
        yield (name if number == len(blocks) - 1 else f"{name}.{number}"), block


def _residual_stages(trunk: nn.Module) -> Iterator[tuple[str, Place]]:
    """A block's last ReLU comes after its sum; a bottleneck has a third one."""
    for stage in ("layer1", "layer2", "layer3", "layer4"):
        for name, block in _stage(stage, getattr(trunk, stage)):
            yield name, _around(block.act3 if hasattr(block, "act3") else block.act2)


def _transformer_blocks(blocks: nn.Module, nonlinearity: str, tokens: Tokens) -> Iterator[tuple[str, Place]]:
    """Per block its hidden MLP units (before and after their GELU) and the residual stream behind it."""
    for number, block in enumerate(blocks):
        gelu = getattr(block.mlp, nonlinearity)
        yield f"blocks.{number}.mlp", Place(Tap(gelu, "input", tokens), Tap(gelu, "output", tokens))
        yield f"blocks.{number}", _output(block, tokens)


def _token_layers(trunk: nn.Module, places: dict[str, Place]) -> Iterator[tuple[str, Layer]]:
    first = trunk.conv1 if isinstance(trunk, VisionTransformer) else trunk.patch_embed.proj
    for name in places:
        block = (trunk.transformer.resblocks if isinstance(trunk, VisionTransformer) else trunk.blocks)[
            int(name.split(".")[1])
        ]
        hidden = block.mlp.c_fc if isinstance(trunk, VisionTransformer) else block.mlp.fc1
        channels = hidden.out_features if name.endswith(".mlp") else hidden.in_features
        yield name, Layer(name, channels, first.stride[0])


@torch.no_grad()
def _probed_layers(trunk: nn.Module, places: dict[str, Place]) -> dict[str, Layer]:
    """Channels and strides as one small forward pass shows them, in its order."""
    weight = next(trunk.parameters())
    picture = torch.zeros(1, 3, _PROBE_SIZE, _PROBE_SIZE, device=weight.device, dtype=weight.dtype)
    with reading({name: place.before for name, place in places.items()}, stop=True) as maps:
        trunk(picture)
    return {name: Layer(name, value.shape[1], _PROBE_SIZE // value.shape[-1]) for name, value in maps.items()}
