"""`Swept`: what a sweep is of, and how far it has come."""

from functools import cached_property

from clipbench.errors import ClipbenchError, unknown
from clipbench.models import ImageModel, Layer
from clipbench.results import Provenance
from clipbench.sweeps.shelf import Shelf
from clipbench.sweeps.words import Look
from clipbench.units import Unit, check_channel


class Swept:
    """Which model was shown what, and which of its layers were kept.

    Args:
        shelf: the arrays of the sweep.
    """

    def __init__(self, shelf: Shelf):
        self._shelf = shelf

    def __repr__(self) -> str:
        return f"Store({self.title}, {self.n} items, layers {', '.join(self.layers)})"

    def is_of(self, model: ImageModel) -> bool:
        """Whether this model's weights and preprocessing were swept."""
        told = self._shelf.attributes
        return (told["weights_hash"], told["preprocessing"]) == (model.weights_hash, model.preprocessing)

    @property
    def key(self) -> str:
        """Name of the sweep in its store; another model, preprocessing or content has another."""
        return self._shelf.key

    @property
    def kind(self) -> str:
        """What was swept, "images" or "words"."""
        return self._shelf.attributes["origin"]["kind"]

    @property
    def title(self) -> str:
        """What was swept, for people."""
        told = self._shelf.attributes
        return f"{self.kind} of {told['model']} {told['weights_hash'][:8]}"

    @property
    def stimuli_hash(self) -> str:
        """Of names and content of what was swept; two sweeps of one hash have the same rows."""
        return self._shelf.attributes["stimuli"]

    @property
    def n(self) -> int:
        """Number of images, those that could not be read among them."""
        return self._shelf.n

    @cached_property
    def layers(self) -> dict[str, Layer]:
        """Name -> layer, of those that were swept in whole or in part; heads have no stride."""
        told = self._shelf.layers
        return {name: Layer(name, one["units"], one["stride"]) for name, one in told.items()}

    def layer(self, name: str) -> Layer:
        """The swept layer of that name.

        Raises:
            ClipbenchError: it was not swept.
        """
        if name not in self.layers:
            raise unknown("swept layer", name, self.layers)
        return self.layers[name]

    def grid(self, layer: str) -> tuple[int, int]:
        """Rows and columns of a layer's map."""
        return tuple(self._shelf.layers[self.layer(layer).name]["grid"])

    @cached_property
    def names(self) -> tuple[str, ...]:
        """N names; for words, the words. They came from outside, so escape them where they are shown."""
        return self._shelf.texts("names")

    @property
    def looks(self) -> tuple[Look, ...]:
        """The looks in which words were shown, all words in the first, then all in the second; else none."""
        return tuple(Look(**look) for look in self._shelf.attributes["origin"].get("looks", ()))

    @property
    def words(self) -> tuple[str, ...]:
        """The words that were shown; none where pictures were."""
        return self.names[: self.n // len(self.looks)] if self.looks else ()

    @property
    def unread(self) -> dict[int, str]:
        """Number -> why an image could not be read."""
        return self._shelf.notes()

    def read_images(self, layer: str) -> int:
        """How many images a layer has been shown so far."""
        self.layer(layer)
        counts = self._shelf.counts(layer)
        return int(counts[counts >= 0].sum())

    def check_read(self, layer: str) -> None:
        """Raise a ClipbenchError unless at least one image of a layer could be read so far."""
        if self.read_images(layer) == 0:
            why = "has been read yet; let the sweep go on first"
            if self.is_complete(layer):
                why = "could be read; sweep pictures that can"
            raise ClipbenchError(f"no image of layer {layer!r} {why}")

    def is_complete(self, layer: str) -> bool:
        """Whether a layer has been shown all images."""
        self.layer(layer)
        return bool(self._shelf.done(layer).all())

    def provenance(self, layer: str, unit: str | None = None) -> Provenance:
        """Where a result from a layer comes from."""
        told = self._shelf.attributes
        recipe = f"{self.kind} {told['stimuli'][:8]} swept {told['begun'][:10]}, before ReLU"
        n = self.read_images(layer)
        return Provenance(told["model"], told["weights_hash"], recipe, unit, None, n, told["versions"])

    def unit(self, address: str | Unit) -> Unit:
        """An address, checked against the layers that were swept; a position is no part of it.

        Raises:
            ClipbenchError: see `Unit.parse`.
        """
        unit = Unit.parse(address, self)
        check_channel(unit.channel, self.layer(unit.layer).channels, unit.layer)
        return Unit(unit.layer, unit.channel)

    @property
    def last_layer(self) -> str:
        """A layer to give as an example."""
        return list(self.layers)[-1]
