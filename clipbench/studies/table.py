"""The article's first table: units beside each other, in photos, drawings and writing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PIL import Image

from clipbench.errors import ClipbenchError, unknown
from clipbench.results import Provenance
from clipbench.stimuli import MODALITIES, Concept
from clipbench.studies.correlation import standardised
from clipbench.studies.multimodal import Multimodal


@dataclass(frozen=True, eq=False)
class Cell:
    """A unit and a concept in one modality.

    Args:
        images: the concept's first images, as they were given, not the strongest.
        sds: of each, the activation in standard deviations over all images of the modality.
        ticked: whether the concept is among the unit's first two in this modality.
    """

    images: tuple[Image.Image, ...]
    sds: tuple[float, ...]
    ticked: bool


@dataclass(frozen=True, eq=False)
class Column:
    """A unit and a concept in all three modalities.

    Args:
        unit: index of the channel.
        concept: name of the concept.
        cells: in the order of `MODALITIES`.
        provenance: of the study that they come from, with the unit's address.
    """

    unit: int
    concept: str
    cells: tuple[Cell, ...]
    provenance: Provenance


def table(
    result: Multimodal,
    control: Multimodal,
    concepts: Sequence[Concept],
    unit: int,
    chosen: int,
    shown: int = 3,
) -> tuple[Column, Column, Column]:
    """Three units side by side: this one, the control's nearest, and a chosen one.

    Args:
        result: of the model.
        control: of its unimodal control, for the same concepts.
        concepts: what both were measured with.
        unit: a unit of the model; it is shown with its best concept, and so is the control's unit that
            is nearest to it.
        chosen: another unit of the model, shown with a best concept of its own.
        shown: images in a cell at most.

    Raises:
        ClipbenchError: a unit that is not there, or other concepts than the study's.
    """
    concept = result.best(unit)
    twin, _ = nearest(result, unit, control)
    return (
        column(result, concepts, unit, concept, shown),
        column(control, concepts, twin, concept, shown),
        column(result, concepts, chosen, result.best(chosen), shown),
    )


def column(
    result: Multimodal, concepts: Sequence[Concept], unit: int, concept: str, shown: int = 3
) -> Column:
    """A unit and a concept in all three modalities.

    Args:
        result: of the study.
        concepts: what it was measured with.
        unit: index of the channel.
        concept: name of one of the concepts.
        shown: images in a cell at most.

    Raises:
        ClipbenchError: a unit or concept that is not there, or other concepts than the study's.
    """
    _check_same(result, tuple(each.name for each in concepts))
    if concept not in result.concepts:
        raise unknown("concept", concept, result.concepts)
    at, sds = result.concepts.index(concept), result.sds(unit)
    cells = []
    for modality, images in enumerate(concepts[at].modalities):
        own = sds[(result.concept == at) & (result.modality == modality)]
        if len(own) != len(images):
            raise _others()
        ticked = bool(result.tops[unit, at, modality])
        cells.append(Cell(tuple(images[:shown]), tuple(own[:shown].tolist()), ticked))
    told = replace(result.provenance, unit=f"{result.layer}:{unit}")
    return Column(unit, concept, tuple(cells), told)


def nearest(result: Multimodal, unit: int, other: Multimodal) -> tuple[int, float]:
    """Another study's unit whose mean responses to the concepts' photos correlate most with a unit's.

    Returns:
        Its index and Pearson's correlation over the concepts, in [-1, 1]; a constant unit has 0.

    Raises:
        ClipbenchError: a unit that is not there, or two studies of different concepts.
    """
    result.check(unit)
    _check_same(result, other.concepts)
    photos = MODALITIES.index("photos")
    own = standardised(result.means[[unit], :, photos])[0]
    correlations = standardised(other.means[:, :, photos]) @ own
    twin = int(correlations.argmax())
    return twin, float(correlations[twin])


def _check_same(result: Multimodal, names: tuple[str, ...]) -> None:
    if names != result.concepts:
        raise _others()


def _others() -> ClipbenchError:
    return ClipbenchError("these are not the concepts of the study; give the same ones in the same order")
