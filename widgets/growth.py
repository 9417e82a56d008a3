"""One picture under way: its recipe, the stream that paints it, and what it leaves behind."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

import clipbench as cb
from clipbench.models import ImageModel
from clipbench.optvis import Frames, Step
from clipbench.optvis.frames import as_bytes, film_steps
from clipbench.results import read_provenance, save_png
from widgets.ascent import Ascent
from widgets.pictures import picture
from widgets.recipe import Recipe

KEPT = (0, 4, 16, 48, 128, 256)  # steps whose pictures are kept, as the eye sees them change; then each 256th
_FILM = frozenset(film_steps(10**6))  # steps that a film shows, however long it becomes
_TOLD = "growth.json"


class Growth:
    """A picture, or several, that grows, is stopped, goes on, and can be looked at as it was before.

    The worker of a `Job` reads `grow`; any thread reads the rest.

    Args:
        recipe: what to paint.
        model: waits for the model and returns it; called once, by the worker.
    """

    def __init__(self, recipe: Recipe, model: Callable[[], ImageModel]):
        self.recipe = recipe
        self.goal = recipe.steps
        self.model: ImageModel | None = None
        self._wait_for_model = model
        self._stream: Iterator[Step] | None = None
        self._values: list = []
        self._kept: dict[int, Step] = {}
        self._film: dict[int, tuple[np.ndarray, np.ndarray]] = {}  # values and pixels, as `Frames` has them
        self._newest: Step | None = None

    def grow(self) -> Iterator[Step]:
        """The steps up to the goal that have not been read yet.

        Raises:
            ClipbenchError: the model cannot do what the recipe says.
        """
        if self._stream is None:
            self.model = self._wait_for_model()
            self._stream = self.ascent.steps()
        for step in islice(self._stream, self.missing):
            self._values.append(step.value)
            self._newest = step
            if step.number in KEPT or step.number % KEPT[-1] == 0:
                self._keep(step)
            elif step.number in _FILM:
                self._expose(step)
            yield step

    def extend(self) -> None:
        """Where the goal has been reached, set it as many steps further again."""
        if self.missing == 0:
            self.goal += self.recipe.steps

    @cached_property
    def ascent(self) -> Ascent:
        """What the recipe comes to, once there is a model."""
        return Ascent(self.recipe, self.model)

    @property
    def missing(self) -> int:
        """Number of steps up to the goal; step 0 counts as one."""
        return self.goal + 1 - len(self._values)

    @property
    def number(self) -> int:
        """Number of the newest step; 0 before the first."""
        return max(len(self._values) - 1, 0)

    @property
    def values(self) -> list[float]:
        """Value of the objective at every step so far, a mean over pictures, copied when first asked for."""
        for position, value in enumerate(self._values):
            if not isinstance(value, float):
                self._values[position] = float(value.mean())
        return self._values[:]

    @property
    def numbers(self) -> list[int]:
        """Steps whose pictures are kept."""
        return sorted(self._kept)

    def hold(self) -> None:
        """Keep the newest step, too."""
        self._keep(self._newest)

    def pixels(self, number: int) -> Tensor:
        """The pictures at a kept step: (n, 3, h, w) in [0, 1]."""
        return self._kept[number].images

    def image(self, number: int) -> Image.Image:
        """The pictures at a kept step, side by side."""
        return picture(self._kept[number])

    def provenance(self, number: int) -> cb.Provenance:
        """Where the pictures at a step come from."""
        return self.ascent.provenance(number)

    def frames(self, number: int) -> Frames:
        """How the pictures grew up to a kept step, a film's frames in between."""
        shown = [each for each in sorted(self._film) if each <= number]
        values, pixels = zip(*(self._film[each] for each in shown), strict=True)
        names = self.ascent.plan(number).names
        return Frames(names, tuple(shown), np.stack(values), np.stack(pixels), self.provenance(number))

    def save(self, folder: Path, likely: list[tuple[str, float]], found: dict | None = None) -> None:
        """Keep all of it for an `Example`.

        Args:
            folder: made where it is missing.
            likely: what the model takes the last picture for.
            found: what was found out about it, as `Findings.as_dict` gives it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for number in self.numbers:
            save_png(self.image(number), folder / f"{number:04d}.png", self.provenance(number))
        told = {"recipe": asdict(self.recipe), "values": self.values, "likely": likely, "found": found}
        (folder / _TOLD).write_text(json.dumps(told, indent=1) + "\n")

    def _keep(self, step: Step) -> None:
        self._kept[step.number] = step
        self._expose(step)

    def _expose(self, step: Step) -> None:
        self._film[step.number] = step.value.float().cpu().numpy(), as_bytes(step.images)


class Example:
    """A finished growth out of a folder that `Growth.save` has written; read as a `Growth` is."""

    model = None

    def __init__(self, folder: Path):
        told = json.loads((folder / _TOLD).read_text())
        self._paths = {int(path.stem): path for path in sorted(folder.glob("*.png"))}
        self.recipe = Recipe(**told["recipe"])
        self.values: list[float] = told["values"]
        self.likely = [(name, share) for name, share in told["likely"]]
        self.found: dict | None = told.get("found")
        self.numbers = list(self._paths)
        self.number = self.goal = self.numbers[-1]

    def image(self, number: int) -> Image.Image:
        """The picture at a kept step."""
        with Image.open(self._paths[number]) as image:
            return image.convert("RGB")

    def provenance(self, number: int) -> cb.Provenance:
        """Where the picture at a step comes from."""
        return read_provenance(self._paths[number])

    def frames(self, number: int) -> Frames:
        """The kept steps up to one of them; an example has no others."""
        shown = [each for each in self.numbers if each <= number]
        pixels = np.stack([[np.asarray(self.image(each))] for each in shown])
        values = np.array([[self.values[each]] for each in shown], np.float32)
        return Frames((self.recipe.name,), tuple(shown), values, pixels, self.provenance(number))
