"""The trained towers as files that open_clip and `load` read."""

import json
from pathlib import Path

import open_clip
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from clipbench.pretrain.recipe import Recipe
from clipbench.pretrain.text_stage import TextTower
from clipbench.pretrain.towers import MEAN, STD, ImageTower, build, configuration
from clipbench.pretrain.vocabulary import write_merges

MERGES = "merges.txt.gz"


def export(recipe: Recipe, vocabulary_size: int, image: ImageTower, text: TextTower, folder: Path) -> Path:
    """Write configuration, tokenizer and weights (half precision); returns the weights' path."""
    config = configuration(recipe, vocabulary_size, MERGES)
    network = build(config, recipe.seed)
    put_back_norms(image.trunk, network.visual.trunk)
    network.visual.head.pool.load_state_dict(image.pool.state_dict())
    network.load_state_dict({**network.state_dict(), **text.state_dict()})
    preprocessing = {
        "mean": [MEAN] * 3,
        "std": [STD] * 3,
        "interpolation": "bicubic",
        "resize_mode": "shortest",
    }
    described = {"model_cfg": config, "preprocess_cfg": preprocessing, "recipe": recipe.hash}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(described, indent=2) + "\n")
    write_merges(recipe, folder / MERGES)
    path = folder / "open_clip_model.safetensors"
    save_file(_half(network), path)
    return path


def put_back_norms(folded: nn.Module, plain: nn.Module) -> None:
    """Copy a trunk with folded batch norms into one that has them, as norms that only add a bias."""
    for name, module in plain.named_modules():
        children = list(module.named_children())
        for (conv_name, conv), (_, norm) in zip(children, children[1:], strict=False):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                source = folded.get_submodule(f"{name}.{conv_name}" if name else conv_name)
                with torch.no_grad():
                    conv.weight.copy_(source.weight)
                    norm.weight.fill_(1)
                    norm.bias.copy_(source.bias)
                    norm.running_mean.zero_()
                    norm.running_var.fill_(1 - norm.eps)


def _half(network: open_clip.CLIP) -> dict[str, Tensor]:
    return {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in network.state_dict().items()
    }
