"""A beam search for the phrase that scores best, of words that are dear when they are rare."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from clipbench.streams import chunks

_BATCH = 128  # phrases between two reports: within a second on a laptop


@dataclass(frozen=True)
class Phrase:
    """A phrase and what it is worth.

    Args:
        words: out of the vocabulary, in order.
        cosine: how well it fits, in [-1, 1].
        surprise: how unusual its words are, in nats; see `surprises`.
        score: the cosine less the penalty for the surprise.
    """

    words: tuple[str, ...]
    cosine: float
    surprise: float
    score: float

    @property
    def text(self) -> str:
        """The words with a space between two."""
        return " ".join(self.words)

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        return {"text": self.text, **vars(self)}

    @classmethod
    def from_dict(cls, told: dict) -> "Phrase":
        """Back from `as_dict`."""
        return cls(tuple(told["words"]), *(float(told[name]) for name in ("cosine", "surprise", "score")))


def surprises(words: Sequence[str]) -> dict[str, float]:
    """Word -> −log of its share of all that is written, as Zipf's law has it, in nats.

    Args:
        words: the most common one first; the one at place r is written 1 / r as often as the first.

    Source: Zipf 1949. It stands in for the article's language model, which says how unusual a word is after
    the ones before it; this one does not.
    """
    total = math.log(sum(1 / place for place in range(1, len(words) + 1)))
    return {word: math.log(place) + total for place, word in enumerate(words, start=1)}


class Search:
    """Phrases of ever more words, of which only the best go on.

    Args:
        cosines: n texts -> (n,) how well each fits.
        surprise: word -> nats; its words are the vocabulary.
        penalty: of a nat, at least 0.
        length: words of a phrase at most.
        beam: phrases of each length to which another word is added.
        reach: words that may be added: those that score best alone.
    """

    def __init__(
        self,
        cosines: Callable[[Sequence[str]], np.ndarray],
        surprise: dict[str, float],
        penalty: float,
        length: int,
        beam: int,
        reach: int,
    ):
        self._cosines, self._surprise, self._penalty = cosines, surprise, penalty
        self._length, self._beam, self._reach = length, beam, reach
        self._found: dict[tuple[str, ...], Phrase] = {}

    @property
    def most(self) -> int:
        """How many phrases are tried at most."""
        return len(self._surprise) + (self._length - 1) * 2 * self._beam * self._reach

    @property
    def tried(self) -> int:
        """How many phrases were tried so far."""
        return len(self._found)

    @property
    def best(self) -> list[Phrase]:
        """All phrases that were tried, the best first; of two in another order of words the better one."""
        kept: dict[frozenset[str], Phrase] = {}
        for words in self._ranked(self._found):
            kept.setdefault(frozenset(words), self._found[words])
        return list(kept.values())

    def run(self) -> Iterator[None]:
        """Search, a batch of phrases at a time; whoever stops reading stops the work."""
        singles = [(word,) for word in self._surprise]
        yield from self._try(singles)
        ranked = self._ranked(singles)
        added, front = ranked[: self._reach], ranked[: self._beam]
        for _ in range(self._length - 1):
            pairs = [(phrase, word) for phrase in front for word in added if word[0] not in phrase]
            longer = dict.fromkeys(made for phrase, word in pairs for made in (word + phrase, phrase + word))
            yield from self._try([*longer])
            front = self._ranked(longer)[: self._beam]

    def _try(self, phrases: Sequence[tuple[str, ...]]) -> Iterator[None]:
        for some in chunks(phrases, _BATCH):
            cosines = self._cosines([" ".join(words) for words in some]).tolist()
            for words, cosine in zip(some, cosines, strict=True):
                surprise = sum(self._surprise[word] for word in words)
                score = cosine - self._penalty * surprise
                self._found[words] = Phrase(words, cosine, surprise, score)
            yield

    def _ranked(self, phrases: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
        return sorted(phrases, key=lambda words: -self._found[words].score)
