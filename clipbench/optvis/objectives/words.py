"""What the whole model says about a picture: its likeness to a text, its logit for a label."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import normalize

from clipbench.errors import ClipbenchError
from clipbench.models import ClipModel, ImageModel, Read, VisionModel, classes_of, imagenet_labels
from clipbench.optvis.objectives.base import Activations, Bound, Objective, Term, single

_EMBEDDING, _LOGITS = Read("embedding"), Read("logits")
_EVERY = 10  # of ImageNet's names; a hundred give the mean of a thousand, and any text tower soon reads them


class Probe(Protocol):
    """A linear probe, as `train_probe` gives it: weights · embedding of length √d + bias are its logits."""

    model: ImageModel
    name: str
    weights: Tensor
    bias: Tensor

    def place(self, label: str) -> int:
        """Row of a label, or a ClipbenchError."""


def text(text: str) -> Objective:
    """Cosine similarity of the picture's embedding with that of a text, in [-1, 1]."""
    return single(Text(text))


def label(label: str, template: str = "a photo of a {}", probe: Probe | None = None) -> Objective:
    """Logit of a label: for a CLIP above that of other labels, for a network with classes the class logit.

    Of a CLIP's logit, the scaled cosine with the label's sentence, the mean logit of a hundred of ImageNet's
    names is taken away: what all sentences share, such as that they tell of photos, is not the label.
    Where several classes bear the label, as all kinds of "spider" do, theirs are put together as the
    logarithm of a sum of exponentials, which is the logit of "any of them".

    Args:
        label: a word or phrase.
        template: the sentence for a CLIP, with {} where the label goes; a network with classes needs none.
        probe: a linear probe whose logit is wanted instead; it needs no sentence either.

    Raises:
        ClipbenchError: a label that the probe does not have.
    Source: Radford et al. 2021, section 3.1.2; Lucid's `class_logit`.
    """
    if probe is None:
        return single(Label(label, template))
    place = probe.place(label)
    weights, bias = tuple(probe.weights[place].tolist()), float(probe.bias[place])
    return single(Probed(label, probe.name, probe.model.weights_hash, weights, bias))


@dataclass(frozen=True)
class Text(Term):
    """See `text`."""

    text: str

    def __str__(self) -> str:
        return f"text({self.text!r})"

    def bind(self, model: ImageModel) -> Bound:
        """See `Term.bind`."""
        if not isinstance(model, ClipModel):
            raise ClipbenchError(
                f"{model.name} has no text tower; aim at one of its units, as in embedding:0"
            )
        wanted = model.encode_text([self.text])[0].to(model.dtype)
        return Bound(frozenset({_EMBEDDING}), lambda acts: _unit(acts) @ wanted)


@dataclass(frozen=True)
class Label(Term):
    """See `label`."""

    label: str
    template: str

    def __str__(self) -> str:
        return f"label({self.label!r} in {self.template!r})"

    def bind(self, model: ImageModel) -> Bound:
        """See `Term.bind`."""
        if not self.label.strip():
            raise ClipbenchError("the label is empty; write at least one word")
        if isinstance(model, VisionModel):
            classes = classes_of(model, self.label)
            return Bound(
                frozenset({_LOGITS}), lambda acts: acts[_LOGITS][:, classes].flatten(1).logsumexp(dim=1)
            )
        if "{}" not in self.template:
            raise ClipbenchError(
                f"template {self.template!r} has no place for the label; write {{}} where it goes, "
                'as in "a photo of a {}"'
            )
        sentences = [self.template.replace("{}", name) for name in imagenet_labels()[::_EVERY]]
        own = model.encode_text([self.template.replace("{}", self.label.strip())])[0]
        wanted = (model.logit_scale * (own - model.encode_text(sentences).mean(dim=0))).to(model.dtype)
        return Bound(frozenset({_EMBEDDING}), lambda acts: _unit(acts) @ wanted)


@dataclass(frozen=True)
class Probed(Term):
    """See `label`.

    Args:
        label, probe: what they are called.
        weights_hash: of the model that the probe was trained on.
        weights: (d,) the label's row.
        bias: the label's.
    """

    label: str
    probe: str
    weights_hash: str
    weights: tuple[float, ...]
    bias: float

    def __str__(self) -> str:
        return f"label({self.label!r} of {self.probe})"

    def bind(self, model: ImageModel) -> Bound:
        """See `Term.bind`."""
        if self.weights_hash != model.weights_hash:
            raise ClipbenchError(
                f"{self.probe} was trained on weights {self.weights_hash[:8]}, {model.name} has "
                f"{model.weights_hash[:8]}; train a probe on that"
            )
        weights = torch.tensor(self.weights, device=model.device, dtype=model.dtype)
        length = len(self.weights) ** 0.5
        return Bound(frozenset({_EMBEDDING}), lambda acts: length * (_unit(acts) @ weights) + self.bias)


def _unit(acts: Activations) -> Tensor:
    """Embeddings of unit length, (n, d)."""
    return normalize(acts[_EMBEDDING].flatten(1), dim=1)
