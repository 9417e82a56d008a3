"""Which written words excite a unit, which inhibit it, and whether that hangs on how they are written."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from clipbench.errors import ClipbenchError
from clipbench.intervals import Rate
from clipbench.models import ImageModel
from clipbench.models.card import taught_words
from clipbench.results import Provenance
from clipbench.studies.records import LAYER, MODEL, top_words
from clipbench.sweeps import Look, Store
from clipbench.units import Unit

SAMPLE = 300  # words by which looks are compared: ± 0.06 for a correlation of 0.7
_NEEDED = 10  # of our first words, in which one of the published three should be


@dataclass(frozen=True)
class Answer:
    """What a unit says to a word.

    Args:
        word: as it was given; escape it where it is shown.
        value: spatial maximum before the ReLU.
        sd: the same in standard deviations over all words.
        taught: whether the model was taught to read it; None where that is not known.
    """

    word: str
    value: float
    sd: float
    taught: bool | None


@dataclass(frozen=True)
class Change:
    """How far a unit says the same when words look otherwise.

    Args:
        look: the other look.
        correlation: Pearson's, over words, of what it says to them in this look and in the first.
        interval: 95 % interval by Fisher's transformation.
    """

    look: Look
    correlation: float
    interval: tuple[float, float]

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        return {"look": str(self.look), "correlation": self.correlation, "interval": self.interval}


@dataclass(frozen=True)
class UnitWords:
    """The words of a unit.

    Args:
        unit: its address.
        most, least: answers, the most extreme first.
        look: how the words were written.
        changes: of each further look that was swept.
        provenance: of the sweep, with the unit's address.
    """

    unit: str
    most: tuple[Answer, ...]
    least: tuple[Answer, ...]
    look: Look
    changes: tuple[Change, ...]
    provenance: Provenance

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        return {
            "unit": self.unit,
            "most": [vars(one) for one in self.most],
            "least": [vars(one) for one in self.least],
            "look": str(self.look),
            "changes": [one.as_dict() for one in self.changes],
            "provenance": self.provenance.as_dict(),
        }


def words_of(
    store: Store, unit: str | Unit, top: int = 10, taught: Collection[str] | None = None
) -> UnitWords:
    """The words that excite a unit most and least.

    Args:
        store: of words.
        unit: its address.
        top: how many of each, at least 1.
        taught: the words that the model was taught to read, in lower case; None where that is not known.

    Raises:
        ClipbenchError: a store of pictures, a unit that it lacks, or no word that could be shown.
    """
    check_words(store)
    if top < 1:
        raise ClipbenchError(f"the number of words must be at least 1, not {top}")
    unit = store.unit(unit)
    answers = _by_look(store, store.column(unit))
    values = answers[0]
    order = np.argsort(-values, kind="stable")[: int(np.isfinite(values).sum())]
    if len(order) == 0:
        raise ClipbenchError("none of the words could be shown; use words that the font can draw")
    mean, sd = float(np.nanmean(values)), float(np.nanstd(values)) or 1.0

    def answer(at: int) -> Answer:
        known = None if taught is None else store.words[at].lower() in taught
        return Answer(store.words[at], float(values[at]), (float(values[at]) - mean) / sd, known)

    return UnitWords(
        str(unit),
        tuple(answer(at) for at in order[:top]),
        tuple(answer(at) for at in order[::-1][:top]),
        store.looks[0],
        changes(store, unit),
        store.provenance(unit.layer, str(unit)),
    )


def changes(store: Store, unit: str | Unit) -> tuple[Change, ...]:
    """How far a unit says the same in each further look of a store of words; no look, no change."""
    check_words(store)
    first, *others = _by_look(store, store.column(unit))
    return tuple(_change(look, first, other) for look, other in zip(store.looks[1:], others, strict=True))


def sample(words: Sequence[str], n: int = SAMPLE, seed: int = 0) -> list[str]:
    """Some of the words, drawn at random, in their order; all of them if there are no more."""
    drawn = np.random.default_rng(seed).permutation(len(words))[:n]
    return [words[at] for at in np.sort(drawn)]


@dataclass(frozen=True, eq=False)
class WordParity:
    """How many of RN50x4's units answer to the published words.

    Args:
        met: units of which one of the published three words is among our first ten, of all units.
        first: units whose published first word is among our first ten.
        chance: expected share of `met` if our ten were drawn at random.
        provenance: of the sweep.
    """

    met: Rate
    first: Rate
    chance: float
    provenance: Provenance


def word_parity(store: Store) -> WordParity:
    """Compare a sweep of RN50x4 with the words that were published of all its 2,560 units.

    Args:
        store: of words that hold the published ones, as `stimuli.common_words` does.

    Raises:
        ClipbenchError: a store of another model, layer or list.

    Source: neuronNames.js of the article's repository, top three words of 10,000.
    """
    check_words(store)
    published, words = top_words(), {word: at for at, word in enumerate(store.words)}
    model = store.provenance(store.last_layer).model
    if not model.startswith(MODEL) or LAYER not in store.layers:
        raise ClipbenchError(f"the published words are of {LAYER} of {MODEL}; this store is of {model}")
    if not all(word in words for three in published for word in three):
        raise ClipbenchError("the words lack some of the published ones; sweep stimuli.common_words()")
    values = store.matrix(LAYER)[: len(words)]
    ours = np.argsort(-values.astype(np.float32), axis=0, kind="stable")[:_NEEDED].T
    met = first = 0
    for own, three in zip(ours.tolist(), published, strict=True):
        places = [words[word] for word in three]
        met += bool(set(own) & set(places))
        first += places[0] in own
    chance = 1 - (1 - _NEEDED / len(words)) ** 3
    units = len(published)
    return WordParity(Rate(met, units), Rate(first, units), chance, store.provenance(LAYER))


def taught_to(model: ImageModel) -> frozenset[str] | None:
    """The words that `mini` was taught to read, in lower case; None where that is not known."""
    if model.name != "mini" or (model.checkpoint is not None and not model.checkpoint.is_dir()):
        return None
    words = taught_words() if model.checkpoint is None else taught_words(model.checkpoint)
    return frozenset(word.lower() for word in words) or None


def check_words(store: Store) -> None:
    """Raise a ClipbenchError unless words were swept."""
    if not store.words:
        raise ClipbenchError(f"{store.title} are no words; give a store of swept words")


def _by_look(store: Store, values: np.ndarray) -> np.ndarray:
    """(n,) -> (looks, words)."""
    return values.reshape(len(store.looks), -1)


def _change(look: Look, first: np.ndarray, other: np.ndarray) -> Change:
    good = np.isfinite(first) & np.isfinite(other)
    n = int(good.sum())
    if n < 4 or first[good].std() == 0 or other[good].std() == 0:  # a constant unit agrees with nothing
        return Change(look, 0.0, (-1.0, 1.0))
    correlation = float(np.clip(np.corrcoef(first[good], other[good])[0, 1], -0.999999, 0.999999))
    half = 1.96 / np.sqrt(n - 3)
    low, high = np.tanh(np.arctanh(correlation) + np.array([-half, half]))
    return Change(look, correlation, (float(low), float(high)))
