"""What a recipe comes to with a model: all that `visualize` takes, and where its pictures come from."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image

import clipbench as cb
from clipbench.errors import ClipbenchError, unknown
from clipbench.models import ImageModel
from clipbench.optvis import Step
from clipbench.optvis.faces import find_faces
from clipbench.optvis.objectives import Objective
from clipbench.optvis.parametrizations import Parametrization
from clipbench.optvis.plan import Plan
from clipbench.optvis.probes import Facet
from clipbench.optvis.themes import shipped_facets
from clipbench.stimuli import sample
from clipbench.units import check_channel
from widgets.photos import unlabelled
from widgets.recipe import Recipe

_ENDLESS = 10**9  # steps; whoever reads the stream decides when it is enough
_WEAKEST = 0.1  # strength of the first picture of a strip, as published
_CROPS = (0.2, 0.5)  # of the side, as in `transforms.maco`
_TERM = re.compile(r"([+-]?)\s*(?:(\d*\.?\d+)\s*[*·]\s*)?(\d+)\s*")


@dataclass(frozen=True, eq=False)
class Ascent:
    """A recipe with the model that it is for; everything else follows.

    Args:
        recipe: what to paint and how.
        model: with what.

    Raises:
        ClipbenchError: on use, where the model has no such unit, cannot take the size, or has no text tower.
    """

    recipe: Recipe
    model: ImageModel

    def steps(self) -> Iterator[Step]:
        """The optimisation, without an end."""
        return self.plan(_ENDLESS).run(self.model)

    def plan(self, steps: int) -> Plan:
        """All that decides the pictures after some steps."""
        return Plan(
            self.objective,
            self.parametrization,
            self.transforms,
            self.regularizers,
            self.prior,
            self.recipe.rate * self.parametrization.lr,
            steps,
            self.recipe.seed,
        )

    def provenance(self, steps: int) -> cb.Provenance:
        """Where the pictures after some steps come from."""
        unit = None if self.recipe.spoken else self.recipe.address
        return self.plan(steps).provenance(self.model, unit)

    @cached_property
    def base(self) -> Objective:
        """What is to be excited, of one picture, facet and other pictures apart."""
        wanted = self.recipe
        if wanted.spoken:
            return (cb.objectives.text if wanted.want == "text" else cb.objectives.label)(wanted.words)
        unit = cb.Unit.parse(wanted.unit, self.model)
        if wanted.of_photo:
            return getattr(cb.objectives, wanted.want)(unit.layer, self._wanted_photo())
        match wanted.want:
            case "layer":
                return cb.objectives.layer(unit.layer)
            case "neuron":
                return cb.objectives.neuron(unit.layer, unit.channel, unit.position)
            case "direction":
                channels = self.model.layer(unit.layer).channels
                return cb.objectives.direction(unit.layer, read_direction(wanted.words, unit.layer, channels))
        return cb.objectives.channel(unit.layer, unit.channel)

    @cached_property
    def objective(self) -> Objective:
        """What is maximised."""
        wanted = self.recipe
        if wanted.faces == "diverse":
            likeness = cb.objectives.diversity(self._earlier_layer(), self.base)
            return self.base - wanted.diversity * likeness
        if wanted.faces == "facet":
            return cb.objectives.faceted(self.base, self.facet, wanted.strength)
        if wanted.faces == "strip":
            return cb.objectives.faceted(self.base, self.facet, self.strengths)
        return self.base

    @cached_property
    def facet(self) -> Facet:
        """The facet towards which the pictures lean."""
        if self.recipe.own_facet is not None:
            return self.recipe.own_facet
        shipped = shipped_facets(self.model)
        if not shipped:
            raise ClipbenchError(f"no facet is shipped for {self.model.name}; train one of your own")
        if self.recipe.facet not in shipped:
            raise unknown("facet", self.recipe.facet, shipped)
        return shipped[self.recipe.facet]

    @property
    def strengths(self) -> list[float]:
        """Of the facet, one a picture of a strip."""
        return np.linspace(_WEAKEST, self.recipe.strength, self.recipe.k).round(4).tolist()

    @cached_property
    def parametrization(self) -> Parametrization:
        """How the pictures are written, and what they start from."""
        wanted, makers = self.recipe, cb.parametrizations
        canvas, photos = wanted.canvas if wanted.frequency else "pixel", self._starts()
        size = {"size": wanted.pixels, "batch": wanted.batch}
        if canvas in ("maco", "lowres", "cppn"):
            if photos is not None:
                raise ClipbenchError(f"{canvas} cannot start from a photo; choose fft, laplacian or pixel")
            return getattr(makers, canvas)(**size)
        size |= {"decay": wanted.decay} if canvas == "fft" else {}
        return getattr(makers, canvas)(**size, photo=photos)

    @cached_property
    def transforms(self) -> tuple:
        """What the model is shown of the pictures in a step."""
        wanted, views = self.recipe, cb.transforms
        if not wanted.robustness:
            return ()
        optional = [
            (wanted.perspective, views.perspective),
            (wanted.colour, views.colour),
            (wanted.noise, views.noise),
        ]
        chosen = [*views.standard(wanted.jitter, wanted.scale, wanted.rotate)]
        chosen += [make(value) for value, make in optional if value]
        return (*chosen, views.crop(*_CROPS), views.several(wanted.crops)) if wanted.crops else tuple(chosen)

    @cached_property
    def regularizers(self) -> tuple:
        """Penalties on the pictures."""
        names = ("tv", "l1", "l2", "blur", "bilateral") if self.recipe.frequency else ()
        weights = {name: getattr(self.recipe, name) for name in names}
        return tuple(getattr(cb.regularizers, name)(weight) for name, weight in weights.items() if weight)

    @property
    def prior(self):
        """The operator that every picture goes through in each step, or None."""
        used = self.recipe.prior and self.recipe.natural
        return cb.priors.denoiser(self.recipe.natural) if used else None

    def _starts(self) -> Image.Image | Sequence[Image.Image] | None:
        wanted = self.recipe
        if wanted.faces == "of photos":
            if wanted.of_photo:
                raise ClipbenchError("groups of photos are found for a unit, a direction or words; want one")
            photos = [photo.image for photo in unlabelled()]
            return find_faces(self.model, self.base, photos, wanted.k, wanted.seed).images
        return None if wanted.of_photo else self._photo()

    def _photo(self) -> Image.Image | None:
        if self.recipe.upload is not None:
            return self.recipe.upload.image
        return sample(self.recipe.photo).image if self.recipe.photo else None

    def _wanted_photo(self) -> Image.Image:
        photo = self._photo()
        if photo is None:
            raise ClipbenchError(f"{self.recipe.want} is of a photo; choose one under Start")
        return photo

    def _earlier_layer(self) -> str:
        """The layer before the one that the objective ends at, where its faces are told apart."""
        order = [*self.model.layers, *self.model.heads]
        deepest = max(order.index(read.layer) for read in self.base.bind(self.model).reads)
        earlier = [name for name in order[:deepest] if name in self.model.layers]
        if not earlier:
            raise ClipbenchError(
                f"{order[deepest]!r} has no layer before it to tell faces apart by; choose a later layer"
            )
        return earlier[-1]


def read_direction(text: str, layer: str, channels: int) -> list[float]:
    """The numbers of a direction that is written as a sum of channels, as in "550 + 7 - 0.5*12".

    Raises:
        ClipbenchError: it is no such sum, or the layer has no such channel.
    """
    vector, place = [0.0] * channels, 0
    while term := _TERM.match(text, place):
        sign, weight, channel = term.groups()
        if place and not sign:
            break
        check_channel(int(channel), channels, layer)
        vector[int(channel)] += float(weight or 1) * (-1 if sign == "-" else 1)
        place = term.end()
    if not place or place < len(text) or not any(vector):
        raise ClipbenchError(f"{text!r} is no direction; write channels with weights, as in 550 - 0.5*7")
    return vector
