"""`clipbench conditional`: how often each label is found at each activation of a unit."""

import argparse
from dataclasses import replace

import clipbench as cb
from clipbench.cli.options import add_common, whole
from clipbench.cli.output import counted, printable, share, write_json, write_table
from clipbench.units import check_whole


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "conditional",
        help="tell how often each label is found at each activation of a unit",
        description="Draw pictures evenly over a unit's whole range of activations, before its ReLU, and "
        "tell how often each label is among them at each, and how many of a label's pictures lie there.",
    )
    parser.add_argument("unit", metavar="UNIT", help="layer:channel")
    parser.add_argument(
        "--store",
        metavar="DIR",
        help="pictures that `clipbench sweep` was shown; the folder of each is its label (default: the "
        "shipped photos, drawings and words, which are told apart)",
    )
    parser.add_argument("--buckets", type=whole, default=10, metavar="N", help="of equal width (default: 10)")
    parser.add_argument("--each", type=whole, default=50, metavar="N", help="drawn from each (default: 50)")
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="of the drawing (default: 0)")
    add_common(parser)
    parser.set_defaults(run=conditional)


def conditional(options: argparse.Namespace) -> int:
    """Take the activations, from a store if one is given, and tell the shares of each bucket."""
    from clipbench.studies.conditional import of_store

    model = cb.load(options.model, device=options.device)
    unit = check_whole(cb.Unit.parse(options.unit, model))
    settings = {name: getattr(options, name) for name in ("buckets", "each", "seed")}
    if options.store is None:
        found = _shipped(model, unit, settings)
    else:
        found = of_store(cb.Store.open(options.store, model), unit, **settings)
    if options.json:
        write_json(found.as_dict())
        return 0
    sds = found.sds.tolist()
    rows = [
        (low, high, total, *("-" if total == 0 else share(value) for value in own))
        for low, high, total, own in zip(
            sds[:-1], sds[1:], found.totals.tolist(), found.shares.T.tolist(), strict=True
        )
    ]
    write_table(("from, sd", "to, sd", "pictures", *found.labels), rows)
    print("\nRecall, of each label's pictures those at the left edge and above:\n")
    recall = zip(sds[:-1], *found.recall.tolist(), strict=True)
    write_table(("from, sd", *found.labels), [(low, *map(share, own)) for low, *own in recall])
    print(f"\n{printable(found.provenance.caption())}")
    return 0


def _shipped(model, unit, settings):
    """Of the pictures in the package, which are shown to the model."""
    from clipbench.studies.conditional import known
    from clipbench.studies.known_pictures import known_pictures, shown

    *_, seen = counted(shown(model, unit.layer), " pictures")
    labels = [label for _, label in known_pictures()]
    told = replace(seen.provenance, unit=str(unit))
    return known(seen.answers[:, unit.channel], labels, told, **settings)[1]
