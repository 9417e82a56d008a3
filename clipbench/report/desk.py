"""What lies on the table while the page of a unit is made: the unit, its model, and what it was shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel
from clipbench.optvis.probes import Facet
from clipbench.report.portraits import Portraits
from clipbench.studies import MaximalText
from clipbench.sweeps import Store, sweeps
from clipbench.units import Unit


@dataclass(frozen=True, eq=False)
class Desk:
    """A unit, and all that its page is made from.

    Args:
        model: the model.
        unit: without a position.
        store: of photos that were swept with this model and layer.
        folder: where pictures of units are kept; pages of other units may use it, too.
        words: of written words that were swept likewise, or None.
        facets: themes that the unit is shown in.
        text: the phrase that it likes most, or None where that was not looked for.
        label: "name", what the unit is called or "", and "told", a sentence on how sure that is.

    Raises:
        ClipbenchError: the store is of another model, or has nothing of this layer; the text is another's.
    """

    model: ImageModel
    unit: Unit
    store: Store
    folder: Path
    words: Store | None = None
    facets: Sequence[Facet] = ()
    text: MaximalText | None = None
    label: Mapping = field(default_factory=lambda: {"name": "", "told": ""})

    def __post_init__(self):
        for store in (self.store, self.words):
            if store is not None and not store.is_of(self.model):
                raise ClipbenchError(
                    f"the store has {store.title}, not of {self.model.name} {self.model.weights_hash[:8]}; "
                    "sweep with that model"
                )
        if self.text is not None:
            source = self.text.provenance
            if (self.text.unit, source.weights_hash) != (str(self.unit), self.model.weights_hash):
                raise ClipbenchError(
                    f"the text is of {self.text.unit} of {source.source}, not of {self.unit} of "
                    f"{self.model.name} {self.model.weights_hash[:8]}; look for that unit's"
                )
        self.store.unit(self.unit)
        self.store.check_read(self.unit.layer)

    @property
    def key(self) -> list:
        """All that decides what the page says, besides the version of clipbench, as plain JSON types."""
        read = [self.store.read_images(self.unit.layer)]  # of a sweep that may still go on
        if self.written is not None:
            read += [self.written.key, self.written.read_images(self.unit.layer)]
        return [str(self.unit), self.store.key, *read, *(facet.digest for facet in self.facets)]

    def given(self, section: str) -> list:
        """What decides one section alone, likewise."""
        return [self.text.as_dict()] if section == "text" and self.text is not None else []

    @cached_property
    def written(self) -> Store | None:
        """The words, if the unit's layer has been shown any."""
        words, layer = self.words, self.unit.layer
        return words if words is not None and layer in words.layers and words.read_images(layer) else None

    @cached_property
    def portraits(self) -> Portraits:
        """Pictures of this and other units."""
        return Portraits(self.model, self.folder / "pictures")

    @cached_property
    def order(self) -> np.ndarray:
        """Numbers of the photos that could be read, the most exciting first."""
        return self.store.top(self.unit, self.store.n).numbers

    def favourites(self, most: int) -> list[Image.Image]:
        """The photos that excite the unit most, as the model sees them."""
        return [self.store.seen(photo) for photo in self.order[:most].tolist()]

    def usual(self, most: int, besides: int) -> list[Image.Image]:
        """Photos from all over the spectrum, without the unit's first favourites."""
        rest = self.order[besides:]
        chosen = np.unique(np.linspace(0, len(rest) - 1, min(most, len(rest))).round().astype(int))
        return [self.store.seen(photo) for photo in rest[chosen].tolist()]

    @property
    def stimuli(self) -> str:
        """What was swept, for people."""
        written = f"; {self.words.title}, {self.words.n:,} of them" if self.words is not None else ""
        return f"{self.store.title}, {self.store.n:,} of them{written}"

    @property
    def strongest(self) -> float:
        """What the unit says to its favourite photo."""
        return float(self.store.top(self.unit, 1).values[0])

    @property
    def constant(self) -> bool:
        """Whether the unit says the same to all photos."""
        return self.strongest == float(self.store.top(self.unit, 1, least=True).values[0])

    @property
    def mean(self) -> float:
        """The unit's mean over photos and positions."""
        return float(self.store.moments(self.unit.layer, "mean").mean[self.unit.channel])


def stores_at(path: str | Path, model: ImageModel) -> tuple[Store, Store | None]:
    """What a model was shown: the photos, and the written words if they were swept into the same store.

    Raises:
        ClipbenchError: no store, or none of this model's photos in it.
    """
    written = any(one.kind == "words" and one.is_of(model) for one in sweeps(path))
    return Store.open(path, model), Store.open(path, model, "words") if written else None
