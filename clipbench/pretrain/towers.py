"""The network: EfficientNet-Lite0 as it left ImageNet, with CLIP's attention pooling, and a text tower."""

from copy import deepcopy
from types import MethodType

import open_clip
import torch
from timm.layers import apply_rot_embed_cat
from timm.layers.attention_pool2d import RotAttentionPool2d
from timm.models.efficientnet import EfficientNet
from torch import Tensor, nn
from torch.nn.functional import linear, normalize, relu6

from clipbench.models import VisionModel
from clipbench.pretrain.recipe import Recipe
from clipbench.pretrain.space import SPELLING, WIDTH, Space

CONTROL = "timm/tf_efficientnet_lite0"
_MLP = 1.5  # width of the text tower's hidden layer; what a file of 32 MB leaves beside a token for each word
PATCH = 32  # pixels between two places of the last layer
MEAN = STD = 0.5  # of the picture's values in [0, 1], as the ImageNet weights expect


def configuration(recipe: Recipe, vocabulary_size: int, merges_file: str) -> dict:
    """open_clip's configuration of the model, as it stands in open_clip_config.json."""
    text = {"context_length": recipe.context, "vocab_size": vocabulary_size, "width": WIDTH, "heads": 6}
    return {
        "embed_dim": WIDTH,
        "vision_cfg": {
            "timm_model_name": CONTROL.removeprefix("timm/"),
            "timm_model_pretrained": False,
            "timm_pool": "rot_attn",
            "timm_proj": "",
            "image_size": recipe.size,
        },
        "text_cfg": {
            **text,
            "layers": 1,
            "mlp_ratio": _MLP,
            "tokenizer_kwargs": {"bpe_path": merges_file},
        },
    }


def build(config: dict, seed: int) -> open_clip.CLIP:
    """The network with random weights; its trunk still has its batch norms."""
    config = deepcopy(config)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return open_clip.CLIP(**config)


def reduced(device: torch.device) -> torch.autocast:
    """Half the bits for the large products, where the device is faster with them."""
    if device.type == "cpu":
        enabled = torch.cpu.get_capabilities().get("avx512_bf16", False)
    else:
        enabled = device.type == "cuda" and torch.cuda.is_bf16_supported()
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


class ImageTower(nn.Module):
    """The trunk with its batch norms folded in, in two halves, and the pooling.

    Args:
        trunk: folded, without a classifier.
        pool: timm's attention pooling.
        blocks_frozen: how many blocks belong to the half that keeps its weights.
    """

    def __init__(self, trunk: EfficientNet, pool: RotAttentionPool2d, blocks_frozen: int):
        super().__init__()
        self.trunk, self.pool, self._frozen = trunk, pool, blocks_frozen
        trunk.requires_grad_(True)
        for module in (trunk.conv_stem, trunk.bn1, trunk.blocks[:blocks_frozen]):
            module.requires_grad_(False)
        for module in trunk.blocks[blocks_frozen:].modules():
            if isinstance(module, nn.Conv2d) and module.groups > 1:
                module.forward = MethodType(_in_full, module)

    def early(self, pictures: Tensor) -> Tensor:
        """What the frozen half makes of pictures, (n, 3, h, w) bytes."""
        with torch.no_grad(), reduced(pictures.device):
            scaled = pictures.float().div(255).sub(MEAN).div(STD)
            scaled = scaled.contiguous(memory_format=torch.channels_last)
            return self.trunk.blocks[: self._frozen](self.trunk.bn1(self.trunk.conv_stem(scaled)))

    def late(self, early: Tensor) -> Tensor:
        """The units of the last layer before their ReLU6, (n, 1280, h, w), from what `early` returned."""
        with reduced(early.device):
            return self.trunk.conv_head(self.trunk.blocks[self._frozen :](early)).float()

    def embed(self, units: Tensor) -> Tensor:
        """(n, 384) of unit length, from what `late` returned."""
        with reduced(units.device):
            return normalize(attend(self.pool, relu6(units)).float(), dim=1)

    def looks(self, units: Tensor) -> Tensor:
        """(n, heads, h, w): how much each head of the pooling weighs each place of what `late` returned."""
        with reduced(units.device):
            weights, _ = attention(self.pool, relu6(units))
        return weights[:, :, 0, 1:].unflatten(2, units.shape[2:]).float()

    def embed_at(self, units: Tensor, weights: Tensor) -> Tensor:
        """(n, 384) of unit length: what the pooling makes of a mean of places, by (n, h, w) weights."""
        share = weights / weights.sum((1, 2), keepdim=True)
        return self.embed((relu6(units) * share[:, None]).sum((2, 3), keepdim=True))


def _in_full(module: nn.Module, x: Tensor) -> Tensor:
    """Depthwise convolutions that learn keep all bits: with half, their backward pass is slower on a CPU."""
    with torch.autocast(x.device.type, enabled=False):
        return type(module).forward(module, x.float())


def attend(pool: RotAttentionPool2d, units: Tensor) -> Tensor:
    """What timm's attention pooling returns, without what it computes for tokens that nobody reads.

    Args:
        pool: with a token that is the average, as open_clip builds it.
        units: (n, channels, h, w).

    Returns:
        (n, width).
    """
    weights, values = attention(pool, units)
    return pool.proj((weights @ values).transpose(1, 2).flatten(1))


def attention(pool: RotAttentionPool2d, units: Tensor) -> tuple[Tensor, Tensor]:
    """How each head of the pooling weighs the average and then every place, and what it has of each.

    Args:
        pool, units: as of `attend`.

    Returns:
        Weights (n, heads, 1, 1 + h·w), which sum to 1, and values (n, heads, 1 + h·w, channels of a head).
    """
    n, size = len(units), units.shape[2:]
    tokens = units.flatten(2).transpose(1, 2)
    average = tokens.mean(1, keepdim=True)
    of_query = pool.embed_dim
    weight, bias = pool.qkv.weight, pool.qkv.bias
    query = linear(average, weight[:of_query], bias[:of_query])
    keys, values = linear(torch.cat([average, tokens], 1), weight[of_query:], bias[of_query:]).chunk(2, 2)
    query, keys, values = (
        one.reshape(n, -1, pool.num_heads, pool.head_dim).transpose(1, 2) for one in (query, keys, values)
    )
    turned = apply_rot_embed_cat(keys[:, :, 1:], pool.pos_embed.get_embed(size))
    keys = torch.cat([keys[:, :, :1], turned.to(keys.dtype)], 2)
    logits = query @ keys.transpose(2, 3) / pool.head_dim**0.5
    return logits.softmax(3).to(values.dtype), values


def start_image_tower(network: open_clip.CLIP, control: VisionModel, recipe: Recipe) -> ImageTower:
    """The image tower before any training: ImageNet's weights, and a pooling that averages."""
    trunk = deepcopy(control.network)
    trunk.reset_classifier(0, global_pool="")
    tower = ImageTower(trunk, deepcopy(network.visual.head.pool), recipe.blocks_frozen)
    return tower.to(memory_format=torch.channels_last)


def aim(pool: nn.Module, space: Space, units: Tensor) -> None:
    """Set an attention pooling so that it averages, and reads the joint space off the average.

    Queries are constant, keys small, so attention starts even; values are the units themselves.

    Args:
        pool: timm's RotAttentionPool2d.
        space: tells which directions of the units are which directions of the space.
        units: (n, 1280) averages over photos, which set the length of each part.
    """
    parts = [
        matrix / (units @ matrix.T).norm(dim=1).mean() for matrix in (space.directions, space.semantic_map)
    ]
    width = pool.embed_dim
    with torch.no_grad():
        query, key, value = pool.qkv.weight.split(width)
        query.zero_()
        key.mul_(0.1)
        value.copy_(torch.eye(width))
        pool.qkv.bias[width:] = 0
        pool.qkv.bias[:width].normal_(std=0.5, generator=torch.Generator().manual_seed(0))
        pool.proj.weight.copy_(torch.cat([space.kept.T @ torch.cat(parts), torch.zeros(SPELLING, width)]))
        pool.proj.bias.zero_()
