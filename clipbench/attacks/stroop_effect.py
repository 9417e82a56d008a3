"""Stroop's test: the name of a colour, written in a colour. Which of the two does a model name?"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image

from clipbench.classify import zero_shot
from clipbench.intervals import Rate
from clipbench.models import ClipModel
from clipbench.results import (
    Provenance,
    check_path,
    npz,
    read_json,
    read_told,
    reading,
    save_bytes,
    save_json,
)
from clipbench.stimuli import written
from clipbench.stimuli.recipes import check_range
from clipbench.streams import result_of

INKS = ("black", "red", "green", "blue", "purple", "orange", "pink", "yellow")
NEUTRAL = "example"  # a word that names no colour
WORDS = (NEUTRAL, *INKS[1:])
TEMPLATE = "my favorite word, written in the color {}"
LEAST = {"neutral": 6, "congruent": 7}  # right answers without which the rest means nothing


@dataclass(frozen=True, eq=False)
class Stroop:
    """Answers to every word in every ink.

    Args:
        probabilities: (8 inks, 8 words, 8 answers) float32 in [0, 1]; inks and answers as in `INKS`, words as
            in `WORDS`; the last axis sums to 1.
        provenance: model and recipe; n counts pictures.
    """

    probabilities: np.ndarray
    provenance: Provenance
    endings: ClassVar[tuple[str, ...]] = (".npz", ".json")  # of its files

    @cached_property
    def answers(self) -> tuple[tuple[str, ...], ...]:
        """Most likely colour, a row for each ink, in it one for each word."""
        return tuple(tuple(INKS[place] for place in row) for row in self.probabilities.argmax(axis=2))

    @property
    def neutral(self) -> Rate:
        """How often the ink of the word "example" was named, of 8."""
        return self._rate(lambda ink, word: word == NEUTRAL, lambda ink, word: ink)

    @property
    def congruent(self) -> Rate:
        """How often the colour was named where word and ink agree, of 7."""
        return self._rate(lambda ink, word: word == ink, lambda ink, word: ink)

    @property
    def word(self) -> Rate:
        """How often the word was named where it is another colour than the ink, of 49."""
        return self._rate(_incongruent, lambda ink, word: word)

    @property
    def ink(self) -> Rate:
        """How often the ink was named there."""
        return self._rate(_incongruent, lambda ink, word: ink)

    @property
    def counts(self) -> bool:
        """Whether the model knows colours well enough for its answers to conflicts to mean anything."""
        return self.neutral.hits >= LEAST["neutral"] and self.congruent.hits >= LEAST["congruent"]

    @property
    def summary(self) -> str:
        """The outcome in a sentence."""
        base = (
            f"{self.neutral.hits} of 8 inks of a neutral word and {self.congruent.hits} of 7 of its own name"
        )
        if not self.counts:
            return (
                f"{self.provenance.model} does not show the Stroop effect: it names {base}, and needs "
                f"{LEAST['neutral']} and {LEAST['congruent']} for the rest to mean anything"
            )
        low, high = self.word.interval
        return (
            f"{self.provenance.model} names {base}; where they disagree it answers with the word in "
            f"{self.word.hits} of {self.word.n} (95\xa0% interval {low:.0%} to {high:.0%}), with the ink in "
            f"{self.ink.hits}"
        )

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        rates = {name: getattr(self, name).as_dict() for name in ("neutral", "congruent", "word", "ink")}
        return {
            "inks": INKS,
            "words": WORDS,
            "answers": self.answers,
            "rates": rates,
            "counts": self.counts,
            "summary": self.summary,
            "probabilities": self.probabilities.tolist(),
            "provenance": self.provenance.as_dict(),
        }

    def save(self, path: str | Path) -> Path:
        """Write all of it as .npz or .json.

        Raises:
            ClipbenchError: another ending, or a file that cannot be written.
        """
        if check_path(path, self.endings).suffix.lower() == ".json":
            return save_json(self.as_dict(), path)
        told = {"provenance": self.provenance.as_dict()}
        return save_bytes(npz(told, probabilities=self.probabilities), path)

    @classmethod
    def load(cls, path: str | Path) -> "Stroop":
        """Read what `save` has written; a ClipbenchError if it is not that."""
        with reading(path, "a Stroop test") as file:
            if file.suffix.lower() == ".json":
                told = read_json(file)
                probabilities = np.array(told["probabilities"], np.float32)
            else:
                told, saved = read_told(file)
                probabilities = saved["probabilities"]
            return cls(probabilities, Provenance(**told["provenance"]))

    def _rate(self, asked: Callable[[str, str], bool], right: Callable[[str, str], str]) -> Rate:
        pairs = [
            (answer, right(ink, word))
            for ink, row in zip(INKS, self.answers, strict=True)
            for word, answer in zip(WORDS, row, strict=True)
            if asked(ink, word)
        ]
        return Rate(sum(answer == wanted for answer, wanted in pairs), len(pairs))


def stroop(model: ClipModel, *, opacity: float = 1) -> Stroop:
    """Show a model 8 words in 8 inks and ask for the colour.

    Args:
        model: a CLIP.
        opacity: of the ink on white, 0 … 1; the article's is 1.

    Raises:
        ClipbenchError: a model without a text tower, an opacity out of its range.

    Source: Goh et al. 2021, section "Typographic attacks"; words, inks and prompt from its records.
    """
    return result_of(asked(model, opacity))


def asked(model: ClipModel, opacity: float = 1) -> Generator[None, None, Stroop]:
    """The same as `stroop`, returned at the end: yields after each ink, where a reader can stop."""
    check_range("opacity", opacity, 0, 1)
    rows = []
    for ink in INKS:
        pictures = [picture(ink, word, model.image_size, opacity) for word in WORDS]
        rows.append(zero_shot(model, pictures, INKS, TEMPLATE).cpu().numpy())
        yield
    recipe = f'Stroop, DejaVu Sans on white, opacity {opacity:g}, "{TEMPLATE}" over {len(INKS)} colours'
    provenance = Provenance(model.name, model.weights_hash, recipe, n=len(INKS) * len(WORDS))
    return Stroop(np.stack(rows), provenance)


def picture(ink: str, word: str, side: int, opacity: float = 1) -> Image.Image:
    """A word in an ink on white: side × side pixels."""
    page = Image.new("RGB", (side, side), "white")
    return Image.blend(page, written(word, colour=ink, side=side), opacity)


def _incongruent(ink: str, word: str) -> bool:
    return word not in (NEUTRAL, ink)
