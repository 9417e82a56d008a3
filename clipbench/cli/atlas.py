"""`clipbench atlas`: all units of a layer as a page to browse."""

import argparse
from pathlib import Path

import clipbench as cb
from clipbench.cli.options import add_common
from clipbench.cli.output import printable, write_json


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "atlas",
        help="write all units of a layer as a page to browse",
        description="Write all units of a layer as a page to browse, with filter and map: photos first, then "
        "a coarse picture of every unit. The same command goes on after a stop, and adds what --refine asks "
        "for.",
    )
    parser.add_argument("layer", metavar="LAYER", help="as `clipbench layers` names it")
    parser.add_argument("--store", required=True, metavar="DIR", help="what `clipbench sweep` has made")
    parser.add_argument("--out", required=True, metavar="DIR", help="a folder; open its index.html")
    parser.add_argument(
        "--refine",
        action="append",
        default=[],
        metavar="UNIT",
        help="give this unit a fine picture and a page of its own; may be repeated",
    )
    parser.add_argument("--labels", metavar="FILE", help="names that `clipbench labels --out` has written")
    parser.add_argument(
        "--facet", action="append", default=[], metavar="FILE", help="show this theme, too; may be repeated"
    )
    add_common(parser)
    parser.set_defaults(run=atlas)


def atlas(options: argparse.Namespace) -> int:
    """Make what is missing."""
    from tqdm import tqdm

    from clipbench.report import atlas, read_labels, stores_at

    model = cb.load(options.model, device=options.device)
    units = [cb.Unit.parse(unit, model) for unit in options.refine]
    store, words = stores_at(options.store, model)
    facets = [cb.probes.load_facet(file) for file in options.facet]
    labels = read_labels(options.labels, model) if options.labels else {}
    more = {"words": words, "labels": labels, "facets": facets, "refine": units}
    stages = atlas(model, options.layer, store, Path(options.out), **more)
    with tqdm(unit="unit", disable=None, leave=False) as bar:
        for step in stages:
            bar.set_description(step.stage, refresh=False)
            bar.total, bar.n = step.total, round(step.done)
            bar.update(0)
    told = {"page": str(step.page), "units": step.total, "words": words is not None, "photos": store.n}
    if options.json:
        write_json({**told, "provenance": store.provenance(options.layer).as_dict()})
        return 0
    print(f"{printable(str(step.page))}: {step.total} units of {options.layer}; open it in a browser")
    return 0
