"""How fast pictures grow, against torch-lucent, a loop of plain lines, Horama, and one after another.

The peers share no environment with clipbench, since lucent asks for a kornia of 2020. They go into a folder
of their own, which is looked into after everything else:

    pip install --no-deps --target peers torch-lucent==0.1.8 kornia==0.4.1 decorator horama==0.3.0 einops
    pip install --no-deps --target peers matplotlib contourpy cycler kiwisolver fonttools pyparsing
    python benchmarks/speed.py cells --peers peers --write     # eight minutes on two idle cores
    python benchmarks/speed.py horama --peers peers --write    # one
    python benchmarks/speed.py batch --write                   # one

Every picture is 3 × size × size, written as Fourier coefficients, and moved by Adam or NAdam. lucent and
clipbench take the same channel of the same network and Lucid's standard transforms, each in its own way:
lucent runs the whole network on a padded picture with weights that ask for gradients, as it does by itself;
"frozen" are the same runs with weights that do not. The plain loop has no hooks, no random numbers and a
single shift; it runs the folded network up to the layer and, as clipbench does, looks at the last picture as
well, so it is what clipbench could reach at most. Horama and clipbench enlarge six crops a step of a picture
of 512 px to 224 px. Weights are random where none ship.
"""

import copy
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import chdir
from functools import partial
from statistics import geometric_mean

os.environ["TQDM_DISABLE"] = "1"  # Horama draws a bar

import numpy as np
import open_clip
import timm
import torch
from machine import machine
from torch import nn
from torch.nn.functional import affine_grid, grid_sample
from turns import HEADER, Ratio, about, parser, publish, ratio, take_turns

import clipbench as cb
from clipbench.optvis.parametrizations import COLOUR
from clipbench.optvis.parametrizations.spectrum import photo_spectrum

CELLS = (  # clipbench's name, layer, size, steps a run
    ("RN50/random", "layer1", 224, 10),
    ("RN50/random", "layer4", 224, 10),
    ("RN50x4/random", "layer1", 288, 6),
    ("RN50x4/random", "layer4", 288, 6),
    ("mini", "blocks.1", 224, 40),
    ("mini", "conv_head", 224, 40),
)
MACO_STEPS, BATCH_STEPS = 12, 24
LEAST_LUCENT, LEAST_EACH, LEAST_PLAIN, LEAST_HORAMA, LEAST_BATCH = 2.8, 1.5, 0.85, 1.5, 1.5
UNITS = tuple(range(100, 900, 100))  # eight of conv_head


def ours(model, layer: str, size: int, steps: int) -> None:
    canvas = cb.parametrizations.fft(size)
    for _ in cb.visualize(model, cb.objectives.channel(layer, 0), parametrization=canvas, steps=steps):
        pass


def lucent(network: nn.Module, layer: str, size: int, steps: int) -> None:
    from lucent.optvis import param, render

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the attention pool refuses the padded size, which lucent says
        render.render_vis(
            network,
            f"{layer.replace('.', '_')}:0",
            param_f=lambda: param.image(size),
            thresholds=(steps,),
            progress=False,
            show_image=False,
        )
    for module in network.modules():
        module._forward_hooks.clear()  # lucent leaves them, and each run would be slower than the last


def plain(body: nn.Module, size: int, steps: int) -> None:
    frequency = (torch.fft.fftfreq(size)[:, None] ** 2 + torch.fft.rfftfreq(size)[None] ** 2).sqrt()
    scale = 1 / frequency.clamp(min=1 / size)[..., None]
    waves = (0.01 * torch.randn(1, 3, size, size // 2 + 1, 2)).requires_grad_()
    adam = torch.optim.Adam([waves], lr=0.05)
    shift = torch.tensor([[[1.0, 0.0, 0.01], [0.0, 1.0, 0.01]]])
    for number in range(steps + 1):
        picture = torch.fft.irfft2(torch.view_as_complex(waves * scale), s=(size, size), norm="ortho") / 4
        picture = torch.einsum("nchw,dc->ndhw", picture, COLOUR).sigmoid()
        grid = affine_grid(shift, list(picture.shape), align_corners=False)
        view = grid_sample(picture, grid, align_corners=False)
        loss = -body((view - 0.45) / 0.25)[:, 0].mean()
        if number == steps:
            return
        adam.zero_grad()
        loss.backward()
        adam.step()


def up_to(model, layer: str) -> nn.Sequential:
    """The network of a model up to a layer, without anything that clipbench adds."""
    parts = []
    for name, part in _parts(getattr(model.tower, "trunk", model.tower)):
        parts.append(part)
        if name == layer:
            return nn.Sequential(*parts)
    raise ValueError(f"{layer} is no part of {model}")


def _parts(tower: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for name, child in tower.named_children():
        if name == "blocks":
            yield from ((f"blocks.{number}", block) for number, block in child.named_children())
        else:
            yield name, child


def unfolded(name: str) -> nn.Module:
    """A network as its library makes it, for lucent."""
    if name == "mini":
        return timm.create_model("tf_efficientnet_lite0").eval()
    return open_clip.create_model(name.partition("/")[0]).visual.eval()


def of_cell(name: str, layer: str, size: int, steps: int, rounds: int) -> list[Ratio]:
    model, network = cb.load(name, device="cpu"), unfolded(name)
    frozen = copy.deepcopy(network).requires_grad_(False)
    runs = {
        "clipbench": partial(ours, model, layer, size, steps),
        "lucent": partial(lucent, network, layer, size, steps),
        "frozen": partial(lucent, frozen, layer, size, steps),
        "plain": partial(plain, up_to(model, layer), size, steps),
    }
    seconds = take_turns(runs, rounds)
    cell = f"{name.partition('/')[0]} {layer}, {size} px"
    return [
        ratio(f"lucent: {cell}", seconds, "clipbench", "lucent", LEAST_EACH),
        ratio(f"lucent, frozen: {cell}", seconds, "clipbench", "frozen"),
        ratio(f"plain loop: {cell}", seconds, "clipbench", "plain", LEAST_PLAIN),
    ]


def over_cells(steps: int | None, rounds: int) -> list[Ratio]:
    """Of all cells, and the geometric mean over lucent, round by round."""
    found = [each for *cell, own in CELLS for each in of_cell(*cell, own if steps is None else steps, rounds)]
    lucents = [each.pairs for each in found if each.what.startswith("lucent: ")]
    means = tuple(geometric_mean(round_) for round_ in zip(*lucents, strict=True))
    return [*found, Ratio("lucent: geometric mean of the six", means, LEAST_LUCENT)]


def against_horama(steps: int, rounds: int, size: int) -> list[Ratio]:
    from horama import maco

    model = cb.load("timm/tf_efficientnet_lite0", device="cpu")
    network = timm.create_model("tf_efficientnet_lite0").eval()
    frozen = copy.deepcopy(network).requires_grad_(False)
    canvas, views = cb.parametrizations.maco(size), cb.transforms.maco(6, 224)

    def own() -> None:
        logit = cb.objectives.channel("logits", 1)
        for _ in cb.visualize(model, logit, parametrization=canvas, transforms=views, steps=steps):
            pass

    def theirs(net: nn.Module) -> None:
        maco(lambda images: net(images)[:, 1].mean(), total_steps=steps, image_size=size, device="cpu")

    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        np.save("spectrum_decorrelated.npy", photo_spectrum().numpy())  # else Horama would download one
        runs = {"clipbench": own, "Horama": partial(theirs, network), "frozen": partial(theirs, frozen)}
        seconds = take_turns(runs, rounds)
    return [
        ratio(f"Horama's MACO, {size} px", seconds, "clipbench", "Horama", LEAST_HORAMA),
        ratio(f"Horama's MACO, frozen, {size} px", seconds, "clipbench", "frozen"),
    ]


def in_one_batch(steps: int, rounds: int, size: int = 160) -> list[Ratio]:
    model = cb.load("mini", device="cpu")
    goals = [cb.objectives.channel("conv_head", unit) for unit in UNITS]

    def run(objective, batch: int) -> None:
        canvas = cb.parametrizations.fft(size, batch)
        for _ in cb.visualize(model, objective, parametrization=canvas, steps=steps):
            pass

    def one_by_one() -> None:
        for goal in goals:
            run(goal, 1)

    runs = {"batch": lambda: run(cb.objectives.batch(goals), len(goals)), "one by one": one_by_one}
    what = f"{len(goals)} units of mini one after another, {size} px"
    return [ratio(what, take_turns(runs, rounds), "batch", "one by one", LEAST_BATCH)]


def measure(part: str, steps: int | None, rounds: int, size: int) -> dict[str, object]:
    match part:
        case "cells":
            found = over_cells(steps, rounds)
        case "horama":
            found = against_horama(steps or MACO_STEPS, rounds, size)
        case _:
            found = in_one_batch(steps or BATCH_STEPS, rounds)
    return {
        "machine": machine("clipbench", "torch", "open_clip_torch", "timm"),
        "threads": torch.get_num_threads(),
        "mini": cb.load("mini", device="cpu").weights_hash,
        "part": part,
        "rounds": rounds,
        "ratios": found,
        "passed": all(each.passed for each in found),
    }


def report(result: dict[str, object]) -> str:
    """The result as Markdown."""
    lines = [f"# How fast pictures grow: {result['part']}", "", *__doc__.strip().splitlines()[2:], ""]
    lines += [f"- {about(result['machine'])}, {result['threads']} threads; mini {result['mini']}"]
    lines += [f"- runs that take turns, n = {result['rounds']} rounds, one process", ""]
    lines += [*HEADER, *(each.row() for each in result["ratios"])]
    return "\n".join(lines)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("part", choices=["cells", "horama", "batch"], help="what to measure")
    options.add_argument("--peers", metavar="FOLDER", help="where lucent and Horama were put")
    options.add_argument("--steps", type=int, help="steps a run, in place of what each is given")
    options.add_argument("--rounds", type=int, default=5, help="runs of each kind (at least 5)")
    options.add_argument("--maco-size", type=int, default=512)
    told = options.parse_args()
    if told.peers:
        sys.path.append(told.peers)
    result = measure(told.part, told.steps, told.rounds, told.maco_size)
    document = {**result, "ratios": [each.as_dict() for each in result["ratios"]]}
    publish(f"speed_{told.part}", document, report(result), told)
    sys.exit(not result["passed"])


if __name__ == "__main__":
    main()
