"""Picture or adversarial example? What an ascent from a photo has changed, and what a model makes of it."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from clipbench.classify import BeforeAfter, before_after
from clipbench.errors import ClipbenchError
from clipbench.models import ClipModel, VisionModel, imagenet_labels

_GREY = 128


@dataclass(frozen=True, eq=False)
class Adversarial:
    """A photo, what became of it, and what a model takes both for.

    Args:
        photo: (s, s, 3) uint8, the start.
        result: (s, s, 3) uint8, the end.
        verdict: probabilities of all labels before and after; its provenance is the record's.
    """

    photo: np.ndarray
    result: np.ndarray
    verdict: BeforeAfter

    @property
    def change(self) -> np.ndarray:
        """(s, s, 3) int16, in levels of 255."""
        return self.result.astype(np.int16) - self.photo

    @property
    def mean_change(self) -> float:
        """Mean absolute change of a pixel's channel, in levels of 255; below 2 or 3 nobody sees it."""
        return float(np.abs(self.change).mean())

    def amplified(self, times: float = 10) -> np.ndarray:
        """The change, so many times as large, about grey: (s, s, 3) uint8, clipped at black and white."""
        return (_GREY + times * self.change).round().clip(0, 255).astype(np.uint8)

    def likely(self, k: int = 5) -> list[tuple[str, float, float]]:
        """The k labels with the largest probability before or after: label, before, after."""
        told, labels = self.verdict, list(self.verdict.labels)
        rows = [labels.index(label) for label in told.ranked[:k]]
        return [(labels[row], float(told.before[row]), float(told.after[row])) for row in rows]


def adversarial(
    model: ClipModel | VisionModel, photo: Tensor, result: Tensor, label: str | None = None, change: str = ""
) -> Adversarial:
    """Compare the start and the end of an ascent from a photo.

    With `parametrizations.pixel(photo=…)`, no transforms and no penalties the end is an adversarial example:
    it looks like the photo and counts as something else. With them the change is a picture itself.

    Args:
        model: whose opinion is asked; a CLIP chooses among ImageNet's names, a network among its classes.
        photo: (3, s, s) in [0, 1], step 0.
        result: (3, s, s) in [0, 1], the last step.
        label: what the ascent aimed at, to be among a CLIP's labels.
        change: the recipe of the ascent, for the provenance.

    Raises:
        ClipbenchError: pictures of different sizes.
    Source: Szegedy et al. 2014, "Intriguing properties of neural networks", for the phenomenon.
    """
    if photo.shape != result.shape:
        raise ClipbenchError(
            f"the photo is {tuple(photo.shape)}, the result {tuple(result.shape)}; take steps of one ascent"
        )
    before, after = (_pixels(image) for image in (photo, result))
    labels = None
    if isinstance(model, ClipModel):
        labels = list(dict.fromkeys([*imagenet_labels(), *([label] if label else [])]))
    images = [Image.fromarray(image) for image in (before, after)]
    return Adversarial(before, after, before_after(model, *images, labels, change=change))


def _pixels(image: Tensor) -> np.ndarray:
    return (image.detach() * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
