"""Defense-Prefix: labels that a learned token precedes, so that a CLIP looks at things and not at words."""

from collections.abc import Sequence
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor

from clipbench.classify.classifier import ZeroShot
from clipbench.classify.zero_shot import TEMPLATE, check_has_texts, fill_in
from clipbench.errors import ClipbenchError
from clipbench.models import ClipModel, imagenet_labels
from clipbench.models.clip import MARK


def defence_prefix(
    model: ClipModel, path: str | Path, labels: Sequence[str] | None = None, template: str = TEMPLATE
) -> ZeroShot:
    """A zero-shot classifier whose labels follow learned tokens: "a photo of a * apple".

    Args:
        model: the CLIP that the tokens were learned for.
        path: a .pt file with them, (tokens, width), such as the dp_rn50x4.pt of its authors; nothing in it
            is run.
        labels: k different labels; None takes ImageNet's.
        template: a sentence with {} for tokens and label.

    Raises:
        ClipbenchError: no such file, one of something else, tokens of another model's width.

    Source: Azuma and Matsui 2023, "Defense-Prefix for Preventing Typographic Attacks on CLIP".
    """
    check_has_texts(model)
    tokens, names = _tokens(Path(path)), imagenet_labels() if labels is None else tuple(labels)
    marks = " ".join([MARK] * len(tokens))
    texts = fill_in([f"{marks} {label}" for label in names], template)
    recipe = (
        f'zero-shot "{template}" with {len(tokens)} learned tokens of {Path(path).name} before each label'
    )
    return ZeroShot(model, names, model.encode_marked(texts, tokens), f"{recipe}, over {len(names)} labels")


def _tokens(path: Path) -> Tensor:
    try:
        tokens = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ClipbenchError(
            f"there is no file {str(path)!r}; give a .pt file with learned tokens"
        ) from error
    except (OSError, EOFError, RuntimeError, ValueError, UnpicklingError) as error:
        raise ClipbenchError(f"{str(path)!r} holds no tensor; give learned tokens as a .pt file") from error
    if not isinstance(tokens, Tensor) or tokens.ndim != 2 or not len(tokens):
        raise ClipbenchError(f"{str(path)!r} holds no learned tokens; give a tensor of (tokens, width)")
    return tokens.detach().float()
