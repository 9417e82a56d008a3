"""Names drawn as pictures, and what every unit of a layer answers to each."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from clipbench.errors import ClipbenchError, unknown
from clipbench.models import ImageModel
from clipbench.results import Provenance
from clipbench.stimuli import written
from clipbench.stimuli.lettering import ink
from clipbench.streams import Progress, chunks
from clipbench.studies.correlation import standardised
from clipbench.units import check_channel

SIZES = (0.5, 0.8)  # shares of the picture's side that a name spans
_LINE = 12  # letters; longer names are broken where there is a space
_LEADING = 1.2  # height of a line in letters
_FONT = "DejaVu Sans"
_SHUFFLES = 200
_BATCH = 32


@dataclass(frozen=True, eq=False)
class Names:
    """What the units of a layer answer to written names.

    Args:
        layer: the layer that was read.
        names: n names.
        answers: (n, units) float32, largest activation over the map, before the ReLU, mean over the sizes.
        provenance: model and recipe; n counts pictures.
    """

    layer: str
    names: tuple[str, ...]
    answers: np.ndarray
    provenance: Provenance

    def top(self, unit: int, count: int = 3) -> tuple[str, ...]:
        """The names that a unit answers to most, the first one first.

        Raises:
            ClipbenchError: there is no such unit.
        """
        check_channel(unit, self.answers.shape[1], self.layer)
        return tuple(self.names[place] for place in np.argsort(-self.answers[:, unit], kind="stable")[:count])

    def only(self, some: Sequence[str]) -> "Names":
        """The same for some of the names, in their order.

        Raises:
            ClipbenchError: a name that was not asked for; the sentence names the nearest.
        """
        for name in some:
            if name not in self.names:
                raise unknown("name", name, self.names)
        places = [self.names.index(name) for name in some]
        return Names(self.layer, tuple(some), self.answers[places], self.provenance)

    def sds(self, unit: int) -> np.ndarray:
        """(n,) answers of a unit in standard deviations over the names; zeros if it is constant."""
        check_channel(unit, self.answers.shape[1], self.layer)
        own = self.answers[:, unit].astype(np.float64)
        return (own - own.mean()) / (own.std() or 1)

    def nearest(self, values: np.ndarray, seed: int = 0) -> tuple[int, float, float]:
        """The unit whose answers correlate most with values of the same names.

        Args:
            values: (n,), such as a published unit's answers.
            seed: of the shuffling.

        Returns:
            The unit, its correlation, and what the best unit reaches in 95 of 100 shufflings of the names:
            below that, the match means nothing.

        Raises:
            ClipbenchError: another number of values than there are names, or values that are all equal.
        """
        values = np.asarray(values, np.float64)
        if values.shape != (len(self.names),):
            raise ClipbenchError(f"there are {len(self.names)} names and {len(values)} values; give one each")
        if values.std() == 0:
            raise ClipbenchError("the values are all equal, so that no unit is nearest to them")
        rng = np.random.default_rng(seed)
        shuffled = np.stack([values, *(rng.permutation(values) for _ in range(_SHUFFLES))])
        rows = standardised(shuffled) @ standardised(self.answers.T).T
        unit = int(rows[0].argmax())
        return unit, float(rows[0, unit]), float(np.quantile(rows[1:].max(axis=1), 0.95))


@torch.no_grad()
def names(model: ImageModel, texts: Sequence[str], layer: str) -> Iterator[Progress[Names]]:
    """Draw names on white in two sizes and read a layer, a batch at a time.

    Args:
        model: any model.
        texts: n different names.
        layer: a name out of `model.layers`.

    Yields:
        After each batch how far it has come; the last one, and only that, with the result.

    Raises:
        ClipbenchError: no names, one twice, one that cannot be drawn, or a layer that the model lacks.

    Source: Goh et al. 2021, section "Region Neurons": activations averaged over font sizes, maximum over
    positions. Font and sizes are clipbench's.
    """
    model.layer(layer)
    _check(texts)
    done, total, kept = 0, len(SIZES) * len(texts), []
    for some in chunks(texts, _BATCH):
        sizes = []
        for size in SIZES:
            pages = [page(text, size, model.image_size) for text in some]
            sizes.append(model.activations(pages, layer).float().amax(dim=(2, 3)))
        kept.append(torch.stack(sizes).mean(dim=0).cpu().numpy())
        done += len(SIZES) * len(some)
        yield Progress(done, total)
    spans = " and ".join(f"{size:g}" for size in SIZES)
    recipe = f"{layer} before ReLU, maximum over space, names in {_FONT} on white, {spans} of the side"
    provenance = Provenance(model.name, model.weights_hash, recipe, n=total)
    yield Progress(total, total, Names(layer, tuple(texts), np.concatenate(kept), provenance))


def page(name: str, size: float, side: int) -> Image.Image:
    """A name on white: in one line, as `written` draws it, or in several of equal letters where it is long.

    Args:
        name: the name.
        size: share of the side that the longest line spans, or the lines together if that is more.
        side: pixels.
    """
    lines = textwrap.wrap(name, _LINE, break_long_words=False)
    if len(lines) < 2:
        return written(name, size=size, side=side)
    widest = max(ink(line, _FONT, 100.0).fill.width for line in lines)
    em = size * side / max(widest / 100, _LEADING * len(lines))
    sheet = Image.new("RGB", (side, side), "white")
    for number, line in enumerate(lines):
        letters = ink(line, _FONT, em).fill
        middle = side / 2 + (number - (len(lines) - 1) / 2) * _LEADING * em
        sheet.paste("black", ((side - letters.width) // 2, round(middle - letters.height / 2)), letters)
    return sheet


def _check(texts: Sequence[str]) -> None:
    if not texts:
        raise ClipbenchError("there are no names; give at least one")
    twice = next((text for text in texts if list(texts).count(text) > 1), None)
    if twice is not None:
        raise ClipbenchError(f"the name {twice!r} is there twice; give each once")
