"""`clipbench regions`: the countries that a unit answers to, and a published unit to compare with."""

import argparse

import clipbench as cb
from clipbench.cli.options import add_common
from clipbench.cli.output import counted, write_json, write_table
from clipbench.errors import ClipbenchError

_TOP = 10


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "regions",
        help="find the countries whose written names a unit answers to",
        description="The countries whose names, drawn as pictures, a unit answers to most. --published names "
        "one of the article's 66 region units, such as RN50x4:862; without UNIT the nearest to it is told.",
    )
    parser.add_argument("unit", nargs="?", metavar="UNIT", help="layer:channel")
    parser.add_argument("--published", metavar="MODEL:UNIT", help="a published unit to put beside it")
    parser.add_argument("--cities", action="store_true", help="ask for 620 cities, too")
    add_common(parser)
    parser.set_defaults(run=regions)


def regions(options: argparse.Namespace) -> int:
    """Ask a layer for all countries, and tell those of one unit."""
    from clipbench.studies.records import region_unit
    from clipbench.studies.regions import country_names, place_names, strongest
    from clipbench.studies.written_names import names

    if options.unit is None and options.published is None:
        raise ClipbenchError("give a UNIT such as conv_head:550, or --published RN50x4:862, or both")
    published = None if options.published is None else region_unit(options.published)
    model = cb.load(options.model, device=options.device)
    unit = None if options.unit is None else cb.Unit.parse(options.unit, model)
    layer = model.last_layer if unit is None else unit.layer
    asked = place_names() if options.cities else country_names()
    found = [*counted(names(model, asked, layer), " pictures")][-1].result
    likeness = None if published is None else found.only(country_names()).nearest(published.countries)
    channel = likeness[0] if unit is None else unit.channel
    own, sds = found.top(channel, _TOP), sorted(found.sds(channel).tolist(), reverse=True)[:_TOP]
    theirs = () if published is None else strongest(published, _TOP)[0]
    if options.json:
        document = {"unit": f"{layer}:{channel}", "places": dict(zip(own, sds, strict=True))}
        if published is not None:
            keys = ("nearest", "correlation", "chance")
            document["published"] = {"unit": published.label, "countries": theirs,
                                     **dict(zip(keys, likeness, strict=True))}  # fmt: skip
        write_json({**document, "provenance": found.provenance.as_dict()})
        return 0
    header = [f"{layer}:{channel}", "sd"] + ([published.label] if published else [])
    rows = [
        (name, sd, *theirs[place : place + 1]) for place, (name, sd) in enumerate(zip(own, sds, strict=True))
    ]
    write_table(header, rows)
    if likeness is not None:
        print(f"\nNearest to {published.label} is {layer}:{likeness[0]}, correlation {likeness[1]:.2f}; "
              f"shuffled names reach {likeness[2]:.2f}.")  # fmt: skip
    print(found.provenance.caption())
    return 0
