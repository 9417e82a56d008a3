"""Units that add most to words of feeling, asked with faces that no training showed."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from clipbench.intervals import Rate, by_chance
from clipbench.models import ImageModel
from clipbench.results import Provenance
from clipbench.stimuli.emoji import faces
from clipbench.studies.emotions import Codes
from clipbench.studies.picture_rows import answers_to
from clipbench.studies.standing import DRAWS, standing

BEST = 0.2  # of all faces: where the median of a feeling's own must be


@dataclass(frozen=True, eq=False)
class FeelingUnits:
    """Whether the first unit of a word's code answers to faces that feel it.

    Args:
        layer: the layer of the codes.
        words: k words, each with at least one face.
        units: (k,) the unit that adds most to each word; −1 where none adds.
        shows: (n, k) bool, whether a face shows a word's feeling.
        answers: (n, k) what the word's unit says to each face, largest over the map, before the ReLU; zeros
            where there is none.
        provenance: model, recipe, seed of the shuffling; n counts faces.
    """

    layer: str
    words: tuple[str, ...]
    units: tuple[int, ...]
    shows: np.ndarray
    answers: np.ndarray
    provenance: Provenance

    @property
    def medians(self) -> np.ndarray:
        """(k,) of a word's faces the median standing, in (0, 1]; 0.2 is the end of the best fifth."""
        return _medians(standing(self.answers), self.shows)

    @property
    def found(self) -> Rate:
        """How many words have the median of their faces among the best fifth."""
        return Rate(int((self.medians <= BEST).sum()), len(self.words))

    @cached_property
    def permuted(self) -> np.ndarray:
        """(`DRAWS`,) what `found` counts when feelings are dealt out among the faces: chance."""
        rng, places = np.random.default_rng(self.provenance.seed), standing(self.answers)
        dealt = (self.shows[rng.permutation(len(self.shows))] for _ in range(DRAWS))
        return np.array([(_medians(places, shows) <= BEST).sum() for shows in dealt])

    @property
    def summary(self) -> str:
        """The counts in a sentence."""
        return (
            f"For {self.found.told('words')} the code's first unit has the median of the feeling's faces "
            f"among its best 20 %; feelings dealt out at random give {by_chance(self.permuted)}."
        )


def feeling_units(model: ImageModel, codes: Codes) -> FeelingUnits:
    """Show Noto's faces to the first unit of each word's code.

    Args:
        model: the one that the codes are of.
        codes: of words; those that no face shows are left out.
    """
    shown = faces()
    words = tuple(word for word in codes.words if any(word in face.shows for face in shown))
    firsts = [next(iter(codes.code(word, 1)), (-1, 0.0)) for word in words]
    units = tuple(unit if share > 0 else -1 for unit, share in firsts)
    answers = np.concatenate([*answers_to(model, [face.image for face in shown], codes.layer)])
    own = np.stack([answers[:, unit] if unit >= 0 else np.zeros(len(shown)) for unit in units], axis=1)
    shows = np.array([[word in face.shows for word in words] for face in shown])
    recipe = f"{codes.provenance.recipe}; first units at Noto's faces, {DRAWS} shufflings"
    told = Provenance(model.name, model.weights_hash, recipe, unit=codes.layer, seed=0, n=len(shown))
    return FeelingUnits(codes.layer, words, units, shows, own, told)


def _medians(places: np.ndarray, shows: np.ndarray) -> np.ndarray:
    return np.nanmedian(np.where(shows, places, np.nan), axis=0)
