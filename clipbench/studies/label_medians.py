"""What a unit answers to the photos of each label: the article's bars of eleven people, for any folder."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel
from clipbench.results import Provenance
from clipbench.stimuli import picture_files, read_image
from clipbench.streams import Progress
from clipbench.studies.records import CREDIT, LAYER, record
from clipbench.units import Unit, check_whole

_BATCH = 32


@dataclass(frozen=True, eq=False)
class LabelMedians:
    """Answers of one unit by label, the smallest median first.

    Args:
        labels: k names.
        medians: (k,) median answer, in standard deviations of the unit from zero activation.
        deviations: (k,) standard deviation of the answers to a label's photos, likewise.
        counts: (k,) photos of each, or None where the record does not say.
        unread: files that could not be read.
        provenance: model, unit and recipe; n counts photos.
    """

    labels: tuple[str, ...]
    medians: np.ndarray
    deviations: np.ndarray
    counts: np.ndarray | None
    unread: tuple[str, ...]
    provenance: Provenance


def published_people() -> LabelMedians:
    """The article's unit 89 and its photos of eleven people giving a speech at a microphone."""
    told = record("conditional")["people"]
    recipe = f"medians by person, divided by sd {told['sd']:g}, {CREDIT}"
    provenance = Provenance("RN50x4 (published)", "", recipe, f"{LAYER}:{told['unit']}")
    arrays = (np.array(told[name]) for name in ("medians", "deviations"))
    return LabelMedians(tuple(told["names"]), *arrays, None, (), provenance)


def label_medians(
    model: ImageModel, folder: str | Path, unit: Unit | str
) -> Iterator[Progress[LabelMedians]]:
    """Show a model a folder whose subfolders are labels, a batch at a time.

    Answers are read before the ReLU, the largest over the map, and divided by their standard deviation over
    all photos of the folder; the article's were divided by that over its training data.

    Args:
        model: any model.
        folder: with a subfolder of pictures for each label.
        unit: an address such as "conv_head:550".

    Yields:
        After each batch how far it has come; the last one, and only that, with the result.

    Raises:
        ClipbenchError: no such unit, fewer than two labels with readable pictures, or a constant unit.
    """
    unit = check_whole(Unit.parse(unit, model))
    files = [(path, place.name) for place in _labels(Path(folder)) for path in picture_files(place)]
    names, answers, unread = [], [], []
    for start in range(0, len(files), _BATCH):
        images = []
        for path, label in files[start : start + _BATCH]:
            try:
                images.append(read_image(path).image)
                names.append(label)
            except ClipbenchError:
                unread.append(str(path))
        if images:
            maps = model.activations(images, unit.layer)[:, unit.channel].float()
            answers += maps.amax(dim=(1, 2)).tolist()
        yield Progress(min(start + _BATCH, len(files)), len(files))
    told = _counted(np.array(answers), np.array(names), tuple(unread), model, unit)
    yield Progress(len(files), len(files), told)


def _labels(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ClipbenchError(f"there is no folder {str(folder)!r}; name one with a subfolder for each label")
    return sorted(place for place in folder.iterdir() if place.is_dir())


def _counted(answers: np.ndarray, names: np.ndarray, unread: tuple, model, unit: Unit) -> LabelMedians:
    labels = sorted(set(names.tolist()))
    if len(labels) < 2:
        raise ClipbenchError(f"medians need two labels with pictures at least, and there are {len(labels)}")
    sd = float(answers.std())
    if sd == 0:
        raise ClipbenchError(f"{unit} answers the same to every photo; choose another unit")
    groups = [answers[names == label] / sd for label in labels]
    order = np.argsort([np.median(group) for group in groups], kind="stable")
    recipe = f"{unit.layer} before ReLU, maximum over space, divided by sd {sd:.3g} of these photos"
    return LabelMedians(
        tuple(labels[place] for place in order),
        np.array([np.median(groups[place]) for place in order]),
        np.array([groups[place].std() for place in order]),
        np.array([len(groups[place]) for place in order]),
        unread,
        Provenance(model.name, model.weights_hash, recipe, str(unit), n=len(answers)),
    )
