"""Small pictures of many units, painted in batches when first asked for and kept in a folder."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from torchvision.transforms.functional import to_pil_image

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel
from clipbench.optvis import objectives, parametrizations, recipe, transforms, visualize
from clipbench.optvis.objectives import Objective
from clipbench.optvis.probes import Facet
from clipbench.report.files import made
from clipbench.results import Provenance, read_provenance, save_png
from clipbench.units import Unit

BATCH = 32  # units that are painted together

_GRADED = re.compile(r"(?P<size>\d+) px, (?P<steps>\d+) steps: ")  # how the recipe of a portrait begins


@dataclass(frozen=True)
class Grade:
    """How fine a portrait is.

    Args:
        size: height and width in pixels.
        steps: of the optimisation.
    """

    size: int
    steps: int

    def __str__(self) -> str:
        return f"{self.size} px, {self.steps} steps"


_ANY = Grade(0, 0)
COARSE = Grade(80, 64)  # a twentieth of the work of a fine one; enough to tell units apart
FINE = Grade(160, 256)


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
        facet: a theme that all pictures are to show, or None.
        strength: how strongly; see `objectives.faceted`.
    """

    def __init__(self, model: ImageModel, folder: Path, facet: Facet | None = None, strength: float = 1.0):
        self._model, self._folder, self._facet, self._strength = model, folder, facet, strength

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
        kept = _GRADED.match(told.recipe)
        fine = kept and int(kept["size"]) >= grade.size and int(kept["steps"]) >= grade.steps
        same = told.weights_hash == self._model.weights_hash and str(self._goal(unit)) in told.recipe
        return bool(same and fine)

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
        for start in range(0, len(missing), BATCH):
            part = missing[start : start + BATCH]
            for step in self._stream(part, grade, seed):
                yield Painting(done + len(part) * step.number / (grade.steps + 1), len(units))
            made(self._folder)
            for place, (unit, picture) in enumerate(zip(part, step.images, strict=True)):
                told = self._told(unit, grade, seed, place, len(part))
                save_png(to_pil_image(picture.float().cpu()), self.path(unit), told)
            done += len(part)
        yield Painting(len(units), len(units))

    def _stream(self, units: Sequence[Unit], grade: Grade, seed: int):
        goals = objectives.batch([self._goal(unit) for unit in units])
        canvas = parametrizations.fft(grade.size, batch=len(units))
        return visualize(self._model, goals, parametrization=canvas, steps=grade.steps, seed=seed)

    def _goal(self, unit: Unit) -> Objective:
        plain = objectives.channel(unit.layer, unit.channel)
        return plain if self._facet is None else objectives.faceted(plain, self._facet, self._strength)

    def _told(self, unit: Unit, grade: Grade, seed: int, place: int, count: int) -> Provenance:
        canvas = parametrizations.fft(grade.size, batch=count)
        views = transforms.standard()
        told = recipe(self._goal(unit), canvas, views, (), canvas.lr, grade.steps)
        told = f"{grade}: {told}, picture {place + 1} of a batch of {count}"
        return Provenance(self._model.name, self._model.weights_hash, told, unit=str(unit), seed=seed, n=1)
