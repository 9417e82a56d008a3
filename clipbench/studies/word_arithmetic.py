"""Sums of pictures of words: what lies nearest to king − man + woman, as the image tower sees it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from clipbench.errors import ClipbenchError, unknown
from clipbench.models import ImageModel
from clipbench.results import Provenance
from clipbench.stimuli import written
from clipbench.streams import Progress
from clipbench.studies.records import top_words

_BATCH = 32


@dataclass(frozen=True, eq=False)
class WordSpace:
    """Where the pictures of some words lie.

    Args:
        words: n words.
        places: (n, d) float32, each of length 1, the mean over the words taken away before.
        provenance: model and recipe; n counts words.
    """

    words: tuple[str, ...]
    places: np.ndarray
    provenance: Provenance

    def cosine(self, one: str, other: str) -> float:
        """Cosine of two words.

        Raises:
            ClipbenchError: a word that is not there; the sentence names the nearest.
        """
        return float(self._place(one) @ self._place(other))

    def nearest(
        self, plus: Sequence[str], minus: Sequence[str] = (), count: int = 10
    ) -> tuple[tuple[str, float], ...]:
        """The words nearest to a sum, and their cosines; those in the sum are left out.

        Raises:
            ClipbenchError: nothing to add, a word that is not there, or terms that cancel out.
        """
        if not plus:
            raise ClipbenchError("a sum needs at least one word to add, such as king")
        total = sum(self._place(word) for word in plus) - sum(self._place(word) for word in minus)
        length = np.linalg.norm(total)
        if length < 1e-6:
            raise ClipbenchError("the words cancel each other out; leave one of them away")
        cosines = self.places @ (total / length)
        order = [place for place in np.argsort(-cosines) if self.words[place] not in {*plus, *minus}]
        return tuple((self.words[place], float(cosines[place])) for place in order[:count])

    def _place(self, word: str) -> np.ndarray:
        if word not in self.words:
            raise unknown("word", word, self.words)
        return self.places[self.words.index(word)]


def known_words() -> tuple[str, ...]:
    """The 3,698 words of the article's record."""
    return tuple(sorted({word for words in top_words() for word in words}))


def word_space(model: ImageModel, words: Sequence[str]) -> Iterator[Progress[WordSpace]]:
    """Embed pictures of words, black on white, a batch at a time.

    Args:
        model: any model.
        words: n > 2 different words.

    Yields:
        After each batch how far it has come, in words; the last one, and only that, with the result.

    Raises:
        ClipbenchError: too few words, one twice, or one that cannot be drawn.

    Source: Goh et al. 2021, section "Image-Based Word Embedding": the mean over the words is taken away. Font
    and size are clipbench's.
    """
    if len(words) < 3 or len(set(words)) < len(words):
        raise ClipbenchError(
            "a space needs three words at least, each once; after their mean two are opposite"
        )
    kept = []
    for start in range(0, len(words), _BATCH):
        pages = [written(word, side=model.image_size) for word in words[start : start + _BATCH]]
        kept.append(model.encode_image(pages).cpu().numpy())
        yield Progress(min(start + _BATCH, len(words)), len(words))
    inner = np.concatenate(kept)
    inner = inner - inner.mean(axis=0)
    places = inner / np.maximum(np.linalg.norm(inner, axis=1, keepdims=True), 1e-12)
    recipe = f"pictures of {len(words)} words, DejaVu Sans on white, their mean taken away"
    provenance = Provenance(model.name, model.weights_hash, recipe, n=len(words))
    yield Progress(len(words), len(words), WordSpace(tuple(words), places, provenance))
