"""Pictures of which everybody knows what they are: the shipped photos, drawings and words."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

from clipbench.models import ImageModel
from clipbench.results import Provenance
from clipbench.stimuli import MODALITIES, concepts
from clipbench.streams import chunks

_BATCH = 32


@dataclass(frozen=True, eq=False)
class Shown:
    """What a layer says to the known pictures, of which some are done.

    Args:
        layer: the layer.
        done, total: pictures.
        answers: (done, units), before the ReLU, largest over the map.
        provenance: of the answers.
    """

    layer: str
    done: int
    total: int
    answers: np.ndarray
    provenance: Provenance


@cache
def known_pictures() -> tuple[tuple[Image.Image, str], ...]:
    """The shipped photos, drawings and words, each with what it is: labels that nobody has to guess."""
    return tuple(
        (image, modality.removesuffix("s"))
        for concept in concepts()
        for modality, images in zip(MODALITIES, concept.modalities, strict=True)
        for image in images
    )


def shown(model: ImageModel, layer: str | None = None) -> Iterator[Shown]:
    """Show a model the known pictures, a batch at a time.

    Args:
        model: any model.
        layer: None takes the last one that has a map.
    """
    layer = layer or model.last_layer
    images, kept = [image for image, _ in known_pictures()], []
    recipe = f"{layer} before ReLU, maximum over space, shipped photos, drawings and words"
    told = Provenance(model.name, model.weights_hash, recipe, n=len(images))
    for some in chunks(images, _BATCH):
        answers = model.activations(some, layer).float().amax(dim=(2, 3))
        kept.append(answers.cpu().numpy())
        done = np.concatenate(kept)
        yield Shown(layer, len(done), len(images), done, told)
