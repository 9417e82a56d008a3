"""A unit in a row of facets, such as logo, pose, face and text: the article's figures of persons."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel
from clipbench.optvis import objectives, parametrizations
from clipbench.optvis.plan import Plan
from clipbench.optvis.probes import Facet
from clipbench.optvis.strengths import measure_strip
from clipbench.results import Provenance
from clipbench.units import Unit, check_whole

PERSONS = ("logo", "pose", "face", "text")  # of the article's persons
STRENGTH = 0.1  # of a facet, the least that was published; ten times as much left little of a unit of mini
EMOTIONS = ("face", "pose", "text")  # of its emotions: facial features, body language, text


@dataclass(frozen=True, eq=False)
class FacetRow:
    """Pictures of one unit, each but the first leaning towards a facet.

    Args:
        names: m, the first of them "plain".
        images: (m, s, s, 3) uint8.
        unit: (m,) float32, mean activation of the unit for each finished picture, shown as it is.
        theme: (m,) float32, what a picture's own facet makes of it, see `Strip`; nan for the plain one.
        plain_theme: (m,) float32, what the same facet makes of the plain picture.
        provenance: of all.
    """

    names: tuple[str, ...]
    images: np.ndarray
    unit: np.ndarray
    theme: np.ndarray
    plain_theme: np.ndarray
    provenance: Provenance

    def cells(self) -> list[dict]:
        """A row for each picture as plain JSON types; None where there is no facet."""
        columns = zip(self.names, self.unit, self.theme, self.plain_theme, strict=True)
        return [
            {"picture": name, "unit": float(unit), "theme": _plain(own), "theme of plain": _plain(plain)}
            for name, unit, own, plain in columns
        ]


@dataclass(frozen=True, eq=False)
class RowProgress:
    """How far a row has come.

    Args:
        done, total: steps of all pictures.
        images: what there is, (1, 3, s, s) each, the last of them still growing.
        result: the row; None before the last step.
    """

    done: int
    total: int
    images: tuple[Tensor, ...]
    result: FacetRow | None = None


def chosen(facets: Sequence[Facet], names: Sequence[str]) -> list[Facet]:
    """Those facets that are named, in the order of the names; all of them where none is."""
    by_name = {facet.name: facet for facet in facets}
    return [by_name[name] for name in names if name in by_name] or list(facets)


def facet_row(
    model: ImageModel,
    unit: Unit | str,
    facets: Sequence[Facet],
    *,
    strength: float = STRENGTH,
    size: int = 112,
    steps: int = 128,
    seed: int = 0,
) -> Iterator[RowProgress]:
    """Paint a unit without a facet and with each, and measure what became of it; a step at a time.

    All pictures start from the same noise, so that they differ by the facet and nothing else.

    Args:
        model: whose unit.
        unit: an address such as "conv_head:550".
        facets: at least one, of the model.
        strength: of each facet, at the published scale.
        size: height and width of a picture in pixels.
        steps: of each picture.
        seed: of the noise and the views.

    Yields:
        After each step how far it has come; the last one, and only that, with the result.

    Raises:
        ClipbenchError: no such unit, no facet, a facet of another model, or what `visualize` refuses.

    Source: Goh et al. 2021, section "Person Neurons" and appendix "Faceted feature visualization".
    """
    unit = check_whole(Unit.parse(unit, model))
    if not facets:
        raise ClipbenchError(f"there is no facet for {model.name}; train one from pictures of a theme")
    for facet in facets:
        facet.check(model)
    goal = objectives.channel(unit.layer, unit.channel)
    goals = [goal, *(objectives.faceted(goal, facet, strength) for facet in facets)]
    plans = [Plan(each, parametrizations.fft(size), steps=steps, seed=seed) for each in goals]
    total, painted = len(plans) * (steps + 1), []
    for plan in plans:
        for step in plan.run(model):
            yield RowProgress(len(painted) * (steps + 1) + step.number, total, (*painted, step.images))
        painted.append(step.images)
    told = f"{goal} and {', '.join(map(str, facets))}, strength {strength:g}, {plans[0].conditions}"
    origin = Provenance(model.name, model.weights_hash, told, unit=str(unit), seed=seed, n=len(plans))
    yield RowProgress(total, total, tuple(painted), _measured(model, goal, facets, strength, painted, origin))


def _measured(model, goal, facets, strength, painted: Sequence[Tensor], origin: Provenance) -> FacetRow:
    plain, *leaning = painted
    strips = [
        measure_strip(model, goal, facet, (0, strength), torch.cat([plain, own]), origin)
        for facet, own in zip(facets, leaning, strict=True)
    ]
    none = np.float32(np.nan)
    return FacetRow(
        ("plain", *(facet.name for facet in facets)),
        np.stack([strips[0].images[0], *(strip.images[1] for strip in strips)]),
        np.array([strips[0].unit[0], *(strip.unit[1] for strip in strips)]),
        np.array([none, *(strip.theme[1] for strip in strips)]),
        np.array([none, *(strip.theme[0] for strip in strips)]),
        origin,
    )


def _plain(value: np.float32) -> float | None:
    return None if np.isnan(value) else float(value)
