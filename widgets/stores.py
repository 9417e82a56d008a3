"""What a panel reads: a store of the user's, or the shipped photos, which are swept when first needed."""

from collections.abc import Generator
from dataclasses import dataclass
from os.path import expanduser
from pathlib import Path

import clipbench as cb
from clipbench.models import ImageModel
from clipbench.report import stores_at
from clipbench.stimuli import picture_files
from clipbench.sweeps import Store, sweep, sweeps
from widgets.kept import folder_for

Stores = tuple[Store, Store | None]  # photos, and words if there are any

SHIPPED = "shipped photos"  # in the place of a path


@dataclass(frozen=True)
class Preparing:
    """How many of the shipped photos have been swept."""

    done: int
    total: int


def read_store(text: str) -> str:
    """The path of a store, or `SHIPPED`.

    Raises:
        ClipbenchError: there is no store at the path.
    """
    path = at_home(text)
    if path != SHIPPED:
        sweeps(path)
    return path


def at_home(text: str) -> str:
    """A path or address as it was written, "~" replaced by the home folder."""
    return expanduser(text.strip())


def prepared(path: str, model: ImageModel, layer: str) -> Generator[Preparing, None, Stores]:
    """Open what a path means, sweeping the shipped photos if they are meant; see `stores_at`."""
    if path != SHIPPED:
        return stores_at(path, model)
    place = folder_for("stores") / "shipped"
    for step in sweep(model, photo_files(), [layer], store=place):
        yield Preparing(step.done, step.total)
    return stores_at(place, model)


def photo_files() -> list[Path]:
    """The files of the shipped photos, in the order in which they are swept."""
    return picture_files(cb.samples()[0].path.parent)
