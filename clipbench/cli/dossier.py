"""`clipbench dossier`: all that is known of a unit as one HTML file that opens anywhere."""

import argparse
from pathlib import Path

import clipbench as cb
from clipbench.cli.options import add_common
from clipbench.cli.output import counted, printable, write_json, write_table


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "dossier",
        help="write all that is known of a unit as one HTML file",
        description="Write all that is known of a unit, from what was swept into a store and from the "
        "model itself, as one HTML file that needs nothing else, with its data as JSON beside it. Finished "
        "sections are kept in FILE.parts, so that the same command goes on after a stop.",
    )
    parser.add_argument("unit", metavar="UNIT", help="layer:channel")
    parser.add_argument("--store", required=True, metavar="DIR", help="what `clipbench sweep` has made")
    parser.add_argument("--out", required=True, metavar="FILE.html", help="where the page goes")
    parser.add_argument(
        "--facet", action="append", default=[], metavar="FILE", help="a theme to show (default: the shipped)"
    )
    parser.add_argument("--labels", metavar="FILE", help="names that `clipbench labels --out` has written")
    parser.add_argument("--text", metavar="FILE", help="what `clipbench maximal-text UNIT --out` has written")
    add_common(parser)
    parser.set_defaults(run=dossier)


def dossier(options: argparse.Namespace) -> int:
    """Make the sections that are missing, and write the page."""
    from clipbench.optvis.themes import shipped_facets
    from clipbench.report import Desk, build, read_labels, stores_at
    from clipbench.results import check_path
    from clipbench.studies import MaximalText

    path = check_path(options.out, (".html",))
    model = cb.load(options.model, device=options.device)
    unit = cb.Unit.parse(options.unit, model)
    store, words = stores_at(options.store, model)
    facets = [cb.probes.load_facet(file) for file in options.facet] or [*shipped_facets(model).values()]
    kept = path.with_suffix(".parts")
    labels = read_labels(options.labels, model) if options.labels else {}
    label = {"label": labels[str(unit)].as_dict()} if str(unit) in labels else {}
    text = None if options.text is None else MaximalText.load(options.text)
    desk = Desk(model, unit, store, kept, words, facets, text, **label)
    *_, last = counted(build(desk, kept), "section")
    found = last.result
    found.save(path)
    if options.json:
        write_json({"file": str(path), "bytes": path.stat().st_size, **found.as_dict()})
        return 0
    rows = [(name, "-" if part is None else len(part.pictures)) for name, part in found.parts.items()]
    write_table(("section", "pictures"), rows)
    size = f"{path.stat().st_size / 2**20:.1f} MB"
    print(f"\n{printable(str(path))}: {found.title}, {size}; data in {Path(path).with_suffix('.json').name}")
    return 0
