"""`clipbench facets`: a unit painted in a row of facets, and what each facet has changed."""

import argparse

import clipbench as cb
from clipbench.cli.options import add_common, real, whole
from clipbench.cli.output import counted, printable, write_json, write_table
from clipbench.errors import ClipbenchError, unknown


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "facets",
        help="paint a unit in a row of facets, such as logo, face and text",
        description="Paint a unit without a facet and leaning towards each of some, from the same noise, and "
        "tell how much unit and how much of the theme there is in every picture, and in the plain one.",
    )
    parser.add_argument("unit", metavar="UNIT", help="layer:channel")
    parser.add_argument(
        "--facet", action="append", metavar="NAME", help="one of them; may be given several times"
    )
    parser.add_argument("--facets", metavar="DIR", help="a folder of facets (default: the shipped ones)")
    parser.add_argument("--strength", type=real, default=0.1, metavar="X", help="of each (default: 0.1)")
    parser.add_argument("--size", type=whole, default=112, metavar="N", help="pixels (default: 112)")
    parser.add_argument("--steps", type=whole, default=128, metavar="N", help="of each (default: 128)")
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="of the noise (default: 0)")
    parser.add_argument("--out", metavar="FILE.png", help="write the pictures there, side by side")
    add_common(parser)
    parser.set_defaults(run=facets)


def facets(options: argparse.Namespace) -> int:
    """Paint, save if asked to, and tell what was measured."""
    import numpy as np
    from PIL import Image

    from clipbench.optvis.facet_rows import facet_row
    from clipbench.optvis.themes import absent_facets
    from clipbench.results import check_path, save_png

    path = None if options.out is None else check_path(options.out, (".png",))
    model = cb.load(options.model, device=options.device)
    settings = {name: getattr(options, name) for name in ("strength", "size", "steps", "seed")}
    steps = facet_row(model, options.unit, _facets(options, model), **settings)
    found = [*counted(steps, " steps")][-1].result
    if path is not None:
        save_png(Image.fromarray(np.concatenate(list(found.images), axis=1)), path, found.provenance)
    if options.json:
        write_json({"pictures": found.cells(), "provenance": found.provenance.as_dict()})
        return 0
    cells = found.cells()
    write_table((*cells[0],), [[*row.values()] for row in cells])
    absent = {} if options.facets is not None else absent_facets(model)
    print("", *(f"no {name}: {reason}" for name, reason in absent.items()), sep="\n")
    print(printable(found.provenance.caption()))
    return 0


def _facets(options: argparse.Namespace, model) -> list:
    from clipbench.optvis.themes import facets_in, shipped_facets

    known = shipped_facets(model) if options.facets is None else facets_in(options.facets)
    if not known:
        raise ClipbenchError(f"no facet is shipped for {model.name}; train some, and give their folder")
    for name in options.facet or ():
        if name not in known:
            raise unknown("facet", name, known)
    return [known[name] for name in options.facet or known]
