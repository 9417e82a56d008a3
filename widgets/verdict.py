"""What one model sees before and after: a sentence, bars, and where they come from."""

import html
from collections.abc import Sequence

import ipywidgets as w

from clipbench import figures
from clipbench.classify import BeforeAfter
from widgets import parts
from widgets.chart import Place

CONTROL = "timm/tf_efficientnet_lite0"
_ABOUT = {
    "mini": parts.MINI,
    CONTROL: (
        "what is the control?",
        "The network that mini was made from, before it learnt to read: it knows photos of 1,000 kinds of "
        "things and no text. A word of yours stands for all the kinds whose name contains it.",
    ),
}


class Verdict(w.VBox):
    """A model's probabilities before and after.

    Args:
        title: what to call the model, if not by its name.
    """

    def __init__(self, title: str = ""):
        self.title = title
        self._heading = w.HTML()
        self._chart = Place()
        self._note, self._caption = parts.Note(), parts.Caption()
        self._body = w.VBox([self._chart, self._note, self._caption], layout={"display": "none"})
        super().__init__([self._heading, self._body])

    def show(self, result: BeforeAfter, order: Sequence[str] = (), command: str = "") -> None:
        """Draw a result; from any thread.

        Args:
            result: of one model.
            order: labels that come first, in this order.
            command: what to type in a terminal for the same.
        """
        model = result.provenance.model
        name = self.title or model
        if len(result.labels) < 2:
            self.wait(f"{name}: knows fewer than two of the labels, so it has nothing to choose from")
            return
        self._say(f"{name}: {_headline(result)}")
        self._body.layout.display = None
        self._chart.show(figures.before_after(result, order))
        self._note.say(_remark(result))
        self._caption.show(result.provenance.caption(), command, _ABOUT.get(model))
        self.remove_class("cb-stale")

    def wait(self, sentence: str) -> None:
        """Say why there is nothing to draw."""
        self._say(sentence)
        self._body.layout.display = "none"

    def fade(self) -> None:
        """Leave what was drawn, but show that it is no longer the answer."""
        self.add_class("cb-stale")

    def _say(self, text: str) -> None:
        self._heading.value = f"<h3>{html.escape(text)}</h3>"


def _headline(result: BeforeAfter) -> str:
    shares = (result.before.max(), result.after.max())
    told = (
        f"{label} {figures.percent(float(share))}"
        for label, share in zip(result.winners, shares, strict=True)
    )
    return " → ".join(told)


def _remark(result: BeforeAfter) -> str:
    """What a network with classes of its own says beside the labels."""
    sentences = []
    if result.missing:
        sentences.append(f"It has no class for {', '.join(result.missing)}.")
    if result.own is not None:
        own = " → ".join(f"{name} {figures.percent(share)}" for name, share in result.own)
        sentences.append(f"Among all its classes: {own}.")
    return " ".join(sentences)
