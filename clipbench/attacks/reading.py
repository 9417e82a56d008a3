"""Words that excite the units that excite a target, found without a photo that bears them."""

from collections.abc import Generator, Iterator, Sequence

import torch
from PIL import Image
from torch import Tensor

from clipbench.attacks.attribution import slope, values_at
from clipbench.attacks.trials import Trials
from clipbench.errors import ClipbenchError
from clipbench.stimuli import written
from clipbench.streams import chunks

_CHUNK = 8  # pictures at a time; between two of them a search can stop
_UNITS = 50  # that are asked: those whose say in the target's logit differs most from word to word


def guided(
    trials: Trials, words: Sequence[str], seen: Sequence[int]
) -> Generator[list[str], None, list[str]]:
    """The words, the most promising first; those too long for a page by themselves are left out.

    A unit's weight is the slope of the target's log probability by it, on photos, at the last layer. A unit
    reads if a written word changes it. A word's promise is the sum of weight times change over the units for
    which that product differs most between words.

    Args:
        trials: classifier, target and photos; the pictures encoded here are added to its `passes`.
        words: each is written by itself, in black on white.
        seen: places of the photos that may be looked at.

    Yields:
        After each batch of pictures an empty list, as nothing has been tried yet; there a reader can stop.

    Raises:
        ClipbenchError: no word is short enough.
    """
    words = [word for word in words if _fits(word, trials.classifier.model.image_size)]
    if not words:
        raise ClipbenchError("no text of the vocabulary fits on a page by itself; give shorter ones")
    slopes, pages = [], []
    for part in _slopes(trials, seen):
        slopes.append(part)
        yield []
    for part in _pages(trials, words):
        pages.append(part)
        yield []
    values = torch.cat(pages)
    says = torch.cat(slopes).mean(dim=0) * (values[1:] - values[0])
    units = says.std(dim=0, correction=0).topk(min(_UNITS, says.shape[1])).indices
    order = says[:, units].sum(dim=1).argsort(descending=True, stable=True)
    return [words[place] for place in order.tolist()]


def _slopes(trials: Trials, seen: Sequence[int]) -> Iterator[Tensor]:
    """(photos, channels) a batch: a unit's slope, summed over its map."""
    classifier, layer = trials.classifier, trials.classifier.model.last_layer
    place = classifier.place(trials.target)
    for some in chunks(seen, _CHUNK):
        photos = [trials.photos[photo] for photo in some]
        pixels = classifier.model.pixels(photos)
        values = values_at(classifier, pixels, layer)
        slopes = slope(classifier, pixels, layer, values, lambda logits: logits.log_softmax(dim=1)[:, place])
        trials.passes += 2 * len(photos)
        yield slopes.sum(dim=(2, 3))


def _pages(trials: Trials, words: Sequence[str]) -> Iterator[Tensor]:
    """(pages, channels) a batch: a unit on an empty page, then on one with each word, mean over its map."""
    model = trials.classifier.model
    side = model.image_size
    blank = Image.new("RGB", (side, side), "white")
    texts = [None, *words]
    for some in chunks(texts, _CHUNK):
        pixels = model.pixels([blank if text is None else written(text, side=side) for text in some])
        trials.passes += len(some)
        yield values_at(trials.classifier, pixels, model.last_layer).float().mean(dim=(2, 3))


def _fits(word: str, side: int) -> bool:
    try:
        written(word, side=side)
    except ClipbenchError:
        return False
    return True
