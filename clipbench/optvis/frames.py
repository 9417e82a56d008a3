"""How pictures grew, from noise to what excites: frames at some steps, and files that show them."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision.utils import make_grid

from clipbench.optvis.render import Step
from clipbench.results import ENDINGS, Provenance, check_path, gif, mp4, png, save_bytes, svg

LADDER = (0, 4, 48, 2048)  # noise, and three steps that an eye tells apart
_DOUBLING = 7  # frames of a film while the steps double; 256 steps take some 4 seconds


@dataclass(frozen=True, eq=False)
class Frames:
    """n pictures at t steps of their ascent.

    Args:
        names: n, what each is to excite.
        numbers: of the t steps, ascending.
        values: (t, n) float32, the objective.
        pixels: (t, n, h, w, 3) uint8; transparent pictures have a fourth channel.
        provenance: of the pictures at the last of the steps.
    """

    names: tuple[str, ...]
    numbers: tuple[int, ...]
    values: np.ndarray
    pixels: np.ndarray
    provenance: Provenance

    @classmethod
    def of(cls, steps: Sequence[Step], names: Sequence[str], provenance: Provenance) -> "Frames":
        """Steps that were kept, in their order."""
        return cls(
            tuple(names),
            tuple(step.number for step in steps),
            np.stack([step.value.float().cpu().numpy() for step in steps]),
            np.stack([as_bytes(step.images) for step in steps]),
            provenance,
        )

    def only(self, numbers: Collection[int]) -> "Frames":
        """The same at those of the steps that are among these numbers, and at the last."""
        chosen = [place for place, each in enumerate(self.numbers) if each in {*numbers, self.numbers[-1]}]
        told = tuple(self.numbers[place] for place in chosen)
        return replace(self, numbers=told, values=self.values[chosen], pixels=self.pixels[chosen])

    @property
    def sheets(self) -> list[Image.Image]:
        """For each kept step all pictures side by side."""
        return [side_by_side(pixels) for pixels in self.pixels]

    @property
    def rows(self) -> list[list[Image.Image]]:
        """For each picture what it was at the kept steps."""
        return [[Image.fromarray(frame) for frame in grown] for grown in self.pixels.swapaxes(0, 1)]

    @property
    def captions(self) -> list[str]:
        """What to write at each kept step."""
        return [f"step {number:,}" if number else "noise" for number in self.numbers]

    def encoded(self, ending: str) -> bytes:
        """What is to be in a file of that ending, one of `ENDINGS`; its provenance is in it.

        A .png shows the last of the steps; .gif and .mp4 are films; .svg is a table, a row for each picture
        and a column for each step.
        """
        match ending:
            case ".gif":
                return gif(self.sheets, self.provenance)
            case ".mp4":
                return mp4(self.sheets, self.provenance)
            case ".svg":
                return svg(self.rows, self.names, self.captions, self.provenance)
        return png(self.sheets[-1], self.provenance)

    def save(self, path: str | Path) -> Path:
        """Write a file as `encoded`, which appears at once or not at all.

        Raises:
            ClipbenchError: another ending, or a folder that is missing, read-only or full.
        """
        path = check_path(path, ENDINGS)
        return save_bytes(self.encoded(path.suffix.lower()), path)


def as_bytes(images: torch.Tensor) -> np.ndarray:
    """(n, c, h, w) in [0, 1] as (n, h, w, c) uint8, cut off as torchvision does it."""
    return (images.float().cpu() * 255).byte().permute(0, 2, 3, 1).numpy()


def side_by_side(pixels: np.ndarray) -> Image.Image:
    """(n, h, w, c) uint8 as one picture, row by row in a nearly square grid."""
    columns = math.ceil(math.sqrt(len(pixels)))
    grid = make_grid(torch.tensor(pixels).permute(0, 3, 1, 2), nrow=columns)
    return Image.fromarray(grid.permute(1, 2, 0).contiguous().numpy())


def film_steps(last: int) -> tuple[int, ...]:
    """The steps of a film: as many in each doubling, since the start changes most; and the last."""
    doublings = math.ceil(math.log2(max(last, 1)) * _DOUBLING)
    ladder = {round(2 ** (frame / _DOUBLING)) for frame in range(doublings)}
    return tuple(sorted({0, last, *(number for number in ladder if number < last)}))


def strip_steps(last: int) -> tuple[int, ...]:
    """The steps of a strip: those of `LADDER` that are reached, and the last."""
    return tuple(sorted({*(number for number in LADDER if number < last), last}))


def steps_shown(ending: str, last: int) -> tuple[int, ...]:
    """The steps that a file of that ending shows."""
    if ending == ".svg":
        return strip_steps(last)
    return (last,) if ending == ".png" else film_steps(last)
