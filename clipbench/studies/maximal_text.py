"""The phrase that a unit likes most, and what would be found for nothing in particular."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import normalize

from clipbench.errors import ClipbenchError
from clipbench.intervals import Rate
from clipbench.models import ClipModel, Read, onward
from clipbench.results import UNREADABLE, Provenance, read_json, save_json
from clipbench.stimuli import common_words, samples
from clipbench.streams import Progress
from clipbench.studies.meaning import slopes
from clipbench.studies.phrases import Phrase, Search, surprises
from clipbench.studies.written_names import page
from clipbench.units import Unit

WORDS = 4000  # of the most common ones, that are tried where no vocabulary is given
PENALTY = 0.0025  # of a nat of surprise, as published
KEPT = 16  # phrases that are told, as published
DIRECTIONS = 3  # random ones, for which the same search is made
_PHRASES = 200  # random ones, of as many words as the best
_DRAWN = 24  # of them, that are drawn as pictures beside the best
_SPAN = 0.8  # of the picture's side, by the longest line
_POINTS = 8  # photos at which the network is linearised
_EMBEDDING = Read("embedding")


@dataclass(frozen=True, eq=False)
class MaximalText:
    """The phrases that a unit likes most, and four controls.

    Args:
        unit: its address.
        phrases: the best first, at most `KEPT`.
        directions: the best phrase of the same search for each of some random directions of the layer.
        random: (n,) cosines of random phrases with as many words as the best one.
        place: the unit's place among all `units` of the layer, by what a rise of each by one standard
            deviation adds to the likeness with the best phrase; 1 is the first.
        units: how many the layer has.
        written: (k,) what the unit says to the best phrase, drawn as a picture, and after it to random
            phrases, its largest activation before the ReLU; empty where the font cannot draw one of them.
        provenance: model, recipe, seed; n counts the phrases that were tried.
    """

    unit: str
    phrases: tuple[Phrase, ...]
    directions: tuple[Phrase, ...]
    random: tuple[float, ...]
    place: int
    units: int
    written: tuple[float, ...]
    provenance: Provenance

    @property
    def best(self) -> Phrase:
        """The phrase with the highest score."""
        return self.phrases[0]

    @property
    def beaten(self) -> Rate:
        """How many of the random phrases have a lower cosine than the best."""
        return Rate(sum(cosine < self.best.cosine for cosine in self.random), len(self.random))

    @property
    def beaten_written(self) -> Rate | None:
        """How many of the random phrases, drawn as pictures, excite the unit less; None if none was drawn."""
        first, *others = self.written or (0.0,)
        return Rate(sum(value < first for value in others), len(others)) if others else None

    @property
    def summary(self) -> tuple[str, ...]:
        """What the controls come to, a sentence each."""
        highest = max(one.score for one in self.directions)
        than = "more than" if self.best.score > highest else "no more than"
        told = [
            f"It scores {self.best.score:.3f}; the same search for {len(self.directions)} random directions "
            f"of the layer reaches {highest:.3f}, so this is {than} chance finds.",
            f"Its cosine is above that of {self.beaten.hits} of {self.beaten.n} random phrases of as many "
            f"words; of {self.units:,} units of the layer, this one comes at place {self.place:,} for it.",
        ]
        drawn = self.beaten_written
        if drawn is not None:
            low, high = drawn.interval
            told.append(
                f"Drawn as a picture it excites the unit more than {drawn.hits} of {drawn.n} random phrases "
                f"do (95 % interval {low:.0%} to {high:.0%})."
            )
        return tuple(told)

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        told = {"unit": self.unit, "random": self.random, "place": self.place, "units": self.units}
        rows = {name: [one.as_dict() for one in getattr(self, name)] for name in ("phrases", "directions")}
        ends = {"written": self.written, "summary": self.summary, "provenance": self.provenance.as_dict()}
        return {**told, **rows, **ends}

    def save(self, path: str | Path) -> Path:
        """Write all of it as JSON; a ClipbenchError if it cannot be written."""
        return save_json(self.as_dict(), path)

    @classmethod
    def load(cls, path: str | Path) -> "MaximalText":
        """Read what `save` has written; a ClipbenchError if it is not that."""
        try:
            told = read_json(path)
            rows = [tuple(map(Phrase.from_dict, told[name])) for name in ("phrases", "directions")]
            numbers = tuple(told["random"]), told["place"], told["units"], tuple(told["written"])
            return cls(told["unit"], *rows, *numbers, Provenance(**told["provenance"]))
        except UNREADABLE as error:
            raise ClipbenchError(f"{str(path)!r} is no maximal text that clipbench has written") from error


@dataclass(frozen=True, eq=False)
class Looking(Progress[MaximalText]):
    """How far `look_for_text` has come, in phrases, and the unit's best phrase so far."""

    best: str = ""


def maximal_text(model: ClipModel, unit: str | Unit, **options) -> MaximalText:
    """The phrase that a unit likes most.

    A phrase is worth the cosine of its embedding with the way in which the unit, raised by the same at all
    positions, moves the embedding of photos (the network linearised at those that excite the unit most), less
    a penalty for unusual words. A beam search puts words before and behind the best phrases.

    Args:
        model: a CLIP.
        unit: layer:channel.
        vocabulary: words or short phrases, the most common first; None takes the 4,000 most common words.
        length: words of a phrase at most; entries of the vocabulary count as one.
        penalty: of a nat of surprise, see `phrases.surprises`; 0 lets any word in.
        beam: phrases of each length that go on.
        reach: words that may be added to a phrase.
        images: photos, of which those that excite most are looked at; None takes the shipped ones.
        seed: of the controls.

    Raises:
        ClipbenchError: no text tower, a unit with a position or in a head, an empty vocabulary, a number
            below its least, or a unit that moves nothing at any of the photos.

    Source: the text feature visualisations of Goh et al. 2021 (TextFeatureVis.svelte): hill climbing with a
    language model's penalty of 0.0025. The beam and Zipf's law in place of that model are clipbench's.
    """
    *_, last = look_for_text(model, unit, **options)
    return last.result


def look_for_text(
    model: ClipModel,
    unit: str | Unit,
    *,
    vocabulary: Sequence[str] | None = None,
    length: int = 3,
    penalty: float = PENALTY,
    beam: int = 8,
    reach: int = 64,
    images: Sequence[Image.Image] | None = None,
    seed: int = 0,
) -> Iterator[Looking]:
    """The same as `maximal_text`, a batch at a time: whoever stops reading stops the work."""
    unit = _whole(model, unit)
    listed = common_words()[:WORDS] if vocabulary is None else vocabulary
    words = [*dict.fromkeys(word.strip() for word in listed if word.strip())]
    if not words:
        raise ClipbenchError("there is no word in the vocabulary; give at least one")
    _check(length=length, beam=beam, reach=reach, penalty=penalty)
    photos = [sample.image for sample in samples()] if images is None else images
    pixels, sd = _favourites(model, unit, photos)
    rng = np.random.default_rng(seed)
    ways = _ways(model, pixels, unit, rng)
    settings = (surprises(words), penalty, length, beam, reach)
    searches = [Search(_cosines(model, way), *settings) for way in ways]
    first, most = searches[0], searches[0].most
    total = most * len(searches)
    for number, search in enumerate(searches):
        for _ in search.run():
            yield Looking(most * number + search.tried, total, best=first.best[0].text)
    recipe = (
        f"{len(words):,} words, phrases of up to {length}, beam {beam}, reach {reach}, penalty {penalty:g} a "
        f"nat of Zipf's law, linearised at {len(pixels)} of {len(photos)} photos"
    )
    n = sum(search.tried for search in searches)
    provenance = Provenance(model.name, model.weights_hash, recipe, str(unit), seed, n)
    best, directions = tuple(first.best[:KEPT]), tuple(search.best[0] for search in searches[1:])
    others = _random_phrases(words, len(best[0].words), rng)
    random = tuple(_cosines(model, ways[0])(others).tolist())
    place = _place(model, pixels, unit, sd, best[0].text)
    written = _written(model, unit, [best[0].text, *others[:_DRAWN]])
    found = MaximalText(str(unit), best, directions, random, *place, written, provenance)
    yield Looking(total, total, found, found.best.text)


@torch.enable_grad()
def pushes(model: ClipModel, pixels: Tensor, layer: str, rises: Tensor) -> Tensor:
    """Where the embedding, scaled to length 1, moves when units rise by the same at all positions.

    Args:
        pixels: (n, 3, s, s), at which the network is linearised; the mean over them is returned.
        rises: (k, units), by how much each unit rises.

    Returns:
        (k, d) float32.
    """
    read = Read(layer)
    values = model.read(pixels, [read])[read].detach().requires_grad_()
    with sdpa_kernel(SDPBackend.MATH):  # the one that can be derived twice
        features = onward(model, pixels, layer, values, [_EMBEDDING])[_EMBEDDING].flatten(1)
    mean = normalize(features.float(), dim=1).mean(dim=0)
    towards = torch.zeros_like(mean, requires_grad=True)
    # The slopes towards any text are linear in the text; what they are linear by is asked for.
    (slope,) = torch.autograd.grad(mean, values, towards, create_graph=True)
    of_units = slope.float().sum(dim=(0, 2, 3))
    return torch.stack(
        [torch.autograd.grad(of_units @ rise, towards, retain_graph=True)[0] for rise in rises]
    )


def _whole(model: ClipModel, unit: str | Unit) -> Unit:
    if not isinstance(model, ClipModel):
        raise ClipbenchError(f"{model.name} has no text tower; choose a CLIP such as mini")
    unit = Unit.parse(unit, model)
    if unit.position is not None or unit.layer in model.heads:
        raise ClipbenchError(
            f"{unit} is no unit of a map as a whole; write layer:channel, as in {model.last_layer}:0"
        )
    return unit


def _check(**numbers: float) -> None:
    for name, value in numbers.items():
        least = 0 if name == "penalty" else 1
        if value < least:
            raise ClipbenchError(f"{name} must be at least {least}, not {value:g}")


def _favourites(model: ClipModel, unit: Unit, photos: Sequence[Image.Image]) -> tuple[Tensor, np.ndarray]:
    """The photos that excite the unit most, as the model sees them, and (units,) sd of means over all."""
    maps = model.activations(photos, unit.layer).float()
    order = maps[:, unit.channel].amax(dim=(1, 2)).argsort(descending=True)[:_POINTS].tolist()
    sd = maps.mean(dim=(2, 3)).std(dim=0, correction=0).cpu().numpy()
    return model.pixels([photos[at] for at in order]), sd


def _ways(model: ClipModel, pixels: Tensor, unit: Unit, rng: np.random.Generator) -> Tensor:
    """(1 + DIRECTIONS, d), each of length 1: where the unit moves the embedding, and random directions."""
    channels = model.layer(unit.layer).channels
    rises = np.concatenate([np.eye(1, channels, unit.channel), rng.normal(size=(DIRECTIONS, channels))])
    ways = pushes(model, pixels, unit.layer, torch.tensor(rises, dtype=torch.float32, device=model.device))
    if not ways[0].norm() > 0:
        raise ClipbenchError(f"{unit} moves nothing at the photos that excite it most; give other photos")
    return normalize(ways, dim=1)


def _cosines(model: ClipModel, way: Tensor) -> Callable[[Sequence[str]], np.ndarray]:
    return lambda texts: (model.encode_text(texts) @ way).cpu().numpy()


def _place(model: ClipModel, pixels: Tensor, unit: Unit, sd: np.ndarray, text: str) -> tuple[int, int]:
    """The unit's place among all of the layer for a text, each raised by its sd, and how many there are."""
    rises = slopes(model, pixels, Read(unit.layer), model.encode_text([text]))[:, 0] * sd
    return int((rises > rises[unit.channel]).sum()) + 1, len(rises)


def _random_phrases(words: Sequence[str], length: int, rng: np.random.Generator) -> list[str]:
    length = min(length, len(words))
    return [" ".join(rng.choice(words, length, replace=False)) for _ in range(_PHRASES)]


def _written(model: ClipModel, unit: Unit, texts: Sequence[str]) -> tuple[float, ...]:
    """The unit's largest answer to each text, drawn on white; nothing if the font cannot draw one."""
    try:
        pages = [page(text, _SPAN, model.image_size) for text in texts]
    except ClipbenchError:
        return ()
    return tuple(model.activations(pages, unit.layer)[:, unit.channel].float().amax(dim=(1, 2)).tolist())
