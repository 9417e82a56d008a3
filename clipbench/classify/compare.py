"""One picture before and after a change, as a classifier sees both."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image
from torch import Tensor

from clipbench.classify.probe import Probe
from clipbench.classify.zero_shot import (
    TEMPLATE,
    among_labels,
    check_labels,
    class_probabilities,
    quoted,
    zero_shot,
)
from clipbench.errors import ClipbenchError
from clipbench.models import ClipModel, VisionModel, classes_of
from clipbench.results import Provenance

_Pair = list[Image.Image]
_Labels = Sequence[str] | None


@dataclass(frozen=True, eq=False)
class BeforeAfter:
    """Probabilities of the same labels for a picture and for the changed picture.

    Args:
        labels: k labels.
        before: (k,) float32 in [0, 1], sums to 1.
        after: likewise.
        provenance: model, change and classifier; n is 1 picture.
        missing: labels that were asked for and that the model has no class for.
        own: of all the model's own classes, if it has some, the most likely one and its probability, before
            and after.
    """

    labels: tuple[str, ...]
    before: np.ndarray
    after: np.ndarray
    provenance: Provenance
    missing: tuple[str, ...] = ()
    own: tuple[tuple[str, float], tuple[str, float]] | None = None

    @property
    def winners(self) -> tuple[str, str]:
        """The most likely label before and after."""
        return self.labels[self.before.argmax()], self.labels[self.after.argmax()]

    @property
    def ranked(self) -> tuple[str, ...]:
        """The labels, those with the larger of their two probabilities first."""
        order = np.argsort(-np.maximum(self.before, self.after), kind="stable")
        return tuple(self.labels[row] for row in order)

    @property
    def flipped(self) -> bool:
        """Whether another label is the most likely one after the change."""
        return self.winners[0] != self.winners[1]


def before_after(
    model: ClipModel | VisionModel | Probe,
    image: Image.Image,
    changed: Image.Image,
    labels: Sequence[str] | None,
    template: str | Sequence[str] = TEMPLATE,
    change: str = "",
) -> BeforeAfter:
    """Ask a model about a picture before and after a change.

    Args:
        model: a CLIP takes any labels; a network without a text tower, or a probe, answers for those labels
            that are part of its class names, as `class_probabilities` does, and leaves the others out.
        image: the picture.
        changed: the picture after the change.
        labels: different words or phrases; None for all classes of such a network or probe.
        template: as for `zero_shot`; only a CLIP has a use for it.
        change: what was done to the picture, for the provenance.

    Returns:
        The probabilities; both rows sum to 1 over the labels that the model has.

    Raises:
        ClipbenchError: labels or a template that make no classifier, or no label that the model has.
    """
    ask = _own_classes if isinstance(model, VisionModel | Probe) else _zero_shot
    return ask(model, [image, changed], labels, template, change)


def _zero_shot(
    model: ClipModel, images: _Pair, labels: _Labels, template: str | Sequence[str], change: str
) -> BeforeAfter:
    if labels is None:
        raise ClipbenchError(f"{model.name} has no classes of its own; give labels, as in apple, iPod")
    names = tuple(check_labels(labels))
    rows = zero_shot(model, images, names, template)
    classifier = f"{quoted(template)} over {len(names)} labels"
    return BeforeAfter(names, *_arrays(rows), _provenance(model, change, classifier))


def _own_classes(
    model: VisionModel | Probe, images: _Pair, labels: _Labels, _template: object, change: str
) -> BeforeAfter:
    classes, rows = _all_classes(model, images)
    own = tuple((classes[row.argmax()], float(row.max())) for row in rows)
    if labels is None:
        names, missing, classifier = classes, (), "own classes"
    else:
        names, missing = _known(model, labels)
        rows, classifier = among_labels(model, rows, names), f"own classes as {len(names)} labels"
    return BeforeAfter(names, *_arrays(rows), _provenance(model, change, classifier), missing, own)


def _all_classes(model: VisionModel | Probe, images: _Pair) -> tuple[tuple[str, ...], Tensor]:
    if isinstance(model, Probe):
        return model.labels, model.probabilities(model.model.pixels(images))
    return class_probabilities(model, images)


def _provenance(model: ClipModel | VisionModel | Probe, change: str, classifier: str) -> Provenance:
    seen_by, kind = (model.model, model.kind) if isinstance(model, Probe) else (model, "")
    recipe = " · ".join(part for part in (change, kind, classifier) if part)
    return Provenance(seen_by.name, seen_by.weights_hash, recipe, n=1)


def _known(model: VisionModel | Probe, labels: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The labels that the model has classes for, at least one, and the others."""
    labels = check_labels(labels)
    known = tuple(label for label in labels if _has_class(model, label))
    if not known:
        classes_of(model, labels[0])  # raises, and names the nearest class
    return known, tuple(label for label in labels if label not in known)


def _has_class(model: VisionModel | Probe, label: str) -> bool:
    try:
        return bool(classes_of(model, label))
    except ClipbenchError:
        return False


def _arrays(rows: Tensor) -> tuple[np.ndarray, ...]:
    return tuple(rows.cpu().numpy())
