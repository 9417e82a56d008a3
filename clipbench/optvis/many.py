"""Many pictures, painted several at a time into a folder: one file each, and a contact sheet of all."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel
from clipbench.optvis.contact import contact_sheet
from clipbench.optvis.frames import as_bytes
from clipbench.optvis.objectives import Objective
from clipbench.optvis.objectives import batch as of_batch
from clipbench.optvis.parametrizations import Parametrization
from clipbench.optvis.plan import Plan
from clipbench.results import Provenance, made_folder, read_provenance, save_png
from clipbench.streams import chunks

SHEET = "contact-sheet.png"
_LEAST_GAIN = 0.01  # share by which a value has to rise within the patience
_LONGEST = 80  # letters of a file name


@dataclass(frozen=True)
class Goal:
    """What one picture is to excite.

    Args:
        name: as people write it; the file is named after it.
        objective: what is maximised.
        unit: its address, if it has one.
    """

    name: str
    objective: Objective
    unit: str | None = None


class Progress(NamedTuple):
    """How far a gallery is: steps of all pictures, and the files of finished batches, in their order."""

    done: int
    total: int
    files: tuple[Path, ...]


@dataclass(frozen=True)
class _Batch:
    """Pictures that are painted together, and where each goes."""

    model: ImageModel
    plan: Plan
    patience: int | None
    goals: Sequence[Goal]
    files: Sequence[Path]

    @property
    def steps(self) -> int:
        """Of all pictures together."""
        return (self.plan.steps + 1) * len(self.goals)

    def origin(self, place: int, number: int) -> Provenance:
        """Where a picture comes from that was finished with that step."""
        plan = replace(self.plan, steps=number)
        origin = plan.provenance(self.model, self.goals[place].unit, place)
        return replace(origin, settings=origin.settings and {**origin.settings, "patience": self.patience})

    def is_there(self, place: int) -> bool:
        """Whether the file holds the picture that would be painted, be it by other versions of packages."""
        try:
            found = read_provenance(self.files[place])
            number = self.plan.steps if self.patience is None else found.settings["plan"]["steps"]
            return _identity(found) == _identity(self.origin(place, number))
        except (ClipbenchError, KeyError, TypeError):
            return False


def _identity(origin: Provenance) -> tuple:
    return origin.weights_hash, *(origin.settings[key] for key in ("plan", "picture", "patience"))


def gallery(
    model: ImageModel,
    goals: Sequence[Goal],
    folder: str | Path,
    canvas: Callable[[int], Parametrization],
    *,
    batch: int = 8,
    patience: int | None = None,
    **settings,
) -> Iterator[Progress]:
    """Paint a picture for each goal, some in one batch, and write each as PNG with its provenance.

    A picture that is there already, of the same weights and settings, is not painted again; so a gallery that
    was stopped goes on, and loses at most the batch under way. After each batch a contact sheet shows what
    there is.

    Args:
        model: what is to be excited.
        goals: one a picture; they are cut into batches in their order.
        folder: where the files go; it is made if need be.
        canvas: gives the parametrization for a number of pictures, as `lambda batch: fft(224, batch)`.
        batch: how many pictures at once.
        patience: a picture is finished early when its mean value over so many steps is less than 1 % above
            that over as many steps before; None goes on to the last step.
        settings: further arguments of `visualize`.

    Returns:
        An iterator over the progress, one a step.

    Raises:
        ClipbenchError: no goals, numbers below 1, what `visualize` refuses, or a folder that cannot be made.
    """
    if not goals:
        raise ClipbenchError("a gallery needs at least one unit or text; give some")
    for name, number in (("batch", batch), ("patience", patience)):
        if number is not None and number < 1:
            raise ClipbenchError(f"a {name} of {number} is not possible; give 1 or more")
    files = [Path(folder) / name for name in file_names([goal.name for goal in goals])]
    batches = []
    for some, own in zip(chunks(goals, batch), chunks(files, batch), strict=True):
        plan = Plan(together(some), canvas(len(some)), **settings)
        plan.run(model)  # checks it: no step is read
        batches.append(_Batch(model, plan, patience, some, own))
    made_folder(folder)
    return _fill(batches)


def together(goals: Sequence[Goal]) -> Objective:
    """The objective of a batch with a picture for each goal."""
    return goals[0].objective if len(goals) == 1 else of_batch([goal.objective for goal in goals])


def file_names(names: Sequence[str]) -> list[str]:
    """A file name for each name, all different, of letters, digits and hyphens."""
    told: list[str] = []
    for name in names:
        stem = re.sub(r"[^\w.]+", "-", name).strip("-.")[:_LONGEST] or "picture"
        file, number = f"{stem}.png", 1
        while file.casefold() in map(str.casefold, [*told, SHEET]):
            number += 1
            file = f"{stem}-{number}.png"
        told.append(file)
    return told


def _fill(batches: Sequence[_Batch]) -> Iterator[Progress]:
    total, before, files = sum(each.steps for each in batches), 0, ()
    for each in batches:
        for number in _paint(each):
            yield Progress(before + number * len(each.goals), total, files)
        before, files = before + each.steps, (*files, *each.files)
        _write_sheet(batches, files)
        yield Progress(before, total, files)


def _paint(batch: _Batch) -> Iterator[int]:
    """Paint and write the pictures of a batch that are not there yet; yields the number of each step."""
    missing = {place for place in range(len(batch.goals)) if not batch.is_there(place)}
    values: list[Tensor] = []
    for step in batch.plan.run(batch.model) if missing else ():
        values.append(step.value)
        ready = missing if step.number == batch.plan.steps else missing & _steady(values, batch.patience)
        for place in ready:
            picture = Image.fromarray(as_bytes(step.images)[place])
            save_png(picture, batch.files[place], batch.origin(place, step.number))
        missing = missing - ready
        yield step.number
        if not missing:
            return


def _steady(values: Sequence[Tensor], patience: int | None) -> set[int]:
    """Places of the pictures whose values, (n,) a step, have ceased to rise."""
    if patience is None or len(values) < 2 * patience or len(values) % patience:
        return set()
    earlier = torch.stack(list(values[-2 * patience : -patience])).mean(dim=0)
    later = torch.stack(list(values[-patience:])).mean(dim=0)
    return set((later - earlier <= _LEAST_GAIN * earlier.abs()).nonzero()[:, 0].tolist())


def _write_sheet(batches: Sequence[_Batch], files: Sequence[Path]) -> None:
    """Write the contact sheet of the pictures that are there, of the first batches."""
    names = [goal.name for batch in batches for goal in batch.goals]
    plan, model = batches[0].plan, batches[0].model
    told = f"contact sheet of pictures painted {len(batches[0].goals)} at once, {plan.conditions}"
    origin = Provenance(model.name, model.weights_hash, told, seed=plan.seed, n=len(files))
    named = list(zip(names, files, strict=False))  # more names than files, as long as batches are missing
    save_png(contact_sheet(named, origin.caption()), files[0].with_name(SHEET), origin)
