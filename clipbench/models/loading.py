"""`load`: a name becomes a model."""

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from textwrap import shorten
from typing import TypeVar

import open_clip
import timm
import torch
from open_clip.model import CLIP, CustomTextCLIP
from open_clip.pretrained import download_pretrained, get_pretrained_cfg, list_pretrained_tags_by_model
from open_clip.tokenizer import SimpleTokenizer
from open_clip.transform import PreprocessCfg, image_transform_v2, merge_preprocess_dict
from timm.data import create_transform, resolve_model_data_config
from torch import nn

from clipbench.errors import ClipbenchError, unknown
from clipbench.models.card import CONFIG, MINI, WEIGHTS
from clipbench.models.clip import ClipModel
from clipbench.models.fitting import as_open_clip, fill, in_order
from clipbench.models.vision import VisionModel
from clipbench.models.weights import (
    PACKAGES,
    cached_on_hub,
    cached_open_clip,
    packaged,
    read_weights,
    weights_hash,
)

T = TypeVar("T")

_TIMM = "timm/"
_RANDOM = "random"  # a tag that every architecture has: weights drawn with seed 0, the control of controls
_HUB_FILES = ["model.safetensors", "pytorch_model.bin"]


def load(
    name: str,
    checkpoint: str | Path | None = None,
    device: str | torch.device | None = None,
    dtype: torch.dtype | None = None,
    download: bool = False,
    trust: bool = False,
) -> ClipModel | VisionModel:
    """Load a model, frozen and ready to be looked into. Nothing is downloaded without `download`.

    Args:
        name: "mini", the embedded CLIP; "ARCHITECTURE/TAG" of open_clip, as in
            "RN50x4-quickgelu/openai"; "ARCHITECTURE" with a checkpoint; "timm/NAME" for a network without
            a text tower. The tag "random" gives weights drawn with seed 0 ("mini/random").
        checkpoint: local weights (.safetensors, or a state dict written by torch.save); for "mini", also a
            folder that `clipbench pretrain` wrote, with a configuration of its own.
        device: "cuda", "mps", "cpu" …; by default the best that there is.
        dtype: number format of the weights; by default float32.
        download: fetch missing weights from where open_clip or timm keeps them.
        trust: allow a checkpoint that is a TorchScript archive (OpenAI's own .pt files), whose code is run.

    Returns:
        A `ClipModel`, or a `VisionModel` for "timm/…".

    Raises:
        ClipbenchError: unknown name, missing or unfit weights, a device that is not there.
    """
    device = _device(device)
    if checkpoint is not None:
        _check_checkpoint(name, Path(checkpoint))
    if name.startswith(_TIMM):
        model = _load_timm(name, checkpoint, download, trust)
    elif name.partition("/")[0] == "mini":
        model = _load_mini(name, checkpoint, trust)
    else:
        model = _load_open_clip(name, checkpoint, download, trust)
    model.network.to(device=device, dtype=dtype)
    model.checkpoint = None if checkpoint is None else Path(checkpoint)
    return model


@dataclass(frozen=True)
class ModelInfo:
    """One line of the list of models: its name, what it is, and whether its weights are on this machine."""

    name: str
    what: str
    present: bool


def available() -> list[ModelInfo]:
    """The embedded model, its controls, and every pretrained entry of open_clip."""
    own = [
        ModelInfo("mini", "embedded CLIP: EfficientNet-Lite0 taught to read, with a small text tower", True),
        ModelInfo("timm/tf_efficientnet_lite0", "unimodal control: the same network before it read", True),
        ModelInfo("mini/random", "control: mini's architecture with random weights", True),
    ]
    entries = (
        ModelInfo(
            f"{architecture}/{tag}",
            "open_clip",
            cached_open_clip(get_pretrained_cfg(architecture, tag)) is not None,
        )
        for architecture, tag in open_clip.list_pretrained()
    )
    return own + list(entries)


def _device(device: str | torch.device | None) -> torch.device:
    if device is None:
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ClipbenchError(f"the device {str(device)!r} is not there; use cpu, or leave it out") from error


def _check_checkpoint(name: str, path: Path) -> None:
    if path.is_dir() and name.partition("/")[0] != "mini":
        raise ClipbenchError(f"{str(path)!r} is a folder; give the path of a weights file in it")
    if path.is_dir() and not (path / CONFIG).is_file():
        raise ClipbenchError(
            f"there is no {CONFIG} in {str(path)!r}; name a folder in which `clipbench pretrain` has finished"
        )
    if not path.exists():
        raise ClipbenchError(f"there is no checkpoint {str(path)!r}; give the path of a weights file")


def _load_mini(name: str, checkpoint: str | Path | None, trust: bool) -> ClipModel:
    tag = name.partition("/")[2]
    if tag not in ("", _RANDOM):
        raise unknown("model", name, ["mini", "mini/random"])
    source = MINI if checkpoint is None else Path(checkpoint)
    folder = source if source.is_dir() else MINI
    description = json.loads((folder / CONFIG).read_text())
    config = description["model_cfg"]
    network = _build(config)
    if tag != _RANDOM:
        fill(network, read_weights(source / WEIGHTS if source.is_dir() else source, trust), name)
    text = config["text_cfg"]
    tokenizer = SimpleTokenizer(
        bpe_path=str(folder / text["tokenizer_kwargs"]["bpe_path"]), context_length=text["context_length"]
    )
    return _clip_model(network, tokenizer, name, description["preprocess_cfg"])


def _load_open_clip(name: str, checkpoint: str | Path | None, download: bool, trust: bool) -> ClipModel:
    architecture, _, tag = name.partition("/")
    config = open_clip.get_model_config(architecture)
    if config is None:
        raise unknown("model", architecture, ["mini", *open_clip.list_models()])
    preprocessing: Mapping = {}
    if checkpoint is None and tag != _RANDOM:
        preprocessing = _pretrained_entry(architecture, tag, config)
        checkpoint = _open_clip_weights(name, preprocessing, download)
    network = _build(config)
    if checkpoint is not None:
        fill(network, read_weights(checkpoint, trust), name, as_open_clip)
    try:
        tokenizer = open_clip.get_tokenizer(architecture)
    except OSError as error:
        raise ClipbenchError(
            f"the tokenizer of {architecture} is not on this machine; its Hugging Face repository "
            f"{config['text_cfg'].get('hf_tokenizer_name')!r} has to be in the cache"
        ) from error
    return _clip_model(network, tokenizer, name, preprocessing)


def _pretrained_entry(architecture: str, tag: str, config: Mapping) -> Mapping:
    tags = [*list_pretrained_tags_by_model(architecture), _RANDOM]
    if not tag:
        raise ClipbenchError(
            f"{architecture!r} is an architecture without weights; write {architecture}/TAG with one of "
            f"{', '.join(tags)}, or give a checkpoint"
        )
    if tag not in tags:
        raise unknown(f"weights of {architecture}", tag, tags)
    entry = get_pretrained_cfg(architecture, tag)
    bare = architecture.removesuffix("-quickgelu")
    twin = bare if bare != architecture else f"{architecture}-quickgelu"
    differs = entry.get("quick_gelu", False) != config.get("quick_gelu", False)
    if (
        differs and twin in open_clip.list_models()
    ):  # without a twin, open_clip's own entry is at odds with itself
        raise ClipbenchError(
            f"the weights {tag!r} were trained with another GELU than {architecture} has; load {twin}/{tag}"
        )
    return entry


def _open_clip_weights(name: str, entry: Mapping, download: bool) -> Path:
    path = cached_open_clip(entry)
    if path is None and not download:
        raise _missing(name)
    return path or Path(_fetched(name, lambda: download_pretrained(entry)))


def _load_timm(name: str, checkpoint: str | Path | None, download: bool, trust: bool) -> VisionModel:
    architecture, _, tag = name.removeprefix(_TIMM).partition("/")
    if not timm.is_model(architecture):
        raise unknown("timm model", architecture, timm.list_models())
    network = _seeded(lambda: timm.create_model(architecture, pretrained=False))
    if checkpoint is not None:
        fill(network, read_weights(checkpoint, trust), name)
    elif architecture in PACKAGES and not tag:
        fill(network, in_order(read_weights(packaged(architecture)), network), name)
    elif tag != _RANDOM:
        network = _pretrained_timm(name, network, download)
    transform = create_transform(**resolve_model_data_config(network), is_training=False)
    return VisionModel(network, name, weights_hash(network), transform)


def _pretrained_timm(name: str, network: nn.Module, download: bool) -> nn.Module:
    repository = network.pretrained_cfg.get("hf_hub_id")
    path = cached_on_hub(repository, _HUB_FILES) if repository else None
    if path is None and not download:
        raise _missing(name)
    local = {"file": str(path)} if path else None
    create = partial(timm.create_model, name.removeprefix(_TIMM), pretrained=True)
    return _fetched(name, lambda: create(pretrained_cfg_overlay=local))


def _fetched(name: str, download: Callable[[], T]) -> T:
    try:
        return download()
    except (OSError, RuntimeError) as error:  # what the download libraries raise when they do not get through
        reason = shorten(str(error), 120, placeholder=" …")
        raise ClipbenchError(
            f"the weights of {name} could not be fetched ({reason}); check the network and try again"
        ) from error


def _missing(name: str) -> ClipbenchError:
    return ClipbenchError(
        f'the weights of {name} are not on this machine; fetch them with "clipbench fetch weights {name}" '
        f"or load({name!r}, download=True)"
    )


def _clip_model(network: nn.Module, tokenizer, name: str, preprocessing: Mapping) -> ClipModel:
    native = {**vars(PreprocessCfg()), "size": network.visual.image_size}
    settings = merge_preprocess_dict(native, _preprocessing_only(preprocessing))
    transform = image_transform_v2(PreprocessCfg(**settings), is_train=False)
    return ClipModel(network, tokenizer, name, weights_hash(network), transform)


def _preprocessing_only(entry: Mapping) -> dict:
    return {key: entry[key] for key in ("mean", "std", "interpolation", "resize_mode") if key in entry}


def _build(config: Mapping) -> nn.Module:
    """An open_clip network with random weights (seed 0), without open_clip's downloads and log lines."""
    config = deepcopy(dict(config))
    custom = config.pop("custom_text", False) or "hf_model_name" in config["text_cfg"]
    config["vision_cfg"]["timm_model_pretrained"] = False
    if "hf_model_name" in config["text_cfg"]:
        config["text_cfg"]["hf_model_pretrained"] = False
    if "multimodal_cfg" in config:
        return _seeded(lambda: open_clip.CoCa(**config))
    return _seeded(lambda: (CustomTextCLIP if custom else CLIP)(**config))


def _seeded(build) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build()
