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
    parser.add_argument("--out", metavar="FILE", help="write the table: .json, .csv or .parquet")
    add_common(parser)
    parser.set_defaults(run=medians)


def medians(options: argparse.Namespace) -> int:
    """Show the folder, and tell the medians, the largest first."""
    from clipbench.results import check_path
    from clipbench.studies.label_medians import LabelMedians, label_medians, labelled_files

    path = None if options.out is None else check_path(options.out, LabelMedians.endings)
    model = cb.load(options.model, device=options.device)
    steps = label_medians(model, labelled_files(options.folder), options.unit)
    result = [*counted(steps, " pictures")][-1].result
    if path is not None:
        result.save(path)
    if options.json:
        write_json(result.as_dict())
        return 0
    rows = [[*row.values()] for row in result.cells()]
    write_table(("label", "median, sd", "spread, sd", "photos"), rows)
    print(f"\n{printable(result.provenance.caption())}")
    if result.unread:
        warn(f"not readable: {len(result.unread)}, the first of them {result.unread[0]!r}")
    return 0
