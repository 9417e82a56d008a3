"""`clipbench trust`: how far a picture that clipbench has painted can be trusted."""

import argparse
from dataclasses import replace

import clipbench as cb
from clipbench.cli.options import whole
from clipbench.cli.output import printable, progress, warn, write_json
from clipbench.errors import ClipbenchError

SECOND = "timm/tf_efficientnet_lite2"


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "trust",
        help="measure how far a painted picture can be trusted",
        description="Measure how far a picture can be trusted that clipbench has painted: how it excites its "
        "unit beside photos, what is left under changes it was not painted for, and what a second network "
        "sees in it. What was painted and how is read from the file.",
    )
    parser.add_argument("picture", metavar="FILE.png", help="a picture that clipbench has painted")
    parser.add_argument(
        "--controls",
        action="store_true",
        help="also paint it with other seeds, and a random direction and a shuffled facet in the same way, "
        "and measure them alike; takes as long as painting it eight to twelve times",
    )
    parser.add_argument("--seeds", type=whole, default=4, metavar="N", help="of --controls (default: 4)")
    parser.add_argument(
        "--photos",
        metavar="DIR",
        help="photos to compare with (default: a table that is shipped for mini and its control; with "
        "--controls, the shipped photos)",
    )
    parser.add_argument("--device", metavar="NAME", help="cpu, cuda, mps … (default: the best there is)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=trust)


def trust(options: argparse.Namespace) -> int:
    """Measure, and print a line a figure."""
    from clipbench.optvis import Plan
    from clipbench.results import read_provenance
    from clipbench.studies import TrustReport
    from clipbench.studies import trust as measure

    origin = read_provenance(options.picture)
    model = cb.load(origin.model, device=options.device)
    plan = _of_one_picture(Plan.of(origin, model), origin)
    settings = {
        "transforms": plan.transforms,
        "photos": _photos(options.photos),
        "second": _second(options.device),
        "seed": plan.seed,
    }
    if options.controls:
        report = _with_controls(model, plan, settings, options.seeds)
    else:
        image = cb.read_image(options.picture).image
        report = TrustReport(measure(model, image, plan.objective, **settings), {})
    if options.json:
        write_json({"file": options.picture, **report.as_dict(), "provenance": origin.as_dict()})
    else:
        for name, figures in {report.subject.subject: report.subject, **report.controls}.items():
            print(printable(name), *(f"  {line}" for line in figures.lines), sep="\n")
    return 0


def _of_one_picture(plan, origin):
    """The plan of one picture, be it one of a batch."""
    place = origin.settings["picture"]
    (_, term), *_ = plan.objective.terms
    if place is None and plan.parametrization.batch > 1:
        raise ClipbenchError("there are several pictures in the file; give the file of one")
    alone = replace(plan.parametrization, batch=1)
    objective = getattr(term, "objectives", {place: plan.objective})[place]
    return replace(plan, objective=objective, parametrization=alone)


def _with_controls(model, plan, settings: dict, seeds: int):
    from clipbench.studies import trust_controls

    def paint(goal, seed: int):
        return replace(plan, objective=goal, seed=seed).run(model)

    settings = {**settings, "photos": settings["photos"] or [sample.image for sample in cb.samples()]}
    stream = trust_controls(model, plan.objective, paint, seeds=seeds, **settings)
    *_, last = progress(stream, total=None, unit="step")
    return last.result


def _photos(folder: str | None) -> list | None:
    if folder is None:
        return None
    from clipbench.stimuli import picture_files

    return [cb.read_image(path).image for path in picture_files(folder)]


def _second(device: str | None):
    try:
        return cb.load(SECOND, device=device)
    except ClipbenchError as error:
        warn(f"no second network looked at the picture: {error}")
        return None
