"""`clipbench side-by-side`: units of two models that answer to the same pictures alike."""

import argparse

import clipbench as cb
from clipbench.cli.options import add_common, whole
from clipbench.cli.output import counted, write_json, write_table


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "side-by-side",
        help="match the units of two models by what they answer",
        description="Both models see the shipped photos, drawings and words; each unit of the first one's "
        "last layer is told with the unit of the other that answers most alike, beside what chance gives.",
    )
    parser.add_argument("other", metavar="MODEL", help="the other model, such as timm/tf_efficientnet_lite0")
    parser.add_argument("--top", type=whole, default=10, metavar="N", help="pairs to tell (default: 10)")
    add_common(parser)
    parser.set_defaults(run=side_by_side)


def side_by_side(options: argparse.Namespace) -> int:
    """Show both models all pictures, and tell the pairs that are most alike."""
    from clipbench.studies.known_pictures import shown
    from clipbench.studies.side_by_side import match_units

    models = [cb.load(name, device=options.device) for name in (options.model, options.other)]
    seen = [[*counted(shown(model), " pictures")][-1] for model in models]
    result = match_units(*seen)
    best = (-result.likeness).argsort(kind="stable")[: options.top].tolist()
    rows = [(unit, int(result.partners[unit]), float(result.likeness[unit])) for unit in best]
    if options.json:
        pairs = [dict(zip(("unit", "partner", "correlation"), row, strict=True)) for row in rows]
        chance = dict(zip(("median", "95 of 100"), result.chance.tolist(), strict=True))
        document = {"pairs": pairs, "above_chance": result.above, "chance": chance}
        write_json({**document, "provenance": result.provenance.as_dict()})
        return 0
    write_table((models[0].name, models[1].name, "correlation"), rows)
    print(f"\n{result.summary}\n{result.provenance.caption()}")
    return 0
