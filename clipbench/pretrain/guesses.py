"""What the untouched network takes photos for whose class nobody told, so that unseen classes stay unseen."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from clipbench.models import VisionModel
from clipbench.pretrain.checkpoints import Checkpoints
from clipbench.pretrain.loop import SAVE_EVERY, Progress
from clipbench.pretrain.photos import Photo
from clipbench.streams import chunks

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
    known = len(guesses)
    for some in chunks(unknown[known:], _AT_ONCE):
        guesses += control.logits([photo.open() for photo in some]).argmax(1).tolist()
        if len(guesses) == len(unknown) or time.monotonic() - saved > SAVE_EVERY:
            checkpoints.save(GUESSES, guesses=guesses, photos=len(unknown))
            saved = time.monotonic()
        rate = (len(guesses) - known) / (time.monotonic() - start)
        yield Progress(GUESSES, len(guesses), len(unknown), {}, rate)


def with_guesses(photos: Sequence[Photo], checkpoints: Checkpoints) -> list[Photo]:
    """The photos in their order, those without a label with their guess."""
    content = checkpoints.load(GUESSES)
    guesses = iter(content["guesses"] if content else [])
    return [photo if photo.label is not None else replace(photo, guess=next(guesses)) for photo in photos]
