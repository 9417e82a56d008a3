"""Everything besides the model that decides a picture, as a value that goes into its file and comes back."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from textwrap import shorten

import torch

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel, load
from clipbench.optvis import parametrizations, settings, transforms
from clipbench.optvis.objectives import Objective
from clipbench.optvis.objectives.batches import Batch
from clipbench.optvis.parametrizations import Parametrization
from clipbench.optvis.priors import Prior
from clipbench.optvis.regularizers import Regularizer
from clipbench.optvis.render import Step, recipe, visualize
from clipbench.optvis.transforms import Transform
from clipbench.results import UNREADABLE, Provenance, versions


@dataclass(frozen=True)
class Plan:
    """The arguments of `visualize`, the model apart; None means what it means there."""

    objective: Objective
    parametrization: Parametrization = field(default_factory=parametrizations.fft)
    transforms: tuple[Transform, ...] = field(default_factory=transforms.standard)
    regularizers: tuple[Regularizer, ...] = ()
    prior: Prior | None = None
    lr: float | None = None
    steps: int = 256
    seed: int = 0

    def __str__(self) -> str:
        return f"{self.objective}, {self.conditions}"

    @property
    def conditions(self) -> str:
        """The recipe without the objective."""
        parts = (self.objective, self.parametrization, self.transforms, self.regularizers)
        lr = self.parametrization.lr if self.lr is None else self.lr
        return recipe(*parts, lr, self.steps, self.prior).removeprefix(f"{self.objective}, ")

    @property
    def names(self) -> tuple[str, ...]:
        """What each picture of the batch is to excite."""
        return tuple(str(_of(self.objective, picture)) for picture in range(self.parametrization.batch))

    def run(self, model: ImageModel) -> Iterator[Step]:
        """The steps of the ascent; see `visualize`."""
        return visualize(model, **self._arguments())

    def provenance(
        self, model: ImageModel, unit: str | None = None, picture: int | None = None
    ) -> Provenance:
        """Where what this paints comes from, with all that is needed to paint it again.

        A prior or an objective of the user's own cannot go into a file; then it only prints itself there.

        Args:
            model: with what it is painted.
            unit: its address, if there is one.
            picture: place in the batch of the picture that it is about; None is about all of them.
        """
        told, n, kept = str(self), self.parametrization.batch, self._settings(model, picture)
        if picture is not None and n > 1:
            told = f"{self.names[picture]}, {self.conditions}, {picture + 1} of a batch of {n}"
        n = n if picture is None else 1
        return Provenance(model.name, model.weights_hash, told, unit, self.seed, n, settings=kept)

    @classmethod
    def of(cls, provenance: Provenance, model: ImageModel) -> "Plan":
        """The plan of a picture: run with the same model, on the same device, it paints it to the bit.

        Raises:
            ClipbenchError: the picture is of another model, or does not say how to repeat it.
        """
        if provenance.weights_hash != model.weights_hash:
            raise ClipbenchError(
                f"the picture was painted with {provenance.model} {provenance.weights_hash[:8]}, not with "
                f"{model.name} {model.weights_hash[:8]}; load the model that it was painted with"
            )
        if provenance.settings is None:
            raise ClipbenchError(
                "the picture does not hold its settings: an older clipbench wrote it, or a function of one's "
                "own had a part in it; paint a new one"
            )
        try:
            plan = settings.build(cls, provenance.settings["plan"], lambda *other: _other(model, *other))
            _check_picture(provenance.settings["picture"], plan)
            return plan
        except ClipbenchError:
            raise
        except (*UNREADABLE, AttributeError) as error:
            reason = shorten(str(error), 120, placeholder=" …")
            raise ClipbenchError(f"the settings of the picture cannot be understood ({reason})") from error

    def _arguments(self) -> dict:
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def _settings(self, model: ImageModel, picture: int | None) -> dict | None:
        try:
            size = self.parametrization.size
            plan = {name: settings.write(value, size) for name, value in self._arguments().items()}
        except ClipbenchError:
            return None
        return {"plan": plan, "picture": picture, **_machine(model)}


def differences(provenance: Provenance, model: ImageModel) -> list[str]:
    """What is not as it was when a picture was painted, so that painting it again may round otherwise."""
    before = {**provenance.versions, **(provenance.settings or {})}
    now = {**versions(), **_machine(model)}
    return [
        f"{name} {before.get(name)} → {value}" for name, value in now.items() if before.get(name) != value
    ]


def _of(objective: Objective, picture: int) -> Objective:
    """What one picture of a batch is to excite."""
    (weight, term), *further = objective.terms
    return weight * term.objectives[picture] if isinstance(term, Batch) and not further else objective


def _check_picture(picture: int | None, plan: Plan) -> None:
    if picture not in (None, *range(plan.parametrization.batch)):
        raise ValueError(f"a batch of {plan.parametrization.batch} has no picture {picture!r}")


def _machine(model: ImageModel) -> dict:
    """What decides how sums are rounded."""
    return {"device": str(model.device), "dtype": str(model.dtype), "threads": torch.get_num_threads()}


def _other(model: ImageModel, name: str, weights_hash: str) -> ImageModel:
    """A further model that an objective asks, on the device of the first."""
    other = model if model.name == name else load(name, device=model.device)
    if other.weights_hash != weights_hash:
        raise ClipbenchError(
            f"the picture was painted with {name} {weights_hash[:8]}, which is {other.weights_hash[:8]} here"
        )
    return other
