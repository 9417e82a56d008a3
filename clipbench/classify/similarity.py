"""How well pictures and texts go together: every picture with every text."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from clipbench.classify.zero_shot import check_has_texts
from clipbench.models import ClipModel
from clipbench.results import Provenance


@dataclass(frozen=True, eq=False)
class Similarities:
    """How similar n images and k texts are to a CLIP.

    Args:
        texts: k texts, as they were encoded.
        cosines: (n, k) float32 in [-1, 1], the cosine of the angle between the embeddings of image and text.
        weights: (k, d) float32, the embeddings of the texts, rows of unit length: read as a linear
            classifier over images, its weight matrix.
        scale: factor between cosine and logit, learnt by the model.
        provenance: model and recipe; n is the number of images.
    """

    texts: tuple[str, ...]
    cosines: np.ndarray
    weights: np.ndarray
    scale: float
    provenance: Provenance

    @property
    def best(self) -> np.ndarray:
        """(n,) int: for each image, the number of the text that is most similar to it."""
        return self.cosines.argmax(axis=1)

    @property
    def probabilities(self) -> np.ndarray:
        """(n, k) float32 in [0, 1], rows sum to 1: softmax over the texts of scale · cosine."""
        logits = self.scale * self.cosines
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))  # the largest is 1: nothing overflows
        return shares / shares.sum(axis=1, keepdims=True)


@torch.no_grad()
def similarities(model: ClipModel, images: Sequence[Image.Image], texts: Sequence[str]) -> Similarities:
    """Compare every image with every text.

    Args:
        model: a CLIP.
        images: n PIL images, any size.
        texts: k texts, taken as they stand; "a photo of a cat" is closer to what a CLIP was trained with
            than "cat".

    Returns:
        The (n, k) cosines, the classifier that the texts make, and its probabilities.

    Raises:
        ClipbenchError: no images; no texts or an empty one; a model without a text tower.
    Source: Radford et al. 2021, sections 2.3 (figure 3) and 3.1.2.
    """
    check_has_texts(model)
    seen, read = model.encode_image(images), model.encode_text(texts)
    recipe = f"cosine of {len(images)} images and {len(texts)} texts"
    provenance = Provenance(model.name, model.weights_hash, recipe, n=len(images))
    cosines = (seen @ read.T).clamp(-1, 1)  # rounding may leave the range by a hair
    return Similarities(
        tuple(texts), cosines.cpu().numpy(), read.cpu().numpy(), model.logit_scale, provenance
    )
