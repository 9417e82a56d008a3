"""The network: EfficientNet-Lite0 as it left ImageNet, with CLIP's attention pooling, and a text tower."""

from copy import deepcopy

import open_clip
import torch
from open_clip.tokenizer import SimpleTokenizer
from timm.models.efficientnet import EfficientNet
from torch import Tensor, nn
from torch.nn.functional import normalize

from clipbench.models import VisionModel
from clipbench.pretrain.recipe import Recipe
from clipbench.pretrain.space import SPELLING, WIDTH, Space

CONTROL = "timm/tf_efficientnet_lite0"
MEAN = STD = 0.5  # of the picture's values in [0, 1], as the ImageNet weights expect


def configuration(recipe: Recipe, vocabulary_size: int, merges_file: str) -> dict:
    """open_clip's configuration of the model, as it stands in open_clip_config.json."""
    text = {"context_length": recipe.context, "vocab_size": vocabulary_size, "width": 256, "heads": 4}
    return {
        "embed_dim": WIDTH,
        "vision_cfg": {
            "timm_model_name": CONTROL.removeprefix("timm/"),
            "timm_model_pretrained": False,
            "timm_pool": "rot_attn",
            "timm_proj": "",
            "image_size": recipe.size,
        },
        "text_cfg": {**text, "layers": 4, "tokenizer_kwargs": {"bpe_path": merges_file}},
    }


def build(config: dict, seed: int) -> open_clip.CLIP:
    """The network with random weights; its trunk still has its batch norms."""
    config = deepcopy(config)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return open_clip.CLIP(**config)


class ImageTower(nn.Module):
    """The trunk with its batch norms folded in, in two halves, and the pooling.

    Args:
        trunk: folded, without a classifier.
        pool: timm's attention pooling.
        blocks_frozen: how many blocks belong to the half that keeps its weights.
    """

    def __init__(self, trunk: EfficientNet, pool: nn.Module, blocks_frozen: int):
        super().__init__()
        self.trunk, self.pool, self._frozen = trunk, pool, blocks_frozen
        trunk.requires_grad_(True)
        for module in (trunk.conv_stem, trunk.bn1, trunk.blocks[:blocks_frozen]):
            module.requires_grad_(False)

    def early(self, pictures: Tensor) -> Tensor:
        """What the frozen half makes of pictures, (n, 3, h, w) bytes."""
        with torch.no_grad():
            scaled = pictures.float().div(255).sub(MEAN).div(STD)
            scaled = scaled.contiguous(memory_format=torch.channels_last)
            return self.trunk.blocks[: self._frozen](self.trunk.bn1(self.trunk.conv_stem(scaled)))

    def late(self, early: Tensor) -> Tensor:
        """The units of the last layer, (n, 1280, h, w), from what `early` returned."""
        trunk = self.trunk
        return trunk.bn2(trunk.conv_head(trunk.blocks[self._frozen :](early)))

    def embed(self, units: Tensor) -> Tensor:
        """(n, 640) of unit length."""
        return normalize(self.pool(units), dim=1)


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
        pool.proj.weight.copy_(torch.cat([*parts, torch.zeros(SPELLING, width)]))
        pool.proj.bias.zero_()


def start_token_embedding(network: open_clip.CLIP, tokenizer: SimpleTokenizer, space: Space) -> None:
    """Give every token that is a known word the target of that word, turned into the tower's width."""
    width = network.token_embedding.weight.shape[1]
    generator = torch.Generator().manual_seed(0)
    turn = torch.randn(WIDTH, width, generator=generator) / WIDTH**0.5
    known = {
        number: space.index[token.removesuffix("</w>")]
        for token, number in tokenizer.encoder.items()
        if token.endswith("</w>") and token.removesuffix("</w>") in space.index
    }
    targets = space.targets(torch.tensor(list(known.values())), 0.5)
    with torch.no_grad():
        start = normalize(targets @ turn, dim=1) * network.token_embedding.weight.norm(dim=1).mean()
        network.token_embedding.weight[list(known)] = start
