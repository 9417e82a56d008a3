"""The few pieces that every panel repeats: page, columns, caption line, message line, picture strip."""

import asyncio
import html
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as w
import traitlets

from clipbench.errors import ClipbenchError
from widgets.frame import Frame
from widgets.jobs import guarded

MINI = (
    "what is mini?",
    "A small but real CLIP that comes with this program: an EfficientNet-Lite0 that was taught to read, and "
    "a small text tower. It knows 1,000 kinds of things and 2,500 words, far less than OpenAI's CLIP.",
)

_STYLE = sorted((Path(__file__).parent / "style").glob("*.css"))
_OVERTAKEN = 0.15  # seconds; see entered()
_COPY = "navigator.clipboard.writeText(this.dataset.text).then(() => (this.textContent = 'copied'))"


class Page(w.VBox):
    """The outermost box of a panel: brings the style along and keeps the lines short."""

    def __init__(self, *children: w.Widget):
        style = "".join(path.read_text() for path in _STYLE)
        sheet = classed(w.HTML(f"<style>{style}</style>"), "cb-sheet")
        super().__init__([sheet, *children])
        self.add_class("cb-page")


def classed(widget: w.DOMWidget, *names: str) -> w.DOMWidget:
    """The same widget, wearing some classes of the style sheet."""
    for name in names:
        widget.add_class(name)
    return widget


def columns(controls: Sequence[w.Widget], results: Sequence[w.Widget]) -> w.Box:
    """What one sets, beside what comes of it; one under the other where the page is narrow."""
    narrow = classed(w.VBox(list(controls)), "cb-column")
    wide = classed(w.VBox(list(results)), "cb-column", "cb-wide")
    return classed(w.Box([narrow, wide]), "cb-columns")


def row(*children: w.Widget) -> w.Box:
    """Things in one line, wrapped where the page is narrow."""
    return classed(w.Box(list(children)), "cb-row")


def beside(*children: w.Widget) -> w.Box:
    """Things side by side that fold under one another where the page is narrow."""
    return classed(w.Box(list(children)), "cb-beside")


def prose(text: str, tag: str = "p", kind: str = "") -> w.HTML:
    """Escaped text as one HTML element: `tag` is "p", "h2" or "h3", `kind` a class such as "cb-note"."""
    return w.HTML(_element(text, tag, kind))


class Note(w.HTML):
    """A small grey line that changes, such as the progress of a run."""

    def say(self, text: str) -> None:
        """Show a text, escaped; from any thread."""
        self.value = _element(text, "p", "cb-note") if text else ""


class Fold(w.VBox):
    """Things out of sight until their title is pressed."""

    def __init__(self, *children: w.Widget):
        self._title = ""
        self._head = classed(w.Button(), "cb-fold")
        self._body = w.VBox(list(children), layout={"display": "none"})
        super().__init__([self._head, self._body])
        self._head.on_click(lambda _: self._turn())

    def say(self, title: str) -> None:
        """Change the title."""
        self._title = title
        self._head.description = f"{'▸' if self._body.layout.display else '▾'} {title}"

    def unfold(self) -> None:
        """Bring them into sight."""
        self._body.layout.display = None
        self.say(self._title)

    def _turn(self) -> None:
        self._body.layout.display = None if self._body.layout.display else "none"
        self.say(self._title)


class Message(w.HTML):
    """One sentence at the control that is wrong; read out by screen readers as soon as it appears."""

    def say(self, sentence: str) -> None:
        """Show a sentence, escaped; an empty one takes the line away. From any thread."""
        text = html.escape(sentence)
        self.value = f'<p class="cb-message" role="alert">{text}</p>' if sentence else ""


class Field(w.VBox):
    """A line of text that has to be something, and below it what is wrong when it is not.

    Args:
        label: what stands before the line.
        text: what stands in it at first.
        read: turns the text into what it means; raises a ClipbenchError where it means nothing.
    """

    meaning = traitlets.Any(None, help="what the text means; None while it means nothing")

    def __init__(self, label: str, text: str, read: Callable[[str], Any]):
        self.line = classed(w.Text(text, description=label), "cb-control")
        self._message, self._read = Message(), read
        super().__init__([self.line, self._message])
        self.line.observe(lambda _: self.check(), "value")
        self.check()

    def check(self) -> None:
        """Read the text again, because it or what it is measured by has changed."""
        self._message.say("")
        self._means = None
        guarded(self._understand, self._message.say)()
        self.meaning = self._means

    def _understand(self) -> None:
        self._means = self._read(self.line.value)


class Bars(w.HTML):
    """A few names with their shares, the largest first, as bars in text height."""

    def show(self, shares: Sequence[tuple[str, float]]) -> None:
        """Draw names (escaped) and their shares in [0, 1]; from any thread."""
        rows = (
            f'<span>{html.escape(name)}</span><span>{share:.0%}</span><i style="width:{share:.1%}"></i>'
            for name, share in shares
        )
        self.value = f'<div class="cb-bars">{"".join(rows)}</div>'


class Caption(w.HTML):
    """Where a picture comes from, and a button that copies the command which makes it again."""

    def show(self, caption: str, command: str = "", about: tuple[str, str] | None = None) -> None:
        """Fill the line; everything is escaped.

        Args:
            caption: model, unit, recipe, seed, n; usually `Provenance.caption()`.
            command: what to type in a terminal, for the button; none without.
            about: a short question and its answer, which opens on a click.
        """
        parts = [html.escape(caption)]
        if command:
            text = html.escape(command, quote=True)
            told = f'data-text="{text}" title="{text}"'
            parts.append(f'<button type="button" {told} onclick="{_COPY}">copy command</button>')
        if about is not None:
            question, answer = map(html.escape, about)
            parts.append(f"<details><summary>{question}</summary> {answer}</details>")
        self.value = f'<div class="cb-caption">{" · ".join(parts)}</div>'


class Strip(w.Box):
    """Small pictures in a row, each with a word below it; pressing one chooses it.

    Args:
        chosen: called with the position of the picture that was pressed.
        width: of one picture, in CSS pixels.
    """

    def __init__(self, chosen: Callable[[int], None], width: int = 52):
        super().__init__()
        self._chosen, self._width = chosen, width
        self.add_class("cb-strip")

    def show(self, pictures: Sequence[tuple[str, bytes]]) -> None:
        """Show pictures, given as a word and the bytes of an image file; those already there stay."""
        kept = self.children[: len(pictures)]
        new = [self._thumb(number, *pictures[number]) for number in range(len(kept), len(pictures))]
        for thumb, (word, picture) in zip(kept, pictures, strict=False):
            frame, label = thumb.children
            if frame.picture != picture:
                frame.show(picture, word)
            frame.alt = word
            label.value = _element(word, "p", "cb-caption")
        self.children = (*kept, *new)

    def mark(self, number: int | None) -> None:
        """Show which picture is the chosen one."""
        for position, thumb in enumerate(self.children):
            (thumb.add_class if position == number else thumb.remove_class)("cb-chosen")

    def _thumb(self, number: int, word: str, picture: bytes) -> w.VBox:
        frame = Frame(width=self._width, use="press")
        frame.show(picture, word)
        frame.on_press(lambda: self._chosen(number))
        return classed(w.VBox([frame, prose(word, kind="cb-caption")]), "cb-thumb")


def about(model: str) -> tuple[str, str] | None:
    """What a caption unfolds about a model: of mini, what it is; of others, nothing."""
    return MINI if model == "mini" else None


def unit_number(text: str, units: int) -> int:
    """The number of a unit that a person has written; a ClipbenchError tells which numbers there are."""
    if not text.strip().isdecimal() or int(text) >= units:
        raise ClipbenchError(f"there is no unit {text.strip()!r}; write a number from 0 to {units - 1}")
    return int(text)


def entered(text: w.Text, callback: Callable[[], None]) -> None:
    """Call back when Enter is pressed in a text field, once its last letters have arrived.

    While the kernel is busy, the front end holds letters back but sends Enter at once; so wait a moment.
    """

    def receive(_widget, content: dict, _buffers) -> None:
        if content.get("event") == "submit":
            asyncio.get_running_loop().call_later(_OVERTAKEN, callback)

    text.on_msg(receive)


def _element(text: str, tag: str, kind: str) -> str:
    return f'<{tag} class="{kind}">{html.escape(text)}</{tag}>'
