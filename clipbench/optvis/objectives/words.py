"""What the whole model says about a picture: its likeness to a text, its logit for a label."""

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import normalize

from clipbench.errors import ClipbenchError
from clipbench.models import ClipModel, ImageModel, Read, VisionModel, classes_of
from clipbench.optvis.objectives.base import Activations, Bound, Objective, Term, single

_EMBEDDING, _LOGITS = Read("embedding"), Read("logits")


def text(text: str) -> Objective:
    """Cosine similarity of the picture's embedding with that of a text, in [-1, 1]."""
    return single(Text(text))


def label(label: str, template: str = "a photo of a {}") -> Objective:
    """Logit of a label: the scaled cosine for a CLIP, the class logit for a network with classes.

    Where several classes bear the label, as all kinds of "spider" do, theirs are put together as the
    logarithm of a sum of exponentials, which is the logit of "any of them".

    Args:
        label: a word or phrase.
        template: the sentence for a CLIP, with {} where the label goes; a network with classes needs none.
    Source: Radford et al. 2021, section 3.1.2; Lucid's `class_logit`.
    """
    return single(Label(label, template))


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
        return Bound(
            frozenset({_EMBEDDING}), lambda acts: normalize(acts[_EMBEDDING].flatten(1), dim=1) @ wanted
        )


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
        sentence, scale = Text(self.template.replace("{}", self.label.strip())).bind(model), model.logit_scale

        def value(acts: Activations) -> Tensor:
            return scale * sentence.value(acts)

        return Bound(sentence.reads, value)
