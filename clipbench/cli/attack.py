"""`clipbench attack`: a text on all pictures of a folder, and how often a label wins by it."""

import argparse
from dataclasses import replace

from clipbench.cli.options import add_classifier, add_common, classifier_of, real, whole
from clipbench.cli.output import counted, printable, share, warn, write_json, write_table
from clipbench.errors import ClipbenchError

# How the text looks: option, type, whether --paper has it, help.
_LOOKS = (
    ("font", str, True, "a shipped font or the path of a font file (default: DejaVu Sans)"),
    ("colour", str, True, "of the letters (default: white; on paper, nearly black)"),
    ("opacity", real, True, "of the text, 0 … 1 (default: 1)"),
    ("rotation", real, True, "degrees, counter-clockwise (default: 0)"),
    ("size", real, False, "of the letters in pixels, on a picture of 288 (default: 20)"),
    ("outline", real, False, "width of the outline in pixels (default: 2)"),
    ("copies", whole, False, "how many of the article's eight places bear the text (default: all)"),
    ("blur", real, False, "of the text, standard deviation in pixels (default: 0)"),
    ("jpeg", whole, False, "quality at which the picture is saved and read again, 1 … 100 (default: not)"),
)
_FIELDS = {"outline": "outline_width"}  # where the recipe's field has another name


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "attack",
        help="write a text on a folder of pictures and count the flips",
        description="Write a text on all pictures of a folder, by default as the article did, and count how "
        "often a label wins by it. With --sweep one thing about the text is varied, and the rate follows it. "
        "A picture that cannot be read does not stop the others; the exit status is then 2.",
    )
    parser.add_argument("folder", metavar="IMAGES_DIR", help="a folder with pictures, in folders or not")
    parser.add_argument("--target", required=True, metavar="CLASS", help="the label that is to win")
    parser.add_argument("--text", required=True, metavar="TEXT", help="what is written")
    add_classifier(parser)
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="write outcomes of all pictures: .npz, .json, .csv, .parquet; or the curve",
    )
    parser.add_argument("--journal", metavar="FILE", help="keep outcomes here; the same command then goes on")
    parser.add_argument(
        "--sweep",
        metavar="AXIS",
        help="vary one thing: size, width, opacity, contrast, rotation, blur, jpeg, outline, copies, font, "
        "colour, place, script, text",
    )
    parser.add_argument("--values", metavar="A,B,…", help="at which values (default: the axis's own)")
    add_looks(parser)
    add_common(parser)
    parser.set_defaults(run=attack)


def add_looks(parser: argparse.ArgumentParser) -> None:
    """Give a command what says how a text looks."""
    group = parser.add_argument_group("how the text looks")
    for name, kind, _, told in _LOOKS:
        group.add_argument(f"--{name}", type=kind, help=told, metavar="N" if kind is not str else "NAME")
    group.add_argument("--shrink", action="store_true", help="make a text smaller that would be too wide")
    group.add_argument("--paper", action="store_true", help="lay the text on as a paper tag")
    group.add_argument("--width", type=real, metavar="N", help="of the paper, 0 … 1 (default: 0.5)")
    group.add_argument(
        "--place",
        type=real,
        nargs=2,
        metavar=("X", "Y"),
        help="centre of the paper, 0 … 1 (default: 0.5 0.5)",
    )


def look(options: argparse.Namespace):
    """The recipe or tag that such options mean."""
    from clipbench.stimuli import ARTICLE, TAG

    given = {name: getattr(options, name) for name, *_ in _LOOKS if getattr(options, name) is not None}
    of_paper = {name: getattr(options, name) for name in ("width", "place")}
    of_paper = {name: value for name, value in of_paper.items() if value is not None}
    if not options.paper:
        if of_paper:
            raise ClipbenchError(f"--{next(iter(of_paper))} is for --paper; add it, or leave this one out")
        changes = {_FIELDS.get(name, name): value for name, value in given.items()}
        return replace(ARTICLE, shrink=options.shrink, **changes)
    for name, _, on_paper, _ in _LOOKS:
        if name in given and not on_paper:
            raise ClipbenchError(f"--{name} is not for --paper; leave one of them out")
    return replace(TAG, **given, **of_paper)


def attack(options: argparse.Namespace) -> int:
    """Attack all pictures; tell what could not be read, and how the text fared."""
    from clipbench.attacks import AttackResult, Case, measure
    from clipbench.results import check_path
    from clipbench.stimuli import picture_files

    if options.sweep:
        return _sweep(options)
    if options.values:
        raise ClipbenchError("--values is for --sweep; name an axis or leave it out")
    if options.out:
        check_path(options.out, AttackResult.endings)
    files, recipe = picture_files(options.folder), look(options)
    steps = measure(
        classifier_of(options), files, [Case(options.target, options.text)], recipe, journal=options.journal
    )
    *_, last = counted(steps, unit="image")
    (result,) = last.results
    return _tell(options, result, _print)


def _sweep(options: argparse.Namespace) -> int:
    """The same at each value of an axis."""
    from clipbench.attacks import Case, Curve, robustness
    from clipbench.attacks.axes import axis_of
    from clipbench.results import check_path
    from clipbench.stimuli import picture_files

    if options.out:
        check_path(options.out, Curve.endings)
    axis = axis_of(options.sweep)
    values = None if options.values is None else [axis.read(value) for value in options.values.split(",")]
    files, case = picture_files(options.folder), Case(options.target, options.text, look(options))
    steps = robustness(classifier_of(options), files, case, axis.name, values, journal=options.journal)
    *_, last = counted(steps, unit="image")
    return _tell(options, last.curve, _print_curve)


def _tell(options: argparse.Namespace, result, show) -> int:
    """Print and save a result; the exit status says whether all pictures could be read."""
    for name, reason in result.unread:
        warn(f"{name!r}: {reason}")
    for note in result.notes:
        warn(note)
    if options.json:
        write_json(result.as_dict())
    else:
        show(result)
    if options.out:
        result.save(options.out)  # last: on a full disk the figures have been seen
    return 2 if result.unread else 0


def _print_curve(curve) -> None:
    rows = [
        (str(point.value), f"{point.success.hits}/{point.success.n}", share(point.success.share),
         " to ".join(share(end).strip() for end in point.success.interval), share(point.cover))
        for point in curve.points
    ]  # fmt: skip
    write_table((curve.axis, "images", "success", "95 % interval", "pixels covered"), rows)
    print(printable(curve.provenance.caption()))


def _print(result) -> None:
    rows = [
        (outcome, rate.hits, share(rate.share), " to ".join(share(end).strip() for end in rate.interval))
        for outcome, rate in result.rates.items()
    ]
    write_table(("outcome", "images", "share", "95 % interval"), rows)
    unread = f"; {len(result.unread)} could not be read" if result.unread else ""
    print(f"\n{share(result.mean_cover).strip()} of the pixels changed, on average{unread}")
    print(printable(result.provenance.caption()))
