"""A photo that an optimisation starts from, or whose features a picture is to have."""

from dataclasses import dataclass, field
from hashlib import sha256

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.functional import center_crop, pil_to_tensor, resize

from clipbench.stimuli.images import rgb


@dataclass(frozen=True)
class Original:
    """A photo as a value: two are equal when their pixels are, and it prints the start of their digest.

    Args:
        image: a PIL image of any mode and size.
        digest: of the photo that `image` was cut from; "" where it is whole.

    Raises:
        ClipbenchError: no PIL image, or one without a way to RGB.
    """

    image: Image.Image = field(compare=False, repr=False)
    digest: str = ""

    def __post_init__(self):
        image = rgb(self.image)
        object.__setattr__(self, "image", image)
        content = f"{image.size}".encode() + image.tobytes()
        object.__setattr__(self, "digest", self.digest or sha256(content).hexdigest())

    def __str__(self) -> str:
        return f"photo {self.digest[:8]}"

    def cut(self, size: int) -> Image.Image:
        """The middle square of the photo at that size; of what was cut so, it is the whole."""
        square = center_crop(self.image, min(self.image.size))
        return square if square.size == (size, size) else resize(square, [size, size])

    def pixels(self, size: int) -> Tensor:
        """The middle square of the photo: (1, 3, size, size) float32 in [0, 1]."""
        return pil_to_tensor(self.cut(size))[None].to(torch.float32) / 255
