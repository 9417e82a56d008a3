"""What every model has: an image tower whose layers can be read and edited."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms import Compose, Normalize, Resize

from clipbench import hooks
from clipbench.errors import ClipbenchError, unknown
from clipbench.models.folding import fold_batch_norms
from clipbench.models.layers import Layer, Place, catalogue, head_takes_any_size, takes_any_size
from clipbench.streams import chunks
from clipbench.units import Unit

_CHUNK = 32  # images that the encoders cut and read at a time; bounds memory, changes no value
# Images in one forward pass on a CPU. A map of more of them takes more than the 32 MB up to which malloc
# keeps memory, and each layer asks the system anew, which costs a third of the time.
_CPU_PASS = 4


class Read(NamedTuple):
    """What to read: a layer, before (relu=False) or after its nonlinearity."""

    layer: str
    relu: bool = False


class ImageModel:
    """An image tower, frozen, in evaluation mode, with named layers.

    Args:
        network: the whole network; it is frozen, its batch norms are folded into its convolutions.
        tower: the part of it that takes normalised pixels.
        name: what `load` was asked for.
        weights_hash: of the weights before folding.
        transform: PIL image -> normalised (3, h, w); its last step is the normalisation.
        heads: further places to read, without a map.
    """

    def __init__(
        self,
        network: nn.Module,
        tower: nn.Module,
        name: str,
        weights_hash: str,
        transform: Compose,
        heads: Mapping[str, hooks.Tap],
    ):
        self.network = network.eval().requires_grad_(False)
        self.tower = tower
        self.name = name
        self.weights_hash = weights_hash
        self.checkpoint: Path | None = None  # where `load` had the weights from, if from a file of the user
        *to_pixels, normalize = transform.transforms
        self._to_pixels, self._normalize = Compose(to_pixels), _check_normalize(normalize)
        fold_batch_norms(tower)
        network.to(memory_format=torch.channels_last)
        listed = catalogue(tower)
        self.layers: Mapping[str, Layer] = listed.layers
        self._places = {**listed.places, **{name: Place(tap, tap) for name, tap in heads.items()}}
        self.image_size: int = self._to_pixels(Image.new("RGB", (8, 8))).shape[-1]
        self.heads: Mapping[str, Layer] = self._measure_heads(heads)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, weights {self.weights_hash}, {self.device})"

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return next(self.network.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """Number format of the weights."""
        return next(self.network.parameters()).dtype

    @property
    def preprocessing(self) -> str:
        """What is done to a picture before the network sees it, in words that differ where it differs."""
        steps = (*self._to_pixels.transforms, self._normalize)
        return " · ".join(getattr(step, "__name__", None) or repr(step) for step in steps)

    @property
    def view(self) -> float:
        """Share of a picture's shorter side that the network gets to see, in (0, 1]."""
        sides = [step.size for step in self._to_pixels.transforms if isinstance(step, Resize)]
        return self.image_size / sides[0] if sides and isinstance(sides[0], int) else 1.0

    @property
    def last_layer(self) -> str:
        """Name of the last layer that has a map."""
        return list(self.layers)[-1]

    def layer(self, name: str) -> Layer:
        """The layer or head of that name.

        Raises:
            ClipbenchError: there is none; the sentence names the nearest.
        """
        known = {**self.layers, **self.heads}
        if name not in known:
            raise unknown("layer", name, known)
        return known[name]

    def is_native_only(self, layer: str) -> bool:
        """Whether a layer or head can be read from pictures of `image_size` only."""
        return not (head_takes_any_size(self.tower) if layer in self.heads else takes_any_size(self.tower))

    def check_size(self, layer: str, height: int, width: int) -> None:
        """Raise a ClipbenchError unless a layer can be read from pictures of that size."""
        if self.is_native_only(layer) and (height, width) != (self.image_size, self.image_size):
            raise ClipbenchError(
                f"{layer!r} of {self.name} takes pictures of {self.image_size} × {self.image_size} px only, "
                f"not {height} × {width}; use size {self.image_size}"
            )
        stride = self.layer(layer).stride or self.layer(self.last_layer).stride
        if min(height, width) < stride:
            raise ClipbenchError(
                f"{height} × {width} px is too small for {layer!r}, which has a position every {stride} px; "
                f"use a size of at least {stride}"
            )

    def pixels(self, images: Sequence[Image.Image]) -> Tensor:
        """Pictures as the model gets to see them: its own resizing and crop.

        Args:
            images: n PIL images of any size.

        Returns:
            (n, 3, image_size, image_size) float32 in [0, 1], on the model's device.

        Raises:
            ClipbenchError: no images, or something that is no image.
        """
        _check_images(images)
        return torch.stack([self._to_pixels(image) for image in images]).to(self.device)

    def crop(self, image: Image.Image) -> Image.Image:
        """A picture cut and resized as the model gets to see it; `pixels` leaves it as it is.

        Raises:
            ClipbenchError: something that is no image.
        """
        _check_images([image])
        return Image.fromarray((self._to_pixels(image) * 255).round().byte().permute(1, 2, 0).numpy())

    def read(self, pixels: Tensor, reads: Iterable[Read]) -> dict[Read, Tensor]:
        """Run the tower as far as needed and return what flows through some layers.

        Gradients flow from the result to `pixels`. The forward pass ends at the deepest layer read.

        Args:
            pixels: (n, 3, h, w) in [0, 1].
            reads: layers or heads, before or after their nonlinearity.

        Returns:
            (n, channels, h, w) for each read; heads have h = w = 1.

        Raises:
            ClipbenchError: an unknown layer, or a size that it cannot take.
        """
        reads = tuple(reads)
        for read in reads:
            self.layer(read.layer)
            self.check_size(read.layer, *pixels.shape[-2:])
        taps = {read: self._tap(read) for read in reads}
        with hooks.reading(taps, stop=True) as values:
            self.tower(self._normalize(pixels.to(self.dtype)))
        return values

    @torch.no_grad()
    def answers(self, pixels: Tensor, reads: Iterable[Read]) -> dict[Read, Tensor]:
        """The same values without gradients, and faster on a CPU: few pictures in one forward pass.

        Args:
            pixels, reads: as for `read`, which says what it raises.

        Returns:
            (n, channels, h, w) for each read.
        """
        reads = tuple(reads)
        if self.device.type != "cpu":
            return self.read(pixels, reads)
        parts = [self.read(some, reads) for some in pixels.split(_CPU_PASS)]
        return {read: torch.cat([part[read] for part in parts]) for read in parts[0]}

    @torch.no_grad()
    def activations(self, images: Sequence[Image.Image], layer: str, relu: bool = False) -> Tensor:
        """Activations of a layer for some pictures.

        Args:
            images: n PIL images.
            layer: a name out of `layers` or `heads`.
            relu: False reads after batch norm and residual sum and before the ReLU, as the article does;
                True reads after it.

        Returns:
            (n, channels, h, w).
        """
        read = Read(layer, relu)
        _check_images(images)
        return torch.cat([self.answers(self.pixels(some), [read])[read] for some in chunks(images, _CHUNK)])

    @torch.no_grad()
    def encode_image(self, images: Sequence[Image.Image]) -> Tensor:
        """Embeddings of pictures.

        Args:
            images: n PIL images.

        Returns:
            (n, d) float32, each row of unit length.
        """
        features = self.activations(images, "embedding").flatten(1).float()
        return nn.functional.normalize(features, dim=1)

    def ablate(self, units: Iterable[str | Unit], value: float = 0.0):
        """Context manager: hold units at a value (before their ReLU), zero or for example their mean."""
        return self._edit(units, lambda old: torch.full_like(old, value))

    def clamp(self, units: Iterable[str | Unit], low: float, high: float):
        """Context manager: keep units within [low, high]."""
        if low > high:
            raise ClipbenchError(f"cannot clamp to [{low}, {high}]; the lower limit comes first")
        return self._edit(units, lambda old: old.clamp(low, high))

    def scale(self, units: Iterable[str | Unit], factor: float):
        """Context manager: multiply units by a factor."""
        return self._edit(units, lambda old: old * factor)

    @contextmanager
    def edit(self, layer: str, change: Callable[[Tensor], Tensor]) -> Iterator[None]:
        """Context manager: let something else flow on from a layer (before its ReLU).

        Args:
            layer: a name out of `layers` or `heads`.
            change: (n, channels, h, w) -> the same shape; must not work in place.
        """
        with hooks.editing(self._tap(Read(layer)), change):
            yield

    def add(self, layer: str, direction: Tensor, strength: float = 1.0):
        """Context manager: add strength · direction to a layer at every position.

        Args:
            layer: a name out of `layers` or `heads`.
            direction: (channels,).
            strength: factor.

        Raises:
            ClipbenchError: the direction has another length than the layer has channels.
        """
        step = strength * self._row(layer, direction)
        return self.edit(layer, lambda value: value + step)

    def replace(self, layer: str, values: Tensor):
        """Context manager: let other values flow on from a layer; gradients flow to them.

        Args:
            layer: a name out of `layers` or `heads`.
            values: (n, channels, h, w), before the ReLU, for the n pictures that the block shows, in one
                forward pass or in several, once or again and again.

        Raises:
            ClipbenchError: in the block, passes whose pictures do not add up to n.
        """
        done = 0  # pictures, of this round

        def own(old: Tensor) -> Tensor:
            nonlocal done
            rows = values[done : done + len(old)]
            if len(rows) != len(old):
                raise ClipbenchError(
                    f"values for {len(values)} pictures do not fit {done + len(old)}; give as many"
                )
            done = (done + len(rows)) % len(values)
            return rows.clone()  # a ReLU may work in place

        return self.edit(layer, own)

    def hold(self, layer: str, values: Tensor):
        """Context manager: hold units of a layer, each at its own value (before the ReLU).

        Args:
            layer: a name out of `layers` or `heads`.
            values: (channels,); nan leaves a unit as it is.

        Raises:
            ClipbenchError: another number of values than the layer has channels.
        """
        values = self._row(layer, values)
        return self.edit(layer, lambda old: torch.where(values.isnan(), old, values))

    @contextmanager
    def _edit(self, units: Iterable[str | Unit], change: Callable[[Tensor], Tensor]) -> Iterator[None]:
        units = [units] if isinstance(units, (str, Unit)) else list(units)
        by_layer: dict[str, list[Unit]] = {}
        for unit in (Unit.parse(unit, self) for unit in units):
            by_layer.setdefault(unit.layer, []).append(unit)
        with ExitStack() as stack:
            for layer, chosen in by_layer.items():
                stack.enter_context(hooks.editing(self._tap(Read(layer)), _only(chosen, change)))
            yield

    def _row(self, layer: str, values: Tensor) -> Tensor:
        """(channels,) -> (1, channels, 1, 1), where the model computes."""
        channels = self.layer(layer).channels
        row = torch.as_tensor(values, dtype=self.dtype, device=self.device)
        if row.shape != (channels,):
            raise ClipbenchError(
                f"shape {tuple(row.shape)} does not fit layer {layer!r}, it needs ({channels},)"
            )
        return row[None, :, None, None]

    def _tap(self, read: Read) -> hooks.Tap:
        self.layer(read.layer)
        place = self._places[read.layer]
        return place.after if read.relu else place.before

    @torch.no_grad()
    def _measure_heads(self, heads: Mapping[str, hooks.Tap]) -> dict[str, Layer]:
        blank = torch.zeros(1, 3, self.image_size, self.image_size, device=self.device, dtype=self.dtype)
        with hooks.reading(heads) as values:
            self.tower(blank)
        return {name: Layer(name, value.shape[1], None) for name, value in values.items()}


def _only(units: list[Unit], change: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return lambda value: torch.where(hooks.select(units, value), change(value), value)


def _check_images(images: Sequence[Image.Image]) -> None:
    if isinstance(images, Image.Image) or not all(isinstance(image, Image.Image) for image in images):
        raise ClipbenchError("images must be a list of PIL images, as in [PIL.Image.open(path)]")
    if len(images) == 0:
        raise ClipbenchError("there are no images; give at least one")


def _check_normalize(transform: object) -> Normalize:
    if not isinstance(transform, Normalize):
        raise ClipbenchError(f"the image transform must end in a Normalize, not in {transform!r}")
    return transform
