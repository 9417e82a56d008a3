"""The network as open_clip builds it."""

from copy import deepcopy

import open_clip
import torch

from clipbench.pretrain.grown import WIDE
from clipbench.pretrain.recipe import Recipe
from clipbench.pretrain.space import WIDTH

CONTROL = "timm/tf_efficientnet_lite0"


def configuration(recipe: Recipe, vocabulary_size: int, merges_file: str) -> dict:
    """open_clip's configuration of the model, as it stands in open_clip_config.json."""
    text = {"context_length": recipe.context, "vocab_size": vocabulary_size, "width": WIDTH, "heads": 6}
    return {
        "embed_dim": WIDTH,
        "vision_cfg": {
            "timm_model_name": WIDE,
            "timm_model_pretrained": False,
            "timm_pool": "avg",
            "timm_proj": "linear",
            "image_size": recipe.size,
        },
        "text_cfg": {**text, "layers": 1, "tokenizer_kwargs": {"bpe_path": merges_file}},
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
