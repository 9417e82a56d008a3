"""What the untouched network takes photos for whose class nobody told, so that unseen classes stay unseen."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from clipbench.models import VisionModel
from clipbench.pretrain.checkpoints import Checkpoints
from clipbench.pretrain.loop import SAVE_EVERY, Progress
from clipbench.pretrain.photos import Photo

GUESSES = "guesses"  # the stage and its checkpoint
_AT_ONCE = 64  # photos


def guess(photos: Sequence[Photo], control: VisionModel, checkpoints: Checkpoints) -> Iterator[Progress]:
    """Let the network see every photo without a label once, or go on with it.

    Its guesses, as many positions in ImageNet's list, are afterwards the checkpoint `GUESSES`.
    """
    unknown = [photo for photo in photos if photo.label is None]
    content = checkpoints.load(GUESSES)
    guesses = content["guesses"] if content and content["photos"] == len(unknown) else []
    start = saved = time.monotonic()
    for done in range(0, len(unknown) - len(guesses), _AT_ONCE):
        shown = [photo.open() for photo in unknown[len(guesses) : len(guesses) + _AT_ONCE]]
        guesses += control.logits(shown).argmax(1).tolist()
        if len(guesses) == len(unknown) or time.monotonic() - saved > SAVE_EVERY:
            checkpoints.save(GUESSES, guesses=guesses, photos=len(unknown))
            saved = time.monotonic()
        rate = (done + len(shown)) / (time.monotonic() - start)
        yield Progress(GUESSES, len(guesses), len(unknown), {}, rate)


def with_guesses(photos: Sequence[Photo], checkpoints: Checkpoints) -> list[Photo]:
    """The photos in their order, those without a label with their guess."""
    content = checkpoints.load(GUESSES)
    guesses = iter(content["guesses"] if content else [])
    return [photo if photo.label is not None else replace(photo, guess=next(guesses)) for photo in photos]
