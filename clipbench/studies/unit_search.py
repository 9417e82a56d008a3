"""From a text, or from a picture, to the units that answer to it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from clipbench.errors import ClipbenchError
from clipbench.models import ClipModel, ImageModel, imagenet_labels
from clipbench.results import Provenance
from clipbench.studies.meaning import by_photos, by_weights, by_writing, ranks
from clipbench.sweeps import Store

SCORES = ("weights", "photos", "writing")
VOTE = 0.01  # a score votes for the first hundredth of a layer's units
_POINTS = 4  # photos at which the network is linearised
TEMPLATE = "a photo of a {}"


@dataclass(frozen=True)
class Match:
    """A unit that may answer to a text.

    Args:
        unit: its address.
        scores: in the order of `SCORES`; see `studies.meaning` for what each says.
        ranks: the unit's place in each, from 1.
        votes: in how many it is among the first hundredth of the units.
    """

    unit: str
    scores: tuple[float, ...]
    ranks: tuple[int, ...]
    votes: int


@dataclass(frozen=True)
class Matches:
    """The units that answer best to a text.

    Args:
        text: what was asked.
        matches: in the order of the score by photos.
        units: how many the layer has.
        provenance: of the sweep.
    """

    text: str
    matches: tuple[Match, ...]
    units: int
    provenance: Provenance

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        return {
            "text": self.text,
            "scores": SCORES,
            "matches": [vars(one) for one in self.matches],
            "units": self.units,
            "provenance": self.provenance.as_dict(),
        }


def search_units(
    model: ClipModel,
    text: str,
    store: Store,
    layer: str,
    words: Store | None = None,
    others: Sequence[str] | None = None,
    top: int = 10,
) -> Matches:
    """Find units by a text, by three scores that do not know of each other.

    Args:
        model: a CLIP.
        text: a noun phrase, as one would put it into "a photo of a {}".
        store: a sweep of photos by this model, with this layer.
        layer: where to look.
        words: a sweep of words by this model, to which its answer to the written text is compared; None
            compares it with photos.
        others: texts from which the photos tell this one; None takes ImageNet's thousand names.
        top: how many units.

    Raises:
        ClipbenchError: no CLIP, an empty text, a layer that was not swept.
    """
    if not isinstance(model, ClipModel):
        raise ClipbenchError(f"{model.name} has no text tower; search with a CLIP, such as mini")
    if not text.strip():
        raise ClipbenchError("there is no text to search for; write at least one word")
    scores = text_scores(model, [text], store, layer, words, others)[:, 0]
    places, votes, order = ranked(scores)
    matches = tuple(
        Match(f"{layer}:{at}", tuple(scores[at].tolist()), tuple(places[at].tolist()), int(votes[at]))
        for at in order[:top].tolist()
    )
    return Matches(text, matches, len(places), store.provenance(layer))


def text_scores(
    model: ClipModel,
    texts: Sequence[str],
    store: Store,
    layer: str,
    words: Store | None = None,
    others: Sequence[str] | None = None,
) -> np.ndarray:
    """The scores of all units for some texts; see `search_units`.

    Args:
        texts: k different noun phrases; the photos tell each from all the others, too.

    Returns:
        (units, k, 3) float32, in the order of `SCORES`.
    """
    store.layer(layer)
    k = len(texts)
    names = [
        *texts,
        *(name for name in (imagenet_labels() if others is None else others) if name not in texts),
    ]
    embedded = model.encode_text([TEMPLATE.format(name) for name in names])
    written = (words if words is not None and layer in words.layers else store).moments(layer)
    columns = (
        by_weights(model, store, layer, embedded[:k], points(store)),
        by_photos(store, store, layer, embedded)[:, :k],
        by_writing(model, layer, texts, written.mean, written.sd),
    )
    return np.stack(columns, axis=2)


def ranked(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Units by the score of their photos, and how far the other scores agree.

    The three together, by whatever rule, put the right units later than photos do alone.

    Args:
        scores: (units, scores), in the order of `SCORES`.

    Returns:
        The units' places in each score from 1, (units, scores); for how many scores each is among the first
        hundredth, (units,); the units, the first by photos first, (units,).
    """
    places = ranks(scores, axis=0)
    votes = (places <= max(1, VOTE * len(places))).sum(axis=1)
    return places, votes, np.argsort(places[:, SCORES.index("photos")])


def points(store: Store, n: int = _POINTS, seed: int = 0) -> list[Image.Image]:
    """Some readable photos of a store, drawn at random: where a network is linearised."""
    unread = store.unread
    good = [number for number in range(store.n) if number not in unread]
    return [store.image(good[at]) for at in np.random.default_rng(seed).permutation(len(good))[:n]]


@dataclass(frozen=True, eq=False)
class Excited:
    """A unit that a picture excites.

    Args:
        unit: its address.
        value: spatial maximum before the ReLU.
        sd: the same in standard deviations over the swept photos.
        map: (h, w) float32, its activation, laid over what the model sees of the picture.
        provenance: of the sweep that it is compared with, with the unit's address.
    """

    unit: str
    value: float
    sd: float
    map: np.ndarray
    provenance: Provenance


def excited_by(
    model: ImageModel, image: Image.Image, store: Store, layer: str, top: int = 10
) -> tuple[Excited, ...]:
    """The units that a picture excites most beyond what swept photos do, with the places where it does.

    Raises:
        ClipbenchError: a layer that was not swept, or a sweep by another model.
    """
    if not store.is_of(model):
        raise ClipbenchError(f"the store is of {store.title}, not of {model.name}; sweep with {model.name}")
    moments = store.moments(layer)
    maps = model.activations([image], layer)[0].float().cpu().numpy()
    values = maps.max(axis=(1, 2))
    sds = np.where(moments.sd > 0, (values - moments.mean) / np.maximum(moments.sd, 1e-12), -np.inf)
    return tuple(
        Excited(
            f"{layer}:{at}",
            float(values[at]),
            float(sds[at]),
            maps[at],
            store.provenance(layer, f"{layer}:{at}"),
        )
        for at in np.argsort(-sds, kind="stable")[:top].tolist()
    )
