"""`clipbench visualize`: pictures that excite units, layers, texts or labels, in one file or a gallery."""

import argparse
from dataclasses import replace
from functools import partial

import clipbench as cb
from clipbench.cli.goals import add_goals, goals_of
from clipbench.cli.options import add_common, real, whole
from clipbench.cli.output import counted, printable, progress, warn, write_json, write_table
from clipbench.errors import ClipbenchError

# What decides a picture besides its goal: option, type, default, help. As in the panel, so that a command
# copied from there gives the same picture.
_SETTINGS = {
    "how": (
        ("steps", whole, 256, "N", "how many"),
        ("size", whole, 224, "N", "height and width in pixels"),
        ("seed", whole, 0, "N", "of the noise and the views"),
        ("strength", real, 1.0, "X", "of the facet; published pictures go from 0.1 to 5"),
        ("prior", real, 0.0, "X", "of the learned prior, 0 … 1, as in 0.1"),
    ),
    "random views that the picture has to work in": (
        ("jitter", whole, 8, "PX", "shift, then by half"),
        ("scale", real, 0.1, "X", "1 - X to 1 + X"),
        ("rotate", real, 10.0, "DEG", "to each side"),
    ),
    "weights of penalties": (
        ("tv", real, 0.0, "W", "total variation"),
        ("l1", real, 0.0, "W", "distance from grey"),
        ("l2", real, 0.0, "W", "Euclidean distance from grey"),
        ("blur", real, 0.0, "W", "what a blur would take away"),
    ),
}
_DEFAULTS = {name: default for rows in _SETTINGS.values() for name, _, default, *_ in rows}
_LR, _BATCH = 0.05, 8


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "visualize",
        help="paint pictures that excite units, layers, texts or labels",
        description="Paint pictures that excite units, layers, texts or labels. With --out they are painted "
        "in one batch and laid side by side in one file, in the order given: .png holds the pictures, .gif "
        "and .mp4 how they grew, .svg a table of some steps. With --gallery each gets its own file. Every "
        "file says where it comes from, and --like repeats it to the bit on the same machine.",
    )
    add_goals(parser)
    parser.add_argument(
        "--like", metavar="FILE", help="take all settings from a file that this command or a panel wrote"
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--out", metavar="FILE", help="write one file: .png, .gif, .mp4 or .svg")
    where.add_argument(
        "--gallery", metavar="DIR", help="write a file each and a contact sheet; the same command goes on"
    )
    for title, rows in _SETTINGS.items():
        group = parser.add_argument_group(title)
        for name, kind, default, metavar, told in rows:
            told = f"{told} (default: {default:g})"
            group.add_argument(f"--{name}", type=kind, metavar=metavar, help=told)
    many = parser.add_argument_group("a gallery")
    many.add_argument("--batch", type=whole, metavar="N", help=f"so many at once (default: {_BATCH})")
    many.add_argument(
        "--patience",
        type=whole,
        metavar="N",
        help="finish a picture whose value rises by less than 1 %% in N steps (default: go on to the last)",
    )
    add_common(parser, model=None)
    parser.set_defaults(run=visualize)


def visualize(options: argparse.Namespace) -> int:
    """Paint, save, and tell how the values grew. Ctrl-C leaves no half file behind."""
    if options.like is not None:
        return _repeat(options)
    for name, default in _DEFAULTS.items():
        if getattr(options, name) is None:
            setattr(options, name, default)
    return _paint(options) if options.gallery is None else _fill(options)


def _paint(options: argparse.Namespace) -> int:
    """Paint all goals in one batch, into one file."""
    from clipbench.optvis import Plan
    from clipbench.optvis.many import together
    from clipbench.results import ENDINGS, check_path

    for name in ("batch", "patience"):
        if getattr(options, name) is not None:
            raise ClipbenchError(f"--{name} is for --gallery; leave it out")
    path, model = check_path(options.out, ENDINGS), _load(options)
    goals = goals_of(options, model)
    canvas = cb.parametrizations.fft(options.size, len(goals))
    plan = Plan(together(goals), canvas, **_settings(options))
    unit = ", ".join(goal.unit for goal in goals if goal.unit) or None
    return _grow(options, model, plan, path, unit)


def _repeat(options: argparse.Namespace) -> int:
    """Paint what a file holds once more."""
    from clipbench.optvis import Plan
    from clipbench.optvis.plan import differences
    from clipbench.results import ENDINGS, check_path, read_provenance

    names = ("facet", "probe", "gallery", *_DEFAULTS)
    given = [f"--{name}" for name in names if getattr(options, name) is not None]
    given += ["a unit, text or label"] if options.targets or options.text or options.label else []
    if given:
        raise ClipbenchError(f"{given[0]} does not go with --like, whose file says it all; give --out alone")
    path, origin = check_path(options.out, ENDINGS), read_provenance(options.like)
    model = cb.load(origin.model if options.model is None else options.model, device=options.device)
    plan = Plan.of(origin, model)
    for each in differences(origin, model):
        warn(f"not as it was: {each}; the picture may differ a little")
    return _grow(options, model, plan, path, origin.unit, origin.settings["picture"])


def _grow(options: argparse.Namespace, model, plan, path, unit, picture=None) -> int:
    """Paint a plan, and write all its pictures, or one of them; where it breaks, those of the step before."""
    from clipbench.optvis import Frames
    from clipbench.optvis.frames import steps_shown

    chosen = slice(None) if picture is None else slice(picture, picture + 1)
    shown = steps_shown(path.suffix.lower(), plan.steps)
    told = {0, plan.steps, *(4**power for power in range(1, 27))}
    kept, values, newest, broken = [], [], None, None
    steps = progress(plan.run(model), total=plan.steps + 1, unit="step")
    try:
        for step in steps:
            newest = replace(step, value=step.value[chosen], images=step.images[chosen])
            if step.number in told:
                values.append({"step": step.number, "value": newest.value.tolist()})
            if step.number in shown:
                kept.append(newest)
    except ClipbenchError as error:
        if newest is None:
            raise
        broken, plan = error, replace(plan, steps=newest.number)
    if newest not in kept:
        kept.append(newest)
    names, provenance = plan.names[chosen], plan.provenance(model, unit, picture)
    Frames.of(kept, names, provenance).save(path)
    if broken is not None:
        raise ClipbenchError(f"{broken}; {str(path)!r} has step {newest.number}") from broken
    if options.json:
        write_json(
            {"file": str(path), "pictures": names, "values": values, "provenance": provenance.as_dict()}
        )
    else:
        write_table(("step", *names), [(each["step"], *each["value"]) for each in values])
        print(f"{printable(str(path))}: {printable(provenance.caption())}")
    return 0


def _fill(options: argparse.Namespace) -> int:
    """Paint a file for each goal into a folder."""
    from clipbench.optvis.many import SHEET
    from clipbench.results import read_provenance

    model = _load(options)
    goals, canvas = goals_of(options, model), partial(cb.parametrizations.fft, options.size)
    more = {"patience": options.patience, "batch": _BATCH if options.batch is None else options.batch}
    *_, last = counted(
        cb.gallery(model, goals, options.gallery, canvas, **more, **_settings(options)), unit="step"
    )
    origins = [read_provenance(file) for file in last.files]
    if options.json:
        pictures = [
            {"name": goal.name, "file": str(file), "provenance": origin.as_dict()}
            for goal, file, origin in zip(goals, last.files, origins, strict=True)
        ]
        write_json({"sheet": str(last.files[0].with_name(SHEET)), "pictures": pictures})
    else:
        rows = zip(goals, last.files, origins, strict=True)
        table = [(goal.name, file.name, origin.settings["plan"]["steps"]) for goal, file, origin in rows]
        write_table(("picture", "file", "steps"), table)
        print(printable(str(last.files[0].with_name(SHEET))))
    return 0


def _load(options: argparse.Namespace):
    return cb.load("mini" if options.model is None else options.model, device=options.device)


def _settings(options: argparse.Namespace) -> dict:
    """The arguments of `visualize`, objective and parametrization apart."""
    weights = {name: getattr(options, name) for name in ("tv", "l1", "l2", "blur")}
    penalties = [getattr(cb.regularizers, name)(weight) for name, weight in weights.items() if weight]
    return {
        "transforms": cb.transforms.standard(options.jitter, options.scale, options.rotate),
        "regularizers": tuple(penalties),
        "prior": cb.priors.denoiser(options.prior) if options.prior else None,
        "lr": _LR,
        "steps": options.steps,
        "seed": options.seed,
    }
