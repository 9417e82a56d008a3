"""Weights into a network: under its names and in its shapes, or a sentence why they do not fit."""

from collections.abc import Mapping
from textwrap import shorten

from open_clip.convert import convert_state_dict
from open_clip.model import convert_to_custom_text_state_dict, resize_pos_embed, resize_text_pos_embed
from torch import Tensor, nn

from clipbench.errors import ClipbenchError


def fill(network: nn.Module, state: Mapping[str, Tensor], name: str, adapt=lambda state, _: state) -> None:
    """Load weights into a network.

    Args:
        network: what they belong to.
        state: names and weights.
        name: of the model, for the sentence.
        adapt: what has to be done to the weights before they have the network's names and shapes.

    Raises:
        ClipbenchError: they do not fit.
    """
    try:
        network.load_state_dict(adapt(state, network))
    except (RuntimeError, AssertionError) as error:  # open_clip asserts where it resizes
        problem = str(error).splitlines()[-1].strip()
        raise ClipbenchError(
            f"the checkpoint does not fit {name} ({shorten(problem, 160)}); "
            "load it with the architecture it was trained as"
        ) from error


def as_open_clip(state: Mapping[str, Tensor], network: nn.Module) -> Mapping[str, Tensor]:
    """What open_clip does to other projects' and older weights before it loads them."""
    state = convert_state_dict(network, dict(state))
    if "positional_embedding" in state and not hasattr(network, "positional_embedding"):
        state = convert_to_custom_text_state_dict(state)
    resize_pos_embed(state, network)
    resize_text_pos_embed(state, network)
    return state


def in_order(state: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Rename weights whose keys differ from timm's but lie in the same order with the same shapes."""
    own = network.state_dict()
    values = [value for key, value in state.items() if not key.endswith("num_batches_tracked")]
    keys = [key for key in own if not key.endswith("num_batches_tracked")]
    return {**own, **dict(zip(keys, values, strict=True))}
