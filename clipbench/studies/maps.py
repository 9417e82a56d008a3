"""One photo at three scales: what a neuron, its channel and the whole layer answer to it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from clipbench.errors import ClipbenchError
from clipbench.hooks import check_position
from clipbench.models import ImageModel, Read
from clipbench.results import UNREADABLE, Provenance, npz, read_told, save_bytes
from clipbench.units import Unit


@dataclass(frozen=True, eq=False)
class Maps:
    """Activations of one layer for one photo.

    Args:
        photo: (s, s, 3) uint8, what the model saw of the photo.
        position: (row, column) of the neuron.
        channel: (h, w) the channel at every position, before its ReLU.
        layer: (h, w) the layer at every position: root mean square over its channels, after their ReLU.
        provenance: model, unit and how the photo was cut; n is 1 photo.
    """

    photo: np.ndarray
    position: tuple[int, int]
    channel: np.ndarray
    layer: np.ndarray
    provenance: Provenance

    @property
    def neuron(self) -> float:
        """The one number of the neuron."""
        return float(self.channel[self.position])

    def save(self, path: str | Path) -> Path:
        """Write all of it into one .npz file; a ClipbenchError if it cannot be written."""
        told = {"position": self.position, "provenance": self.provenance.as_dict()}
        return save_bytes(npz(told, photo=self.photo, channel=self.channel, layer=self.layer), path)

    @classmethod
    def load(cls, path: str | Path) -> "Maps":
        """Read what `save` has written; a ClipbenchError if it is not that."""
        try:
            told, saved = read_told(path)
            position, provenance = tuple(told["position"]), Provenance(**told["provenance"])
            return cls(saved["photo"], position, saved["channel"], saved["layer"], provenance)
        except UNREADABLE as error:
            raise ClipbenchError(f"{str(path)!r} has no maps that clipbench has written") from error


@torch.no_grad()
def maps(model: ImageModel, image: Image.Image, unit: Unit) -> Maps:
    """Run one photo through a model and read a neuron, its channel and its layer.

    Args:
        model: any model.
        image: a PIL image of any size.
        unit: without a position, the neuron is the one that answers most strongly.

    Raises:
        ClipbenchError: the model has no such layer or channel, or the layer no such position.
    """
    unit = Unit.parse(unit, model)
    pixels = model.pixels([image])
    before, after = Read(unit.layer), Read(unit.layer, relu=True)
    values = model.read(pixels, [before, after])
    channel = values[before][0, unit.channel].float().cpu().numpy()
    layer = values[after][0].float().square().mean(dim=0).sqrt().cpu().numpy()
    strongest = tuple(int(place) for place in np.unravel_index(channel.argmax(), channel.shape))
    position = check_position(unit.position or strongest, channel.shape, unit.layer)
    photo = (pixels[0] * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    told = f"one photo, {model.image_size} px"
    provenance = Provenance(model.name, model.weights_hash, told, unit=str(unit), n=1)
    return Maps(photo, position, channel, layer, provenance)
