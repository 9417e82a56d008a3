"""Sums of pictures of words, photos and drawings: what lies nearest, as the image tower sees it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

from clipbench.errors import ClipbenchError, unknown
from clipbench.models import ImageModel
from clipbench.results import Provenance
from clipbench.stimuli import drawings, samples, written
from clipbench.streams import Progress, chunks
from clipbench.studies.records import top_words

WORD, PICTURES = "word", ("photo", "drawing")  # kinds of terms; "photo:cat" is one, "cat" a word
_BATCH = 32
_CANCEL = "the words cancel each other out; leave one of them away"


@dataclass(frozen=True, eq=False)
class WordSpace:
    """Where the pictures of some words lie, and perhaps photos and drawings.

    Args:
        words: n terms: words, and photos and drawings as `known_images` names them.
        places: (n, d) float32, each of length 1, the mean over the terms of its kind taken away before.
        provenance: model and recipe; n counts terms.
    """

    words: tuple[str, ...]
    places: np.ndarray
    provenance: Provenance

    def cosine(self, one: str, other: str) -> float:
        """Cosine of two terms.

        Raises:
            ClipbenchError: a term that is not there; the sentence names the nearest.
        """
        return float(self._place(one) @ self._place(other))

    def nearest(
        self,
        plus: Sequence[str],
        minus: Sequence[str] = (),
        count: int = 10,
        kinds: Sequence[str] = (WORD,),
    ) -> tuple[tuple[str, float], ...]:
        """The terms of some kinds nearest to a sum, and their cosines; those in the sum are left out.

        Raises:
            ClipbenchError: nothing to add, a term that is not there, or terms that cancel out.
        """
        check_sum(plus, minus)
        total = sum(self._place(word) for word in plus) - sum(self._place(word) for word in minus)
        length = np.linalg.norm(total)
        if length < 1e-6:
            raise ClipbenchError(_CANCEL)
        cosines = self.places @ (total / length)
        ordered = [(self.words[place], float(cosines[place])) for place in np.argsort(-cosines)]
        kept = [own for own in ordered if own[0] not in {*plus, *minus} and kind_of(own[0]) in kinds]
        return tuple(kept[:count])

    def _place(self, word: str) -> np.ndarray:
        if word not in self.words:
            raise unknown("word", word, self.words)
        return self.places[self.words.index(word)]


def known_words() -> tuple[str, ...]:
    """The 3,698 words of the article's record."""
    return tuple(sorted({word for words in top_words() for word in words}))


def check_sum(plus: Sequence[str], minus: Sequence[str]) -> None:
    """Refuse, before anything is embedded, a sum that means nothing: nothing to add, or terms that cancel."""
    if not plus:
        raise ClipbenchError("a sum needs at least one word to add, such as king")
    if sorted(plus) == sorted(minus):
        raise ClipbenchError(_CANCEL)


@cache
def known_images() -> Mapping[str, Image.Image]:
    """The shipped photos that bear no label, and the drawings, as terms: photo:cat, drawing:cat face."""
    photos = {f"photo:{one.name}": one.image for one in samples() if not one.labelled}
    return photos | {f"drawing:{one.name}": one.image for one in drawings()}


def kind_of(term: str) -> str:
    """Of a term "photo", "drawing" or "word"."""
    kind = term.partition(":")[0]
    return kind if kind in PICTURES else WORD


def only_words(terms: Sequence[str]) -> tuple[str, ...]:
    """The terms that are words.

    Raises:
        ClipbenchError: a photo or a drawing that is not shipped; the sentence names the nearest.
    """
    for term in terms:
        if kind_of(term) != WORD and term not in known_images():
            raise unknown(kind_of(term), term, known_images())
    return tuple(term for term in terms if kind_of(term) == WORD)


def word_space(
    model: ImageModel, words: Sequence[str], images: Mapping[str, Image.Image] | None = None
) -> Iterator[Progress[WordSpace]]:
    """Embed pictures of words, black on white, and other pictures, a batch at a time.

    Args:
        model: any model.
        words: n > 2 different words.
        images: photos and drawings by their terms, such as `known_images()`.

    Yields:
        After each batch how far it has come, in terms; the last one, and only that, with the result.

    Raises:
        ClipbenchError: too few words, one twice, or one that cannot be drawn.

    Source: Goh et al. 2021, section "Image-Based Word Embedding": the mean over the words is taken away. Font
    and size are clipbench's, and so is that photos and drawings have means of their own.
    """
    images = {} if images is None else images
    if len(words) < 3 or len(set(words)) < len(words):
        raise ClipbenchError(
            "a space needs three words at least, each once; after their mean two are opposite"
        )
    terms, done, kept = (*words, *images), 0, []
    for some in chunks(terms, _BATCH):
        pages = [images[term] if term in images else written(term, side=model.image_size) for term in some]
        kept.append(model.encode_image(pages).cpu().numpy())
        done += len(some)
        yield Progress(done, len(terms))
    inner = _centred(np.concatenate(kept), terms)
    places = inner / np.maximum(np.linalg.norm(inner, axis=1, keepdims=True), 1e-12)
    recipe = f"pictures of {len(words)} words, DejaVu Sans on white, their mean taken away"
    if images:
        recipe += f"; {len(images)} photos and drawings, likewise"
    provenance = Provenance(model.name, model.weights_hash, recipe, n=len(terms))
    yield Progress(len(terms), len(terms), WordSpace(terms, places, provenance))


def _centred(inner: np.ndarray, terms: Sequence[str]) -> np.ndarray:
    """(n, d) less the mean over the terms of the same kind."""
    kinds, centred = np.array([kind_of(term) for term in terms]), inner.copy()
    for kind in (WORD, *PICTURES):
        own = kinds == kind
        if own.any():
            centred[own] -= inner[own].mean(axis=0)
    return centred
