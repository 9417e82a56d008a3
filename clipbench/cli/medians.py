"""`clipbench medians`: what a unit answers to the photos of each label."""

import argparse

import clipbench as cb
from clipbench.cli.options import add_common
from clipbench.cli.output import counted, printable, warn, write_json, write_table


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "medians",
        help="tell a unit's median answer to the photos of each label",
        description="A folder with a subfolder for each label, such as a person, is shown to the model; told "
        "is the median answer of a unit to each, as in the article's figure of eleven people.",
    )
    parser.add_argument("folder", metavar="IMAGES_DIR", help="a folder of folders")
    parser.add_argument("unit", metavar="UNIT", help="layer:channel")
    add_common(parser)
    parser.set_defaults(run=medians)


def medians(options: argparse.Namespace) -> int:
    """Show the folder, and tell the medians, the largest first."""
    from clipbench.studies.label_medians import label_medians

    model = cb.load(options.model, device=options.device)
    result = [*counted(label_medians(model, options.folder, options.unit), " pictures")][-1].result
    columns = (result.labels, result.medians.tolist(), result.deviations.tolist(), result.counts.tolist())
    rows = [*zip(*columns, strict=True)][::-1]
    if options.json:
        header = ("label", "median", "deviation", "photos")
        told = [dict(zip(header, row, strict=True)) for row in rows]
        write_json({"labels": told, "unread": result.unread, "provenance": result.provenance.as_dict()})
        return 0
    write_table(("label", "median, sd", "spread, sd", "photos"), rows)
    print(f"\n{printable(result.provenance.caption())}")
    if result.unread:
        warn(f"not readable: {len(result.unread)}, the first of them {result.unread[0]!r}")
    return 0
