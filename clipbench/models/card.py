"""What is shipped beside the weights of the embedded model: its figures and the words it was shown."""

import json
from pathlib import Path

from clipbench.models.weights import read_weights, state_hash

MINI = Path(__file__).parent / "mini"
CONFIG, WEIGHTS, CARD = "open_clip_config.json", "open_clip_model.safetensors", "card.json"
WORDS = "words.txt"


def mini_card(folder: Path = MINI) -> dict | None:
    """What was measured of a model: the file that `benchmarks/mini_card.py --write` puts beside its weights.

    Args:
        folder: where weights and card lie.

    Returns:
        weights_hash, label, figures and what was skipped; `note` is a sentence where the card was measured
        with other weights than lie there, and None where not. None if there is no card.
    """
    path = folder / CARD
    if not path.is_file():
        return None
    card = json.loads(path.read_text(encoding="utf-8"))
    found = state_hash(read_weights(folder / WEIGHTS))
    fits = found == card["weights_hash"]
    note = (
        None
        if fits
        else (
            f"measured with weights {card['weights_hash']}, not with {found}, which lie there now; "
            "run benchmarks/mini_card.py again"
        )
    )
    return {**card, "note": note}


def taught_words(folder: Path = MINI) -> tuple[str, ...]:
    """The words that were rendered for the embedded model in training, in the order in which they came.

    Args:
        folder: where its weights lie; `clipbench pretrain` writes the words beside them.

    Returns:
        The words as they are spelt; none if the file is absent.
    """
    path = folder / WORDS
    return tuple(path.read_text(encoding="utf-8").split()) if path.is_file() else ()
