"""`clipbench circuit`: which units of the layer below build a unit, checked by taking them away."""

import argparse

import clipbench as cb
from clipbench.cli.options import add_common, whole
from clipbench.cli.output import counted, write_json, write_table


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "circuit",
        help="find the units below that build a unit, and take each away",
        description="Find the units of the layer below that build a unit, by the network linearised at the "
        "photos that excite it most, and hold each at its mean to see what the unit really loses.",
    )
    parser.add_argument("unit", metavar="UNIT", help="layer:channel, or layer:channel@row,column")
    parser.add_argument(
        "images", nargs="?", metavar="IMAGES_DIR", help="a folder with pictures (default: the shipped photos)"
    )
    parser.add_argument("--lower", metavar="LAYER", help="the layer below (default: the one before)")
    parser.add_argument("--edges", type=whole, default=8, metavar="N", help="units to take away (default: 8)")
    parser.add_argument("--top", type=whole, default=8, metavar="N", help="photos to look at (default: 8)")
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="of the random units (default: 0)")
    add_common(parser)
    parser.set_defaults(run=circuit)


def circuit(options: argparse.Namespace) -> int:
    """Trace, and tell the edges."""
    from clipbench.stimuli import picture_files
    from clipbench.studies import trace

    model = cb.load(options.model, device=options.device)
    if options.images is None:
        images = [sample.image for sample in cb.samples()]
    else:
        images = [cb.read_image(file).image for file in picture_files(options.images)]
    chosen = {name: getattr(options, name) for name in ("lower", "edges", "top", "seed")}
    *_, last = counted(trace(model, options.unit, images, **chosen), "unit")
    found = last.result
    if options.json:
        write_json(found.as_dict())
        return 0
    rows = [
        (
            edge.unit,
            float(edge.predicted.mean()),
            edge.effect,
            f"{edge.agreeing.hits} of {edge.agreeing.n}",
            "yes" if edge.confirmed else "no",
        )
        for edge in found.edges
    ]
    write_table(("unit below", "predicted", "measured", "photos that agree", "confirmed"), rows)
    print(f"\n{found.summary}\n{found.provenance.caption()}")
    return 0
