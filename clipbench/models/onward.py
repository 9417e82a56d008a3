"""From a layer on: the pass through what lies below it is not made again."""

from collections.abc import Iterable

from torch import Tensor

from clipbench.models.image_model import ImageModel, Read


def onward(
    model: ImageModel, pixels: Tensor, layer: str, values: Tensor, reads: Iterable[Read]
) -> dict[Read, Tensor]:
    """What flows through layers above a layer when `values` flow on from it; gradients flow to them.

    As hooks cannot begin a pass in the middle, something has to lead to the layer. What it shows does not
    matter, so of a network that takes any size a corner of the pictures has to do.

    Args:
        model: any model.
        pixels: (n, 3, h, w) in [0, 1], of the same n as the values.
        layer: where the values are put in, before its ReLU; the reads lie above it.
        values: (n, channels, h, w).
        reads: layers or heads.

    Returns:
        See `ImageModel.read`.
    """
    reads = tuple(reads)
    if not any(model.is_native_only(read.layer) for read in reads):
        side = model.layer(model.last_layer).stride
        pixels = pixels[..., :side, :side]
    with model.replace(layer, values):
        return model.read(pixels, reads)
