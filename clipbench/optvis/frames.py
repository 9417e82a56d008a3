"""How pictures grew, from noise to what excites: frames at some steps, and files that show them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision.utils import make_grid

from clipbench.optvis.render import Step
from clipbench.results import ENDINGS, Provenance, check_path, gif, mp4, png, save_bytes, svg

LADDER = (0, 4, 48, 2048)  # noise, and three steps that an eye tells apart
_FILM = 60  # frames of a film, 5 seconds


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

    def save(self, path: str | Path) -> Path:
        """Write a file with its provenance, which appears at once or not at all.

        A .png shows the last of the steps; .gif and .mp4 are films; .svg is a table, a row for each picture
        and a column for each step.

        Raises:
            ClipbenchError: another ending, or a folder that is missing, read-only or full.
        """
        path = check_path(path, ENDINGS)
        match path.suffix.lower():
            case ".gif":
                content = gif(self.sheets, self.provenance)
            case ".mp4":
                content = mp4(self.sheets, self.provenance)
            case ".svg":
                content = svg(self.rows, self.names, self.captions, self.provenance)
            case _:
                content = png(self.sheets[-1], self.provenance)
        return save_bytes(content, path)


def as_bytes(images: torch.Tensor) -> np.ndarray:
    """(n, c, h, w) in [0, 1] as (n, h, w, c) uint8, cut off as torchvision does it."""
    return (images.float().cpu() * 255).byte().permute(0, 2, 3, 1).numpy()


def side_by_side(pixels: np.ndarray) -> Image.Image:
    """(n, h, w, c) uint8 as one picture, row by row in a nearly square grid."""
    columns = math.ceil(math.sqrt(len(pixels)))
    grid = make_grid(torch.from_numpy(pixels).permute(0, 3, 1, 2), nrow=columns)
    return Image.fromarray(grid.permute(1, 2, 0).contiguous().numpy())


def film_steps(last: int) -> tuple[int, ...]:
    """The steps of a film: each doubling takes as long as the one before, since the start changes most."""
    return tuple(sorted({0, *np.geomspace(1, last, _FILM - 1).round().astype(int).tolist()}))


def strip_steps(last: int) -> tuple[int, ...]:
    """The steps of a strip: those of `LADDER` that are reached, and the last."""
    return tuple(sorted({*(number for number in LADDER if number < last), last}))


def steps_shown(ending: str, last: int) -> tuple[int, ...]:
    """The steps that a file of that ending shows."""
    if ending == ".svg":
        return strip_steps(last)
    return (last,) if ending == ".png" else film_steps(last)
