"""What a parametrization and its canvas are, and the colours that most of them share."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import ClassVar

import torch
from PIL import Image
from torch import Tensor, nn

from clipbench.errors import ClipbenchError
from clipbench.optvis.original import Original

START = 0.01  # standard deviation of the starting noise (Lucid)
_LARGEST = 4096
_HALF_LEVEL = 1 / 512  # half a step of an 8-bit picture; black and white have no finite logit

# Square root of the covariance of colours in ImageNet, one row a colour channel (Lucid), scaled so that
# its longest column has length 1.
_COLOUR_ROOT = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
COLOUR = _COLOUR_ROOT / _COLOUR_ROOT.norm(dim=0).max()

Photos = Image.Image | Sequence[Image.Image] | None  # to start from: one for all pictures, or one each


class Canvas(nn.Module, ABC):
    """A batch of pictures under way; calling it gives them as (n, 3, h, w) in [0, 1]."""

    @abstractmethod
    def forward(self) -> Tensor:
        """The pictures as they are now; transparent ones have a fourth channel."""

    def opaque(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """The pictures as a model can be shown them: (n, 3, h, w) from what `forward` gave."""
        return images

    def move(self, before: Tensor, after: Tensor) -> None:
        """Change the numbers so that pictures that were `before` become `after`, (n, 3, h, w) each.

        Where both are equal, not a bit changes.

        Raises:
            ClipbenchError: this way of writing pictures cannot write every picture.
        """
        raise ClipbenchError(
            "this parametrization cannot write any given picture, so it takes neither a photo nor a prior; "
            "use fft or pixel"
        )


class LogitCanvas(Canvas):
    """Pictures that are the sigmoid of real numbers."""

    @abstractmethod
    def logits(self) -> Tensor:
        """(n, 3, h, w), any real number."""

    @abstractmethod
    def add(self, logits: Tensor) -> None:
        """Change the numbers so that (n, 3, h, w) or (1, 3, h, w) is added to `logits`."""

    def forward(self) -> Tensor:
        """See `Canvas.forward`."""
        return self.logits().sigmoid()

    @torch.no_grad()
    def move(self, before: Tensor, after: Tensor) -> None:
        """See `Canvas.move`. Black and white are written half a level of 8 bits away from themselves."""
        self.add(torch.logit(after, _HALF_LEVEL) - torch.logit(before, _HALF_LEVEL))


class Parametrization(ABC):
    """A way to write pictures, and how fast it learns."""

    size: int
    batch: int
    optimizer: ClassVar[type[torch.optim.Optimizer]] = torch.optim.Adam
    lr: ClassVar[float] = 0.05

    @abstractmethod
    def start(self, device: torch.device, generator: torch.Generator) -> Canvas:
        """A canvas as it is before the first step, its noise drawn from a CPU generator."""


class FromNoise(Parametrization):
    """A way to write pictures as logits, from faint noise or from photos."""

    photos: tuple[Original, ...]

    @abstractmethod
    def blank(self, deviation: float, generator: torch.Generator) -> LogitCanvas:
        """A canvas whose numbers are noise of that standard deviation; 0 is grey."""

    def start(self, device: torch.device, generator: torch.Generator) -> Canvas:
        """See `Parametrization.start`."""
        canvas = self.blank(0.0 if self.photos else START, generator)
        if self.photos:
            pixels = torch.cat([photo.pixels(self.size) for photo in self.photos])
            canvas.move(torch.full_like(pixels, 0.5), pixels)
        return canvas.to(device)

    @property
    def origin(self) -> str:
        """What it says of its photos."""
        return f", from {', '.join(map(str, self.photos))}" if self.photos else ""


def mix(colours: Tensor) -> Tensor:
    """Decorrelated colours (n, 3, h, w) as red, green and blue."""
    return torch.einsum("nchw,dc->ndhw", colours, _on(colours.device, colours.dtype))


def unmix(rgb: Tensor) -> Tensor:
    """The reverse of `mix`."""
    return torch.einsum("nchw,dc->ndhw", rgb, torch.linalg.inv(COLOUR).to(rgb))


@cache
def _on(device: torch.device, dtype: torch.dtype) -> Tensor:
    """The colours on a device; kept there, since every step asks for them."""
    return COLOUR.to(device, dtype)


def originals(photo: Photos, batch: int) -> tuple[Original, ...]:
    """What a batch starts from: nothing, one photo for all its pictures, or one each.

    Raises:
        ClipbenchError: no PIL image, or another number of photos than of pictures.
    """
    if photo is None:
        return ()
    photos = tuple(Original(each) for each in (photo if isinstance(photo, Sequence) else [photo]))
    if len(photos) not in (1, batch):
        raise ClipbenchError(
            f"{len(photos)} photos do not fit a batch of {batch} pictures; give one, or one a picture"
        )
    return photos


def check_size(size: int) -> int:
    """The size, or a ClipbenchError."""
    if not isinstance(size, int) or not 1 <= size <= _LARGEST:
        raise ClipbenchError(
            f"a picture cannot be {size!r} px wide; give a whole number from 1 to {_LARGEST}"
        )
    return size


def check_batch(batch: int) -> int:
    """The batch, or a ClipbenchError."""
    if not isinstance(batch, int) or batch < 1:
        raise ClipbenchError(f"a batch cannot have {batch!r} pictures; give a whole number from 1")
    return batch
