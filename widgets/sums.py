"""Sums of pictures of words, photos and drawings: king − man + woman, as the image tower sees it."""

import html
import shlex
from collections.abc import Callable, Iterator

import ipywidgets as w

from clipbench.errors import ClipbenchError
from clipbench.streams import Progress
from clipbench.studies.word_arithmetic import (
    PICTURES,
    WordSpace,
    known_images,
    known_words,
    only_words,
    word_space,
)
from widgets import parts, pictures
from widgets.jobs import Latest
from widgets.scene import split
from widgets.workbench import Workbench
from widgets.worker import Worker

_PLUS, _MINUS = "king, woman", "man"
_FEW = (  # embedded in a second, so that the panel opens with an answer
    "king", "queen", "man", "woman", "boy", "girl", "prince", "princess", "father", "mother",
    "france", "paris", "italy", "rome", "spain", "madrid", "dog", "puppy", "cat", "kitten",
)  # fmt: skip
_QUESTION = (
    "Every word is a picture: black letters on white. Their embeddings, less the mean of all, can be added "
    "and taken away. Does what lies nearest mean the sum, or does it look like it? The article says of king "
    "− man + woman that it becomes queen in some cases, where units that answer to letters are left out. "
    "Photos and drawings are terms, too: photo:cat, or drawing:cat face."
)
_SHOWN = 8  # photos and drawings
_SMALL = "Of a few words only; the button looks among the article's 3,698, and among photos and drawings."


class Sums(w.VBox):
    """What lies nearest to a sum: of a few words at once, of the article's 3,698 and all pictures on request.

    Args:
        bench: the shared state.
    """

    def __init__(self, bench: Workbench):
        self._bench, self._space = bench, None
        self._plus = parts.Field("plus", _PLUS, _some)
        self._minus = parts.Field("minus", _MINUS, _terms)
        self._worker = Worker("Look among all words and pictures", self._work, self._take, _progress)
        self._message, self._table, self._caption = parts.Message(), w.HTML(), parts.Caption()
        self._few, self._strip, self._terms = parts.Note(), parts.Strip(self._add, width=72), ()
        self._drawer = Latest(self._show, self._message.say)
        super().__init__(
            [
                parts.prose("What is king − man + woman?", "h2"),
                parts.prose(_QUESTION),
                self._plus,
                self._minus,
                self._worker,
                self._message,
                self._table,
                self._few,
                self._strip,
                self._caption,
            ]
        )
        for field in (self._plus, self._minus):
            field.observe(lambda _: self._ask(), "meaning")
        bench.observe(lambda _: self._forget(), "model")
        self._ask()

    def _ask(self) -> None:
        plus, minus, space = self._plus.meaning, self._minus.meaning, self._space
        if plus is not None and minus is not None:
            self._message.say("")
            self._drawer.ask(lambda: self._sum(space, plus, minus))

    def _sum(self, space: WordSpace | None, plus: tuple[str, ...], minus: tuple[str, ...]):
        if space is None:
            words = dict.fromkeys([*_FEW, *only_words([*plus, *minus])])
            space = [*word_space(self._bench.loaded(), list(words))][-1].result
        missing = next((term for term in (*plus, *minus) if term not in space.words), None)
        if missing is not None:
            raise ClipbenchError(f"{missing!r} has not been looked at yet; press the button above, and it is")
        return space, plus, minus, space.nearest(plus, minus)

    def _show(self, answer) -> None:
        space, plus, minus, nearest = answer
        rows = "".join(
            f'<tr><td>{html.escape(word)}</td><td class="cb-number">{_signed(cosine)}</td></tr>'
            for word, cosine in nearest
        )
        self._table.value = f'<table class="cb-table"><tr><th>word</th><th>cosine</th></tr>{rows}</table>'
        told, near = space.provenance, space.nearest(plus, minus, _SHOWN, PICTURES)
        self._few.say("" if near else _SMALL)
        parted = [f"--plus={','.join(plus)}", f"--minus={','.join(minus)}"]
        command = shlex.join(["clipbench", "arithmetic", *parted, "--model", told.model])
        self._caption.show(told.caption(), command if near else "", parts.about(told.model))
        self._terms = tuple(term for term, _ in near)
        self._strip.show(
            [(f"{term} {_signed(cosine)}", pictures.thumbnail(known_images()[term])) for term, cosine in near]
        )

    def _add(self, number: int) -> None:
        """Add the picture that was pressed."""
        self._plus.line.value = f"{self._plus.line.value}, {self._terms[number]}"

    def _work(self) -> Callable[[], Iterator[Progress[WordSpace]]] | None:
        plus, minus = self._plus.meaning, self._minus.meaning
        if plus is None or minus is None:
            return None
        own = only_words([*plus, *minus])  # the first ones: one that cannot be drawn is told at once
        words = [*dict.fromkeys([*own, *known_words()])]
        return lambda: word_space(self._bench.loaded(), words, known_images())

    def _take(self, progress: Progress[WordSpace]) -> None:
        if progress.result is not None:
            self._space = progress.result
            self._ask()

    def _forget(self) -> None:
        self._space = None
        self._ask()


def _terms(text: str) -> tuple[str, ...]:
    terms = tuple(term for term in split(text) if term)
    only_words(terms)  # refuses photos and drawings that are not there
    return terms


def _some(text: str) -> tuple[str, ...]:
    terms = _terms(text)
    if not terms:
        raise ClipbenchError("a sum needs at least one word to add, such as king")
    return terms


def _signed(cosine: float) -> str:
    return f"{cosine:.2f}".replace("-", "−")


def _progress(progress: Progress[WordSpace]) -> str:
    return f"{progress.done:,} of {progress.total:,} words and pictures"
