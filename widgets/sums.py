"""Sums of pictures of words: king − man + woman, as the image tower sees it."""

import html
import shlex
from collections.abc import Callable, Iterator

import ipywidgets as w

from clipbench.errors import ClipbenchError
from clipbench.streams import Progress
from clipbench.studies.word_arithmetic import WordSpace, known_words, word_space
from widgets import parts
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
    "and taken away. Does what lies nearest mean the sum, or does it look like it? The article says of "
    "king − man + woman that it becomes queen in some cases, where units that answer to letters are left out."
)


class Sums(w.VBox):
    """The words nearest to a sum, among a few at once and among the article's 3,698 on request.

    Args:
        bench: the shared state.
    """

    def __init__(self, bench: Workbench):
        self._bench, self._space = bench, None
        self._plus = parts.Field("plus", _PLUS, _some)
        self._minus = parts.Field("minus", _MINUS, _words)
        self._worker = Worker("Look among the article's words", self._work, self._take, _progress)
        self._message, self._table, self._caption = parts.Message(), w.HTML(), parts.Caption()
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
            words = dict.fromkeys([*_FEW, *plus, *minus])
            space = [*word_space(self._bench.loaded(), list(words))][-1].result
        return space, plus, minus, space.nearest(plus, minus)

    def _show(self, answer) -> None:
        space, plus, minus, nearest = answer
        rows = "".join(
            f'<tr><td>{html.escape(word)}</td><td class="cb-number">{cosine:.2f}</td></tr>'
            for word, cosine in nearest
        )
        self._table.value = f'<table class="cb-table"><tr><th>word</th><th>cosine</th></tr>{rows}</table>'
        told = space.provenance
        parted = [f"--plus={','.join(plus)}", f"--minus={','.join(minus)}"]
        command = shlex.join(["clipbench", "arithmetic", *parted, "--model", told.model])
        self._caption.show(told.caption(), command, parts.about(told.model))

    def _work(self) -> Callable[[], Iterator[Progress[WordSpace]]] | None:
        plus, minus = self._plus.meaning, self._minus.meaning
        if plus is None or minus is None:
            return None
        words = [*dict.fromkeys([*known_words(), *plus, *minus])]
        return lambda: word_space(self._bench.loaded(), words)

    def _take(self, progress: Progress[WordSpace]) -> None:
        if progress.result is not None:
            self._space = progress.result
            self._ask()

    def _forget(self) -> None:
        self._space = None
        self._ask()


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in split(text) if word)


def _some(text: str) -> tuple[str, ...]:
    words = _words(text)
    if not words:
        raise ClipbenchError("a sum needs at least one word to add, such as king")
    return words


def _progress(progress: Progress[WordSpace]) -> str:
    return f"{progress.done:,} of {progress.total:,} words"
