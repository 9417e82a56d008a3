"""How robust an attack is: one thing about the text is varied, and the rate follows it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from clipbench.attacks.axes import Value, axis_of, varied
from clipbench.attacks.cells import counted, rate_of
from clipbench.attacks.rendering import Item
from clipbench.attacks.run import Case, Progress, complete, measure
from clipbench.classify import Classifier
from clipbench.intervals import Rate
from clipbench.results import Provenance
from clipbench.stimuli import ARTICLE, Recipe, Tag
from clipbench.tabled import Tabled


@dataclass(frozen=True)
class Point:
    """How the attack fared at one value.

    Args:
        value: of what is varied.
        success: as the article counts it, of all images.
        of_right: of the images that were right without the text; None where no truths are known.
        cover: mean share of the pixels changed, 0 … 1.
    """

    value: Value
    success: Rate
    of_right: Rate | None
    cover: float


@dataclass(frozen=True)
class Curve(Tabled):
    """Success against one thing about the text.

    Args:
        axis: what is varied, of `AXES`.
        target: the label that the text is to bring about.
        text: what is written, unless that is what is varied.
        points: one a value, in the order in which the values were given.
        unread: name and reason of each image that could not be read.
        notes: sentences on what may not be as expected.
        provenance: model, recipe, classifier; n counts images.
    """

    axis: str
    target: str
    text: str
    points: tuple[Point, ...]
    unread: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    provenance: Provenance
    kind: ClassVar[str] = "a curve"
    listed: ClassVar[str] = "points"

    def about(self) -> dict:
        """All but the points."""
        return {
            "axis": self.axis,
            "target": self.target,
            "text": self.text,
            "values": [point.value for point in self.points],  # a table may make text of numbers
            "unread": self.unread,
            "notes": self.notes,
            "provenance": self.provenance.as_dict(),
        }

    def cells(self) -> list[dict]:
        """A row for each value."""
        return [
            {
                self.axis: point.value,
                **counted("success", point.success),
                **counted("of_right", point.of_right),
                "cover": point.cover,
            }
            for point in self.points
        ]

    @classmethod
    def of_cells(cls, about: dict, cells: Sequence[dict]) -> "Curve":
        """Back from both."""
        points = tuple(_point(value, row) for value, row in zip(about["values"], cells, strict=True))
        unread = tuple((name, reason) for name, reason in about["unread"])
        own = (about["axis"], about["target"], about["text"], points, unread, tuple(about["notes"]))
        return cls(*own, Provenance(**about["provenance"]))


@dataclass(frozen=True, eq=False)
class CurveProgress:
    """How far it has come: `done` of `total` images, and the curve of those so far."""

    axis: str
    values: tuple[Value, ...]
    case: Case
    step: Progress

    @property
    def done(self) -> int:
        """Images that all values have been tried on."""
        return self.step.done

    @property
    def total(self) -> int:
        """Images in all."""
        return self.step.total

    @cached_property
    def curve(self) -> Curve:
        """The curve of the images so far; a ClipbenchError if none could be read."""
        results, setup = self.step.results, self.step.setup
        points = tuple(
            Point(value, result.success, result.of_right, result.mean_cover)
            for value, result in zip(self.values, results, strict=True)
        )
        model, told = setup.model, ", ".join(map(str, self.values))
        recipe = f'"{self.case.text}" for {self.case.target}, {self.axis} {told}; else {self.case.recipe}'
        provenance = Provenance(
            model.name, model.weights_hash, f"{recipe} · {setup.classifier.recipe}", n=results[0].n
        )
        notes = tuple(dict.fromkeys(note for result in results for note in result.notes))
        own = (self.case.target, self.case.text)
        return Curve(self.axis, *own, points, self.step.unread, notes, provenance)


def robustness(
    classifier: Classifier,
    images: Sequence[Item],
    case: Case,
    axis: str,
    values: Sequence[Value] | None = None,
    recipe: Recipe | Tag = ARTICLE,
    truths: Sequence[str] | None = None,
    journal: str | Path | None = None,
) -> Iterator[CurveProgress]:
    """Vary one thing about a text on images, a batch at a time: whoever stops reading stops the work.

    Args:
        classifier, images, recipe, truths, journal: as for `measure`.
        case: text and target; its recipe, or else `recipe`, says how all else looks.
        axis: what is varied, of `AXES`.
        values: at which values; None takes the axis's own.

    Yields:
        After each batch the curve so far.

    Raises:
        ClipbenchError: as `measure`; no such axis; values that are none of it.
    """
    along = axis_of(axis)
    values = along.values if values is None else tuple(values)
    (case,) = complete([case], recipe)
    cases = varied(case, along, values)
    for step in measure(classifier, images, cases, truths=truths, journal=journal):
        if step.rows or step.done == step.total:  # the latter says so if no image could be read
            yield CurveProgress(axis, values, case, step)


def _point(value: Value, row: dict) -> Point:
    return Point(value, rate_of("success", row), rate_of("of_right", row), float(row["cover"]))
