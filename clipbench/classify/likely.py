"""What a model takes a picture for, when nobody has said between what it should choose."""

import torch
from PIL import Image

from clipbench.classify.zero_shot import class_probabilities, zero_shot
from clipbench.models import ClipModel, VisionModel, imagenet_labels


def most_likely(model: ClipModel | VisionModel, image: Image.Image, k: int = 5) -> list[tuple[str, float]]:
    """The k most likely labels for one picture: of ImageNet's names for a CLIP, else of its own classes.

    Args:
        model: a CLIP, or a network with classes.
        image: a PIL image of any size.
        k: how many.

    Returns:
        Pairs of label and probability, the most likely first; all labels' probabilities sum to 1.
    """
    with torch.no_grad():
        if isinstance(model, ClipModel):
            names, (probabilities,) = imagenet_labels(), zero_shot(model, [image], imagenet_labels())
        else:
            names, (probabilities,) = class_probabilities(model, [image])
    top = probabilities.topk(k)
    return [(names[place], share) for share, place in zip(*(each.tolist() for each in top), strict=True)]
