"""Labels as a classifier: zero-shot for a CLIP, its own classes for a network without a text tower."""

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize

from clipbench.errors import ClipbenchError
from clipbench.models import Classes, ClipModel, VisionModel, classes_of

TEMPLATE = "a photo of a {}"


def zero_shot(
    model: ClipModel,
    images: Sequence[Image.Image],
    labels: Sequence[str],
    template: str | Sequence[str] = TEMPLATE,
) -> Tensor:
    """Probability of each label for each image.

    Args:
        model: a CLIP.
        images: n PIL images, any size.
        labels: k different words or phrases.
        template: a sentence with {} where the label goes, or several, whose embeddings are averaged.

    Returns:
        (n, k) float32 in [0, 1]; rows sum to 1.

    Raises:
        ClipbenchError: no images; no labels, an empty one or one given twice; a template without {}; a
            model without a text tower.
    Source: Radford et al. 2021, sections 3.1.2 and 3.1.4 (ensembles).
    """
    weights = class_weights(model, labels, template)
    return (model.logit_scale * model.encode_image(images) @ weights.T).softmax(dim=1)


def class_weights(
    model: ClipModel, labels: Sequence[str], template: str | Sequence[str] = TEMPLATE
) -> Tensor:
    """The zero-shot classifier of some labels.

    Args: as for `zero_shot`.

    Returns:
        (k, d) float32, rows of unit length: normalised mean over templates of the text embeddings.
    """
    check_has_texts(model)
    labels = check_labels(labels)
    templates = [template] if isinstance(template, str) else list(template)
    if not templates:
        raise ClipbenchError(f'there is no template; give at least one, as in "{TEMPLATE}"')
    texts = [text for each in templates for text in fill_in(labels, each)]
    embeddings = model.encode_text(texts).unflatten(0, (len(templates), len(labels)))
    return normalize(embeddings.mean(dim=0), dim=1)


def fill_in(labels: Sequence[str], template: str = TEMPLATE) -> list[str]:
    """The sentence for each label.

    Args:
        labels: k different words or phrases.
        template: a sentence with {} where the label goes.

    Returns:
        k texts.

    Raises:
        ClipbenchError: no labels, an empty one or one given twice; a template without {}.
    """
    labels = check_labels(labels)
    if "{}" not in template:
        raise ClipbenchError(
            f'template {template!r} has no place for the label; write {{}} where it goes, as in "{TEMPLATE}"'
        )
    return [template.replace("{}", label) for label in labels]


def quoted(template: str | Sequence[str]) -> str:
    """A template, or several, as a recipe tells them."""
    return " + ".join(f'"{each}"' for each in ([template] if isinstance(template, str) else template))


def class_probabilities(
    model: VisionModel, images: Sequence[Image.Image], labels: Sequence[str] | None = None
) -> tuple[tuple[str, ...], Tensor]:
    """What a network without a text tower sees, in its own classes or in the user's labels.

    A label stands for all classes whose name contains it as whole words: "apple" for "Granny Smith
    apple" and "cherimoya (custard apple)", "mug" for "coffee mug".

    Args:
        model: a network with classes.
        images: n PIL images.
        labels: k labels, or None for all classes.

    Returns:
        The k names, and (n, k) float32 in [0, 1] whose rows sum to 1.

    Raises:
        ClipbenchError: a label that is part of no class name.
    """
    probabilities = model.logits(images).softmax(dim=1)
    if labels is None:
        return model.classes, probabilities
    return tuple(check_labels(labels)), among_labels(model, probabilities, labels)


def among_labels(model: Classes, probabilities: Tensor, labels: Sequence[str]) -> Tensor:
    """Probabilities of all classes (n, 1000, say) become those of k labels (n, k), whose rows sum to 1."""
    labels = check_labels(labels)
    sums = torch.stack([probabilities[:, classes_of(model, label)].sum(dim=1) for label in labels], dim=1)
    return sums / sums.sum(dim=1, keepdim=True)


def check_has_texts(model: ClipModel | VisionModel) -> None:
    """Raise a ClipbenchError unless the model has a text tower."""
    if not isinstance(model, ClipModel):
        raise ClipbenchError(
            f"{model.name} has no text tower; ask it about its own classes with class_probabilities"
        )


def check_labels(labels: Sequence[str]) -> list[str]:
    """The labels without surrounding blanks, or a ClipbenchError if they cannot make a classifier."""
    if isinstance(labels, str):
        raise ClipbenchError('labels must be a list of strings, as in ["apple", "iPod"]')
    labels = [label.strip() for label in labels]
    if not any(labels):
        raise ClipbenchError("there are no labels; give at least two, as in apple, iPod")
    if not all(labels):
        raise ClipbenchError("there is an empty label; take out the comma too many")
    doubled = next((label for label in labels if labels.count(label) > 1), None)
    if doubled is not None:
        raise ClipbenchError(f"the label {doubled!r} is there twice; give each label once")
    return labels
