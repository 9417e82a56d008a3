"""Small pictures of units, all painted at once and kept for as long as the panel lives."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from PIL import Image
from torchvision.transforms.functional import to_pil_image

import clipbench as cb
from clipbench.models import ImageModel

SIDE, STEPS = 112, 64  # pixels and steps: enough to see what a unit is after, in some seconds


@dataclass(frozen=True)
class Painting:
    """How far it has come.

    Args:
        done, total: steps.
        images: address of a unit -> its picture.
    """

    done: int
    total: int
    images: Mapping[str, Image.Image]


class Portraits:
    """Every picture that was painted, by weights and unit."""

    def __init__(self):
        self._kept: dict[tuple[str, str], Image.Image] = {}

    def known(self, model: ImageModel, unit: str) -> Image.Image | None:
        """The picture of a unit, if it was painted."""
        return self._kept.get((model.weights_hash, unit))

    def paint(self, model: ImageModel, units: Sequence[str], stride: int = 4) -> Iterator[Painting]:
        """Paint those of some units that are not known yet; whoever stops reading stops it.

        Args:
            model: whose units they are.
            units: their addresses.
            stride: steps from one result to the next.
        """
        missing = [unit for unit in units if self.known(model, unit) is None]
        if not missing:
            yield Painting(STEPS, STEPS, {})
            return
        parsed = [cb.Unit.parse(unit, model) for unit in missing]
        objective = cb.objectives.batch([cb.objectives.channel(each.layer, each.channel) for each in parsed])
        canvas = cb.parametrizations.fft(SIDE, batch=len(missing))
        for step in cb.visualize(model, objective, parametrization=canvas, steps=STEPS):
            if step.number % stride == 0 or step.number == STEPS:
                images = [to_pil_image(image.float().cpu()) for image in step.images]
                painted = dict(zip(missing, images, strict=True))
                if step.number == STEPS:
                    self._kept |= {(model.weights_hash, unit): image for unit, image in painted.items()}
                yield Painting(step.number, STEPS, painted)
