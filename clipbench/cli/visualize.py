"""`clipbench visualize`: pictures that excite units, whole layers or texts, in one PNG."""

import argparse
import math

import clipbench as cb
from clipbench.cli.options import add_common, real, whole
from clipbench.cli.output import printable, progress, write_json, write_table
from clipbench.errors import ClipbenchError

_LR = 0.05  # as in the panel, so that a command copied from there gives the same picture


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "visualize",
        help="paint pictures that excite units, layers or texts",
        description="Paint pictures that excite units, layers or texts. Several are painted in one batch and "
        "laid side by side in the one file, in the order given; the PNG carries its provenance.",
    )
    parser.add_argument(
        "targets",
        nargs="*",
        metavar="UNIT",
        help="layer:channel, layer:channel@row,column for one neuron, or a layer's name for all of it",
    )
    parser.add_argument(
        "--text", action="append", default=[], help="paint what resembles a text; may be given several times"
    )
    parser.add_argument(
        "--objective",
        choices=["channel", "neuron", "layer"],
        help="what to excite of each UNIT (default: as its address says); a neuron without a position is the "
        "one in the middle",
    )
    parser.add_argument("--out", required=True, metavar="FILE.png", help="where the picture goes")
    parser.add_argument("--steps", type=whole, default=256, metavar="N", help="default: 256")
    parser.add_argument(
        "--size", type=whole, default=224, metavar="N", help="height and width (default: 224)"
    )
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="default: 0")
    _add_recipe(parser)
    add_common(parser)
    parser.set_defaults(run=visualize)


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    views = parser.add_argument_group("random views that the picture has to work in")
    views.add_argument(
        "--jitter", type=whole, default=8, metavar="PX", help="shift, then by half (default: 8)"
    )
    views.add_argument("--scale", type=real, default=0.1, metavar="X", help="1 - X to 1 + X (default: 0.1)")
    views.add_argument("--rotate", type=real, default=10.0, metavar="DEG", help="to each side (default: 10)")
    penalties = parser.add_argument_group("weights of penalties, 0 by default")
    penalties.add_argument("--tv", type=real, default=0.0, metavar="W", help="total variation")
    penalties.add_argument("--l1", type=real, default=0.0, metavar="W", help="distance from grey")
    penalties.add_argument("--l2", type=real, default=0.0, metavar="W", help="Euclidean distance from grey")
    penalties.add_argument("--blur", type=real, default=0.0, metavar="W", help="what a blur would take away")


def visualize(options: argparse.Namespace) -> int:
    """Paint, save, and tell how the values grew. Ctrl-C leaves no file behind."""
    from clipbench.optvis import recipe
    from clipbench.results import check_path, save_png

    path = check_path(options.out, (".png",))
    model = cb.load(options.model, device=options.device)
    addresses, goals = _goals(options, model)
    objective = goals[0] if len(goals) == 1 else cb.objectives.batch(goals)
    parametrization = cb.parametrizations.fft(options.size, batch=len(goals))
    views, penalties = (
        cb.transforms.standard(options.jitter, options.scale, options.rotate),
        _penalties(options),
    )
    steps = cb.visualize(
        model,
        objective,
        parametrization=parametrization,
        transforms=views,
        regularizers=penalties,
        lr=_LR,
        steps=options.steps,
        seed=options.seed,
    )
    told = {0, options.steps, *(4**power for power in range(1, 27))}
    values = []
    for step in progress(steps, total=options.steps + 1, unit="step"):
        if step.number in told:
            values.append({"step": step.number, "value": step.value.tolist()})
    provenance = cb.Provenance(
        model.name,
        model.weights_hash,
        recipe(objective, parametrization, views, penalties, _LR, options.steps),
        unit=", ".join(addresses) or None,
        seed=options.seed,
        n=len(goals),
    )
    save_png(_side_by_side(step.images), path, provenance)
    names = [str(goal) for goal in goals]
    if options.json:
        document = {
            "file": str(path),
            "pictures": names,
            "values": values,
            "provenance": provenance.as_dict(),
        }
        write_json(document)
    else:
        write_table(("step", *names), [(each["step"], *each["value"]) for each in values])
        print(f"{printable(str(path))}: {printable(provenance.caption())}")
    return 0


def _goals(options: argparse.Namespace, model) -> tuple[list[str], list]:
    """Addresses of the targets, and an objective for each target and text."""
    addresses, goals = [], []
    for target in options.targets:
        if options.objective == "layer" or (options.objective is None and ":" not in target):
            addresses.append(target)
            goals.append(cb.objectives.layer(target))
            continue
        unit = cb.Unit.parse(target, model)
        addresses.append(str(unit))
        if options.objective == "channel" and unit.position:
            raise ClipbenchError(
                f"a channel has no position; write {unit.layer}:{unit.channel}, or leave --objective out"
            )
        if options.objective == "neuron" or unit.position:
            goals.append(cb.objectives.neuron(unit.layer, unit.channel, unit.position))
        else:
            goals.append(cb.objectives.channel(unit.layer, unit.channel))
    goals += [cb.objectives.text(text) for text in options.text]
    if not goals:
        raise ClipbenchError(f"there is nothing to paint; give a unit, as in {model.last_layer}:0, or --text")
    return addresses, goals


def _penalties(options: argparse.Namespace) -> tuple:
    weights = {name: getattr(options, name) for name in ("tv", "l1", "l2", "blur")}
    return tuple(getattr(cb.regularizers, name)(weight) for name, weight in weights.items() if weight)


def _side_by_side(images):
    """A PIL image of (n, 3, h, w) in [0, 1], row by row in a nearly square grid."""
    from torchvision.transforms.functional import to_pil_image
    from torchvision.utils import make_grid

    return to_pil_image(make_grid(images.float().cpu(), nrow=math.ceil(math.sqrt(len(images)))))
