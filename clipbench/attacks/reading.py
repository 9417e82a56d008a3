"""Words that excite the units that excite a target, found without a photo that bears them."""

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from clipbench.attacks.attribution import slope, values_at
from clipbench.attacks.trials import Trials
from clipbench.errors import ClipbenchError
from clipbench.stimuli import written

_CHUNK = 32
_UNITS = 50  # that are asked: those whose say in the target's logit differs most from word to word


def guided(trials: Trials, words: Sequence[str], seen: Sequence[int]) -> list[str]:
    """The words, the most promising first; those too long for a page by themselves are left out.

    A unit's weight is the slope of the target's log probability by it, on photos, at the last layer. A unit
    reads if a written word changes it. A word's promise is the sum of weight times change over the units for
    which that product differs most between words.

    Args:
        trials: classifier, target and photos; the pictures encoded here are added to its `passes`.
        words: each is written by itself, in black on white.
        seen: places of the photos that may be looked at.

    Raises:
        ClipbenchError: no word is short enough.
    """
    words = [word for word in words if _fits(word, trials.classifier.model.image_size)]
    if not words:
        raise ClipbenchError("no text of the vocabulary fits on a page by itself; give shorter ones")
    weights = _weights(trials, seen)
    changes = _changes(trials, words)
    says = weights * changes
    units = says.std(dim=0, correction=0).topk(min(_UNITS, says.shape[1])).indices
    order = says[:, units].sum(dim=1).argsort(descending=True, stable=True)
    return [words[place] for place in order.tolist()]


def _weights(trials: Trials, seen: Sequence[int]) -> Tensor:
    """(channels,): mean over photos of a unit's slope, summed over its map."""
    classifier, layer = trials.classifier, trials.classifier.model.last_layer
    place, parts = classifier.place(trials.target), []
    for start in range(0, len(seen), _CHUNK):
        photos = [trials.photos[photo] for photo in seen[start : start + _CHUNK]]
        pixels = classifier.model.pixels(photos)
        values = values_at(classifier, pixels, layer)
        slopes = slope(classifier, pixels, layer, values, lambda logits: logits.log_softmax(dim=1)[:, place])
        parts.append(slopes.sum(dim=(2, 3)))
        trials.passes += 2 * len(photos)
    return torch.cat(parts).mean(dim=0)


def _changes(trials: Trials, words: Sequence[str]) -> Tensor:
    """(words, channels): by how much a written word changes a unit from the empty page, mean over its map."""
    model = trials.classifier.model
    side, parts = model.image_size, []
    blank = Image.new("RGB", (side, side), "white")
    texts = [None, *words]
    for start in range(0, len(texts), _CHUNK):
        chunk = texts[start : start + _CHUNK]
        pixels = model.pixels([blank if text is None else written(text, side=side) for text in chunk])
        parts.append(values_at(trials.classifier, pixels, model.last_layer).float().mean(dim=(2, 3)))
        trials.passes += len(chunk)
    values = torch.cat(parts)
    return values[1:] - values[0]


def _fits(word: str, side: int) -> bool:
    try:
        written(word, side=side)
    except ClipbenchError:
        return False
    return True
