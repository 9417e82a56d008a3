"""`clipbench search` and `clipbench labels`: from a text to units, and from units to names."""

import argparse

import clipbench as cb
from clipbench.cli.options import add_common, positive, whole
from clipbench.cli.output import printable, write_json, write_table


def add(commands) -> None:
    """Add both commands to the parser."""
    search = commands.add_parser(
        "search",
        help="the units that answer to a text",
        description="Find units by a text, by three scores that do not know of each other: what a unit adds "
        "to the text's cosine, what its photos have to do with it, and what it says to the written text.",
    )
    search.add_argument("text", metavar="TEXT", help='a noun phrase, as in "a photo of a TEXT"')
    search.add_argument("--store", required=True, metavar="DIR", help="what `clipbench sweep` made")
    search.add_argument("--layer", metavar="L", help="default: the last layer")
    search.add_argument("--top", type=positive, default=10, metavar="N", help="how many units (default: 10)")
    add_common(search)
    search.set_defaults(run=find)
    labels = commands.add_parser(
        "labels",
        help="a name for every unit of a layer, or none",
        description="Name every unit of a layer by the agreement of three scores, and judge each name by "
        "photos that the naming has not seen; a name that is no better than chance there, or that fits "
        "many other units better, is left out.",
    )
    labels.add_argument("layer", metavar="LAYER", help="a layer that was swept")
    labels.add_argument("--store", required=True, metavar="DIR", help="what `clipbench sweep` made")
    labels.add_argument("--names", metavar="FILE", help="names, one a line (default: ImageNet's thousand)")
    labels.add_argument("--out", metavar="FILE", help="write the table as .csv or .parquet")
    labels.add_argument("--seed", type=whole, default=0, metavar="N", help="of the halving (default: 0)")
    add_common(labels)
    labels.set_defaults(run=name)


def find(options: argparse.Namespace) -> int:
    """Search, and print the units with their places in the three scores."""
    from clipbench.studies.unit_search import SCORES

    model = cb.load(options.model, device=options.device)
    layer = model.last_layer if options.layer is None else options.layer
    found = cb.search_units(model, options.text, cb.Store.open(options.store, model), layer, top=options.top)
    if options.json:
        write_json(found.as_dict())
        return 0
    rows = [(one.unit, one.votes, *one.ranks) for one in found.matches]
    write_table(("unit", "votes", *(f"place by {score}" for score in SCORES)), rows)
    print(f"\n{printable(found.text)!r} among {found.units} units; a vote is a place in the first hundredth")
    print(printable(found.provenance.caption()))
    return 0


def name(options: argparse.Namespace) -> int:
    """Name all units, and print or write the names."""
    from clipbench.models import imagenet_labels
    from clipbench.results import check_path
    from clipbench.stimuli import read_words
    from clipbench.tables import ENDINGS

    if options.out:
        check_path(options.out, ENDINGS)
    model = cb.load(options.model, device=options.device)
    names = imagenet_labels() if options.names is None else read_words(options.names)
    store = cb.Store.open(options.store, model)
    found = cb.label_units(model, names, store, options.layer, model=model, seed=options.seed)
    if options.out:
        found.save(options.out)
    if options.json:
        write_json(found.as_dict())
        return 0
    named = [one for one in found.labels if one.label is not None]
    rows = [(one.unit, one.label, one.votes, one.auc, one.clarity) for one in named]
    if rows:
        write_table(("unit", "label", "votes", "auc", "clarity"), sorted(rows, key=lambda row: -row[3]))
    print(f"\n{len(named)} of {len(found.labels)} units have a name")
    print(printable(found.provenance.caption()))
    return 0
