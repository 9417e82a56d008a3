"""The costly part of the trust meter: other seeds, and controls that are painted by the same recipe.

A figure about a picture says little alone. The same figures are therefore given for a random direction of the
layer, for the facet with its weights shuffled, where there is one, and for the photo that excites most.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.functional import to_pil_image

from clipbench.errors import ClipbenchError
from clipbench.models import ImageModel, VisionModel
from clipbench.optvis import Step
from clipbench.optvis.objectives import Objective, direction, faceted
from clipbench.optvis.probes import Facet
from clipbench.optvis.transforms import Transform
from clipbench.studies.trust_figures import Seeds, Trust
from clipbench.studies.trust_meter import Looker, as_pixels, faceted_term, trust

Paint = Callable[[Objective, int], Iterator[Step]]  # objective and seed -> the steps of one picture


@dataclass(frozen=True)
class TrustReport:
    """A picture's figures beside those of its controls.

    Args:
        subject: of what was painted.
        controls: by name: "random direction", "shuffled facet" and "best photo", those that there are.
    """

    subject: Trust
    controls: dict[str, Trust]

    def as_dict(self) -> dict:
        """The same as plain JSON types."""
        controls = {name: control.as_dict() for name, control in self.controls.items()}
        return {"subject": self.subject.as_dict(), "controls": controls}


@dataclass(frozen=True)
class Painting:
    """How far the pictures have come.

    Args:
        done, total: pictures that are finished, of all.
        step: the newest step of the one under way; None at the end.
        result: None until all are finished.
    """

    done: int
    total: int
    step: Step | None = None
    result: TrustReport | None = None


def trust_controls(
    model: ImageModel,
    objective: Objective,
    paint: Paint,
    *,
    transforms: Sequence[Transform] = (),
    photos: Sequence[Image.Image],
    second: VisionModel | None = None,
    seeds: int = 4,
    seed: int = 0,
) -> Iterator[Painting]:
    """Paint a picture and its controls with several seeds each, and measure them all alike.

    Whoever stops reading stops the work; going on reading goes on with it.

    Args:
        model: what to paint on.
        objective: of one picture.
        paint: paints one picture for an objective and a seed, such as a `visualize` with all else filled in.
        transforms: the random views that it paints in.
        photos: PIL images to compare with; the one that excites most is a control.
        second: another network; see `trust`.
        seeds: how many, at least 2, from `seed` on. The figures of one picture are those of the first.
        seed: also of the random direction, the shuffling and the random changes.

    Yields:
        After each step how far it has come; the last one, and only that, with the result.

    Raises:
        ClipbenchError: fewer than two seeds, no photos, or an objective whose layer is not clear.
    """
    if seeds < 2:
        raise ClipbenchError(f"{seeds} seeds show no spread; give at least 2")
    if not photos:
        raise ClipbenchError("there are no photos to compare with; give at least one")
    subjects = {"": objective, **_controls(model, objective, seed)}
    return _measured(model, subjects, paint, transforms, photos, second, range(seed, seed + seeds))


def _measured(
    model: ImageModel,
    subjects: dict[str, Objective],
    paint: Paint,
    transforms: Sequence[Transform],
    photos: Sequence[Image.Image],
    second: VisionModel | None,
    seeds: range,
) -> Iterator[Painting]:
    total, done = len(subjects) * len(seeds), 0
    found: dict[str, Trust] = {}
    settings = {"transforms": transforms, "photos": photos, "second": second, "seed": seeds[0]}
    for name, goal in subjects.items():
        pictures = []
        for seed in seeds:
            for step in paint(goal, seed):
                yield Painting(done, total, step)
            pictures.append(step.images[:1].detach())
            done += 1
        figures = trust(model, pictures[0][0], goal, **settings)
        found[name] = replace(figures, seeds=_spread(model, goal, torch.cat(pictures)))
    subject = found.pop("")
    best = photos[int(Looker(model, subjects[""]).of_photos(photos).argmax())]
    found["best photo"] = trust(model, as_pixels(model.crop(best))[0], subjects[""], **settings)
    yield Painting(total, total, None, TrustReport(subject, found))


def _spread(model: ImageModel, objective: Objective, pictures: Tensor) -> Seeds:
    values = Looker(model, objective)(pictures).tolist()
    features = model.encode_image([to_pil_image(picture.cpu()) for picture in pictures])
    cosines = features @ features.T
    n = len(pictures)
    return Seeds(tuple(values), float((cosines.sum() - cosines.trace()) / (n * (n - 1))))


def _controls(model: ImageModel, objective: Objective, seed: int) -> dict[str, Objective]:
    """Objectives to compare with, by name."""
    term = faceted_term(objective)
    if term is None:
        return {"random direction": _random_direction(model, objective, seed)}
    return {
        "random direction": faceted(_random_direction(model, term.base, seed), term.probe, term.strengths),
        "shuffled facet": faceted(term.base, shuffled(term.probe, seed), term.strengths),
    }


def _random_direction(model: ImageModel, objective: Objective, seed: int) -> Objective:
    """A direction of length 1, as a channel's is, in the one layer that an objective reads."""
    layers = {read.layer for read in objective.bind(model).reads}
    if len(layers) != 1:
        raise ClipbenchError(
            f"{objective} reads {len(layers)} layers, so there is no random direction to compare with; "
            "give a unit, a text or a label"
        )
    (layer,) = layers
    vector = torch.randn(model.layer(layer).channels, generator=torch.Generator().manual_seed(seed))
    return direction(layer, vector / vector.norm())


def shuffled(probe: Facet, seed: int) -> Facet:
    """A facet whose weights belong to other channels: the same numbers, in an order by chance."""
    generator = torch.Generator().manual_seed(seed)
    weights = {
        layer: own[torch.randperm(len(own), generator=generator)] for layer, own in probe.weights.items()
    }
    return replace(probe, name=f"{probe.name}, shuffled", weights=weights, accuracy={})
