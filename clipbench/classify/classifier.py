"""Whatever answers with one of k labels, as a function of the embedding: one interface for all of them.

So whoever reads or edits units on the way can follow an answer back to them, whichever kind gave it.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from clipbench.classify.zero_shot import TEMPLATE, check_labels, class_weights, quoted
from clipbench.errors import ClipbenchError, unknown
from clipbench.models import ClipModel, ImageModel, Read, VisionModel, classes_of, imagenet_labels

_EMBEDDING = Read("embedding")


class Classifier(ABC):
    """A model and k labels.

    Attributes:
        model: the network whose embedding is judged.
        labels: k different labels.
        recipe: what it is, for the provenance.
    """

    model: ImageModel
    labels: tuple[str, ...]
    recipe: str

    @abstractmethod
    def logits(self, features: Tensor) -> Tensor:
        """(n, d) embeddings as they leave the tower -> (n, k) float32 logits, whose softmax is the answer."""

    @torch.no_grad()
    def probabilities(self, pixels: Tensor) -> Tensor:
        """(n, 3, h, w) in [0, 1] -> (n, k) float32, rows sum to 1."""
        features = self.model.answers(pixels, [_EMBEDDING])[_EMBEDDING]
        return self.logits(features.flatten(1)).softmax(dim=1)

    def place(self, label: str) -> int:
        """Number of a label.

        Raises:
            ClipbenchError: it is not among the labels; the nearest are named.
        """
        if label not in self.labels:
            raise unknown("label", label, self.labels)
        return self.labels.index(label)


@dataclass(frozen=True, eq=False)
class ZeroShot(Classifier):
    """Labels in a CLIP's own words.

    Args:
        model: a CLIP.
        labels: k labels.
        weights: (k, d) of unit length, as `class_weights` gives them.
        recipe: template and number of labels.
    """

    model: ClipModel
    labels: tuple[str, ...]
    weights: Tensor
    recipe: str

    def logits(self, features: Tensor) -> Tensor:
        """See `Classifier`."""
        return self.model.logit_scale * normalize(features.float(), dim=1) @ self.weights.T


@dataclass(frozen=True, eq=False)
class OwnClasses(Classifier):
    """A network's own classes, as they are or summed to labels as `class_probabilities` does.

    Args:
        model: a network with classes.
        labels: k labels.
        members: (k, classes) float32, 1 where a class belongs to a label.
        recipe: what the labels are.
    """

    model: VisionModel
    labels: tuple[str, ...]
    members: Tensor
    recipe: str

    def logits(self, features: Tensor) -> Tensor:
        """See `Classifier`; of several classes that make a label, the logarithm of their sum."""
        logits = self.model.network.get_classifier()(features).float()
        highest = logits.max(dim=1, keepdim=True).values
        least = torch.finfo(torch.float32).tiny  # a label that is 10^38 times less likely than the best one
        return ((logits - highest).exp() @ self.members.T).clamp_min(least).log() + highest


def as_classifier(
    what: ClipModel | VisionModel | Classifier,
    labels: Sequence[str] | None = None,
    template: str | Sequence[str] | None = None,
) -> Classifier:
    """The classifier that is meant by a model, or by a probe.

    Args:
        what: a CLIP, a network with classes, or a classifier such as a probe, which is returned as it is.
        labels: k different labels; None takes ImageNet's for a CLIP and all own classes for others.
        template: as for `zero_shot`; None takes "a photo of a {}".

    Raises:
        ClipbenchError: labels or template that make no classifier, or that this one has no use for.
    """
    if isinstance(what, ClipModel):
        names = imagenet_labels() if labels is None else tuple(check_labels(labels))
        template = TEMPLATE if template is None else template
        weights = class_weights(what, names, template)
        return ZeroShot(what, names, weights, f"zero-shot {quoted(template)} over {len(names)} labels")
    if template is not None:
        raise ClipbenchError("only a CLIP reads a template; leave it out")
    if isinstance(what, VisionModel):
        return _own_classes(what, labels)
    if not isinstance(what, Classifier):
        raise ClipbenchError(
            f"a model or a probe is needed, not {type(what).__name__}; load(…) gives a model"
        )
    if labels is not None:
        raise ClipbenchError(f"a probe has its own {len(what.labels)} labels; leave labels out")
    return what


def _own_classes(model: VisionModel, labels: Sequence[str] | None) -> OwnClasses:
    if labels is None:  # a name that two classes bear, such as missile, is one label
        names = tuple(dict.fromkeys(model.classes))
        members = torch.tensor([[one == name for one in model.classes] for name in names])
        recipe = f"own {len(names)} classes"
    else:
        names = tuple(check_labels(labels))
        members = torch.zeros(len(names), len(model.classes), dtype=torch.bool)
        for row, label in enumerate(names):
            members[row, classes_of(model, label)] = True
        recipe = f"own classes as {len(names)} labels"
    return OwnClasses(model, names, members.float().to(model.device), recipe)
