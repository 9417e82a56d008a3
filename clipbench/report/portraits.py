"""Small pictures of many units, painted in batches when first asked for and kept in a folder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from torchvision.transforms.functional import to_pil_image

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel
from clipbench.optvis import Plan, objectives, parametrizations
from clipbench.optvis.facet_rows import STRENGTH
from clipbench.optvis.objectives import Objective
from clipbench.optvis.probes import Facet
from clipbench.results import Provenance, made_folder, read_provenance, save_png
from clipbench.streams import chunks
from clipbench.units import Unit

BATCH = 32  # units that are painted together
_FACETED = 4  # likewise with a facet, whose gradient each of them takes of all pictures


@dataclass(frozen=True)
class Grade:
    """How fine a portrait is.

    Args:
        size: height and width in pixels.
        steps: of the optimisation.
    """

    size: int
    steps: int

    def within(self, plan: dict) -> bool:
        """Whether a plan, as `Plan.provenance` keeps it, is at least as fine."""
        return plan["steps"] >= self.steps and plan["parametrization"]["size"] >= self.size


_ANY = Grade(0, 0)
COARSE = Grade(80, 48)  # a twentieth of the work of a fine one; enough to tell units apart
FINE = Grade(224, 128)  # its forms stand by then; as many steps again add contrast alone


@dataclass(frozen=True)
class Painting:
    """How far a painting of many units has come, in pictures that are done."""

    done: float
    total: int


class Portraits:
    """Pictures of units of one model in a folder, a PNG file with its provenance for each.

    Args:
        model: whose units.
        folder: where the pictures are; it is made when the first one is painted.
        facet: a theme that all pictures are to show, as in a row of facets, or None.
    """

    def __init__(self, model: ImageModel, folder: Path, facet: Facet | None = None):
        self._model, self._folder, self._facet = model, folder, facet

    def path(self, unit: Unit) -> Path:
        """Where the picture of a unit is, or will be."""
        theme = "" if self._facet is None else f"-{self._facet.name}"
        return self._folder / f"{unit.layer}-{unit.channel}{theme}.png"

    def has(self, unit: Unit, grade: Grade) -> bool:
        """Whether there is a picture of a unit by the same weights that is at least as fine."""
        try:
            told = read_provenance(self.path(unit))
        except ClipbenchError:
            return False
        same = told.weights_hash == self._model.weights_hash and told.unit == str(unit)
        same = same and told.recipe.startswith(f"{self._goal(unit)},")
        plan = (told.settings or {}).get("plan")
        return same and plan is not None and grade.within(plan)

    def image(self, unit: Unit) -> Image.Image | None:
        """The picture of a unit, if there is one by the same weights."""
        if not self.has(unit, _ANY):
            return None
        with Image.open(self.path(unit)) as image:
            return image.convert("RGB")

    def provenance(self, unit: Unit) -> Provenance:
        """Where the picture of a unit comes from.

        Raises:
            ClipbenchError: there is none.
        """
        return read_provenance(self.path(unit))

    def paint(self, units: Sequence[Unit], grade: Grade, seed: int = 0) -> Iterator[Painting]:
        """Paint the pictures that are missing; whoever stops reading stops the work.

        What was painted stays, so that the same call goes on after a stop.

        Yields:
            After each step of a batch how far it has come.

        Raises:
            ClipbenchError: a unit that the model lacks, or a folder that cannot be written to.
        """
        missing = [unit for unit in units if not self.has(unit, grade)]
        done = len(units) - len(missing)
        batch = BATCH if self._facet is None else _FACETED
        for part in chunks(missing, batch):
            plan = self._plan(part, grade, seed)
            for step in plan.run(self._model):
                yield Painting(done + len(part) * step.number / (grade.steps + 1), len(units))
            made_folder(self._folder)
            for place, (unit, picture) in enumerate(zip(part, step.images, strict=True)):
                told = plan.provenance(self._model, str(unit), place)
                save_png(to_pil_image(picture.float().cpu()), self.path(unit), told)
            done += len(part)
        yield Painting(len(units), len(units))

    def _plan(self, units: Sequence[Unit], grade: Grade, seed: int) -> Plan:
        goals = [self._goal(unit) for unit in units]
        goal = goals[0] if len(goals) == 1 else objectives.batch(goals)
        return Plan(goal, parametrizations.fft(grade.size, batch=len(units)), steps=grade.steps, seed=seed)

    def _goal(self, unit: Unit) -> Objective:
        plain = objectives.channel(unit.layer, unit.channel)
        return plain if self._facet is None else objectives.faceted(plain, self._facet, STRENGTH)
