"""How different four faces of a unit are with the diversity term, against four seeds without it.

For each of some units of mini four pictures are painted in one batch, once with the term and once without,
from the same seed and with as many steps. How different they are is told in a layer that the term does not
look at: the mean Euclidean distance, over all pairs, of activations after the ReLU, averaged over positions.
What the term costs is told by the unit's own value, of the pictures as they are. Intervals are 95 %, of a
median over the units, from 10,000 resamplings of these.

    python benchmarks/diversity.py --size 128 --steps 96 --write      # seven minutes on one core
    python benchmarks/diversity.py --units 5 --weight 0.25              # a try
"""

import sys
from itertools import combinations

import numpy as np
import torch
from machine import machine
from resampling import resampled
from tqdm import tqdm
from turns import about, parser, publish

import clipbench as cb
from clipbench.models import Read
from clipbench.optvis import recipe

LAYER, STYLE, TOLD = "conv_head", "blocks.4", "blocks.3"  # of the unit, of the term, of the distance
FACES = 4
UNITS = 20  # spread evenly over the layer
WEIGHT = 0.1  # of the term, whose largest value is 3, in units of the unit's own value without it
LEAST_DISTANCE, LEAST_VALUE = 1.3, 0.9


def paint(model, objective, size: int, steps: int) -> torch.Tensor:
    canvas = cb.parametrizations.fft(size, FACES)
    *_, step = cb.visualize(model, objective, parametrization=canvas, steps=steps)
    return step.images


@torch.no_grad()
def told_of(model, images: torch.Tensor, unit: int) -> tuple[float, float]:
    """Mean distance of all pairs, and mean value of the unit."""
    place, style = Read(LAYER), Read(TOLD, relu=True)
    acts = model.read(images, [place, style])
    features = acts[style].mean(dim=(2, 3))
    pairs = combinations(range(len(images)), 2)
    distances = [float((features[one] - features[other]).norm()) for one, other in pairs]
    return float(np.mean(distances)), float(acts[place][:, unit].mean())


def measure(units: int, size: int, steps: int, weight: float) -> dict[str, object]:
    model = cb.load("mini", device="cpu")
    channels, rows = model.layer(LAYER).channels, []
    for place in tqdm(range(units), unit="unit"):
        unit = place * channels // units
        goal = cb.objectives.channel(LAYER, unit)
        distance, value = told_of(model, paint(model, goal, size, steps), unit)
        diverse = goal - weight * abs(value) * cb.objectives.diversity(STYLE)
        apart, costs = told_of(model, paint(model, diverse, size, steps), unit)
        rows.append({"unit": unit, "seeds": (distance, value), "faces": (apart, costs)})
    ratios = {
        "distance": resampled([row["faces"][0] / row["seeds"][0] for row in rows], np.median),
        "value": resampled([row["faces"][1] / row["seeds"][1] for row in rows], np.median),
    }
    example = cb.objectives.channel(LAYER, rows[-1]["unit"]) - weight * cb.objectives.diversity(STYLE)
    views = cb.transforms.standard()
    return {
        "machine": machine("clipbench", "torch"),
        "model": (model.name, model.weights_hash),
        "recipe": recipe(example, cb.parametrizations.fft(size, FACES), views, (), 0.05, steps),
        "rows": rows,
        "ratios": ratios,
        "passed": ratios["distance"][0] >= LEAST_DISTANCE and ratios["value"][0] >= LEAST_VALUE,
    }


def report(result: dict[str, object]) -> str:
    """The result as Markdown."""
    ratios, rows = result["ratios"], result["rows"]
    lines = ["# Four faces against four seeds", "", *__doc__.strip().splitlines()[2:], ""]
    lines += [f"- `{result['model'][0]}` {result['model'][1]}; {result['recipe']}, the weight times the"]
    lines += ["  value that the unit reaches without the term", f"- {about(result['machine'])}", ""]
    lines += ["| with the term over without, median | found | 95 % interval | n | at least | reached |"]
    lines += ["|---|---:|---|---:|---:|---|"]
    asked = {f"distance of the pictures in {TOLD}": "distance", "value of the unit": "value"}
    for (what, key), least in zip(asked.items(), (LEAST_DISTANCE, LEAST_VALUE), strict=True):
        found, low, high = ratios[key]
        verdict = "yes" if found >= least else "**no**"
        span = f"{low:.2f} to {high:.2f}"
        lines += [f"| {what} | {found:.2f} | {span} | {len(rows)} | {least:g} | {verdict} |"]
    lines += [""]
    lines += ["| unit | distance, seeds | distance, faces | value, seeds | value, faces |"]
    lines += ["|---:|---:|---:|---:|---:|"]
    for row in rows:
        (distance, value), (apart, costs) = row["seeds"], row["faces"]
        lines += [f"| {row['unit']} | {distance:.3f} | {apart:.3f} | {value:.2f} | {costs:.2f} |"]
    return "\n".join(lines)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--units", type=int, default=UNITS)
    options.add_argument("--size", type=int, default=160)
    options.add_argument("--steps", type=int, default=128)
    options.add_argument("--weight", type=float, default=WEIGHT)
    told = options.parse_args()
    result = measure(told.units, told.size, told.steps, told.weight)
    publish("diversity", result, report(result), told)
    sys.exit(not result["passed"])


if __name__ == "__main__":
    main()
