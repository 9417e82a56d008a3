"""What a unit answers to the photos of each label: the article's bars of eleven people, for any photos."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel
from clipbench.results import Provenance
from clipbench.stimuli import picture_files, read_image
from clipbench.streams import Progress, chunks
from clipbench.studies.records import CREDIT, LAYER, record
from clipbench.tabled import Tabled
from clipbench.units import Unit, check_whole

_BATCH = 32


@dataclass(frozen=True, eq=False)
class LabelMedians(Tabled):
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
    kind: ClassVar[str] = "a table of medians"
    listed: ClassVar[str] = "labels"

    def about(self) -> dict:
        """All but the labels."""
        return {"unread": self.unread, "provenance": self.provenance.as_dict()}

    def cells(self) -> list[dict]:
        """A row for each label, the largest median first."""
        counts = [None] * len(self.labels) if self.counts is None else self.counts.tolist()
        columns = self.labels, self.medians.tolist(), self.deviations.tolist(), counts
        names = "label", "median", "deviation", "photos"
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)][::-1]

    @classmethod
    def of_cells(cls, about: dict, cells: Sequence[dict]) -> "LabelMedians":
        """Back from `about` and `cells`, also where the cells have become text."""
        rows = cells[::-1]
        medians, deviations = (
            np.array([float(row[name]) for row in rows]) for name in ("median", "deviation")
        )
        counts = None if rows[0]["photos"] in (None, "") else np.array([int(row["photos"]) for row in rows])
        labels, unread = tuple(row["label"] for row in rows), tuple(about["unread"])
        return cls(labels, medians, deviations, counts, unread, Provenance(**about["provenance"]))


def published_people() -> LabelMedians:
    """The article's unit 89 and its photos of eleven people giving a speech at a microphone."""
    told = record("conditional")["people"]
    recipe = f"medians by person, divided by sd {told['sd']:g}, {CREDIT}"
    provenance = Provenance("RN50x4 (published)", "", recipe, f"{LAYER}:{told['unit']}")
    arrays = (np.array(told[name]) for name in ("medians", "deviations"))
    return LabelMedians(tuple(told["names"]), *arrays, None, (), provenance)


def labelled_files(folder: str | Path) -> list[tuple[Path, str]]:
    """The pictures of a folder whose subfolders are labels, each with its label; hidden ones are none.

    Raises:
        ClipbenchError: no such folder, or a subfolder without a picture.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ClipbenchError(f"there is no folder {str(folder)!r}; name one with a subfolder for each label")
    labels = sorted(place for place in folder.iterdir() if place.is_dir() and place.name[0] != ".")
    return [(path, place.name) for place in labels for path in picture_files(place)]


def label_medians(
    model: ImageModel, pictures: Sequence[tuple[Path | Image.Image, str]], unit: Unit | str
) -> Iterator[Progress[LabelMedians]]:
    """Show a model pictures with labels, a batch at a time.

    Answers are read before the ReLU, the largest over the map, and divided by their standard deviation over
    all these pictures; the article's were divided by that over its training data.

    Args:
        model: any model.
        pictures: files or images, each with its label; see `labelled_files`. Files that cannot be read are
            left out and told.
        unit: an address such as "conv_head:550".

    Yields:
        After each batch how far it has come; the last one, and only that, with the result.

    Raises:
        ClipbenchError: no such unit, fewer than two labels with readable pictures, or a constant unit.
    """
    unit = check_whole(Unit.parse(unit, model))
    _check_labels([label for _, label in pictures])
    names, answers, unread, done = [], [], [], 0
    for some in chunks(pictures, _BATCH):
        images = []
        for picture, label in some:
            try:
                images.append(read_image(picture).image)
                names.append(label)
            except ClipbenchError:
                unread.append(str(picture))
        if images:
            maps = model.activations(images, unit.layer)[:, unit.channel].float()
            answers += maps.amax(dim=(1, 2)).tolist()
        done += len(some)
        yield Progress(done, len(pictures))
    told = _counted(np.array(answers), np.array(names), tuple(unread), model, unit)
    yield Progress(len(pictures), len(pictures), told)


def _counted(answers: np.ndarray, names: np.ndarray, unread: tuple, model, unit: Unit) -> LabelMedians:
    labels = _check_labels(names.tolist())
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


def _check_labels(names: Sequence[str]) -> list[str]:
    """The different ones among them, sorted; a ClipbenchError if these are fewer than two."""
    labels = sorted(set(names))
    if len(labels) < 2:
        raise ClipbenchError(
            f"medians need two labels with readable pictures at least, and there are {len(labels)}; give a "
            "folder with a subfolder for each"
        )
    return labels
