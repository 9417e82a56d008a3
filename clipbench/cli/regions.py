"""`clipbench regions`: countries, flags and monuments that a unit answers to, beside a published unit."""

import argparse

import clipbench as cb
from clipbench.cli.options import add_common
from clipbench.cli.output import counted, write_json, write_table
from clipbench.errors import ClipbenchError
from clipbench.units import check_whole

_TOP = 10


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "regions",
        help="find the countries whose written names a unit answers to",
        description="The countries whose names, drawn as pictures, a unit answers to most, the flags and the "
        "monuments. --published names one of the article's 66 region units, such as RN50x4:862; without UNIT "
        "the nearest to it is told.",
    )
    parser.add_argument("unit", nargs="?", metavar="UNIT", help="layer:channel")
    parser.add_argument("--published", metavar="MODEL:UNIT", help="a published unit to put beside it")
    parser.add_argument("--cities", action="store_true", help="ask for 620 cities, too")
    add_common(parser)
    parser.set_defaults(run=regions)


def regions(options: argparse.Namespace) -> int:
    """Ask a layer for all countries, flags and monuments, and tell those of one unit."""
    from clipbench.studies.records import region_unit
    from clipbench.studies.region_pictures import region_answers
    from clipbench.studies.regions import country_names, place_names, strongest

    if options.unit is None and options.published is None:
        raise ClipbenchError("give a UNIT such as conv_head:550, or --published RN50x4:862, or both")
    published = None if options.published is None else region_unit(options.published)
    model = cb.load(options.model, device=options.device)
    unit = None if options.unit is None else check_whole(cb.Unit.parse(options.unit, model))
    layer = model.last_layer if unit is None else unit.layer
    asked = place_names() if options.cities else country_names()
    answers = [*counted(region_answers(model, asked, layer), " pictures")][-1].result
    found = answers.names
    likeness = None if published is None else found.only(country_names()).nearest(published.countries)
    channel = likeness[0] if unit is None else unit.channel
    own, sds = found.top(channel, _TOP), sorted(found.sds(channel).tolist(), reverse=True)[:_TOP]
    theirs = () if published is None else strongest(published, _TOP)[0]
    if options.json:
        document = {"unit": f"{layer}:{channel}", "places": dict(zip(own, sds, strict=True))}
        document |= {row.kind: dict(_top(row, channel)) for row in answers.rows}
        if published is not None:
            keys = ("nearest", "correlation", "chance")
            document["published"] = {"unit": published.label, "countries": theirs,
                                     **dict(zip(keys, likeness, strict=True))}  # fmt: skip
        write_json({**document, "provenance": answers.provenance.as_dict()})
        return 0
    header = [f"{layer}:{channel}", "sd"] + ([published.label] if published else [])
    rows = [
        (name, sd, *theirs[place : place + 1]) for place, (name, sd) in enumerate(zip(own, sds, strict=True))
    ]
    write_table(header, rows)
    for row in answers.rows:
        print()
        write_table((row.kind, "sd"), _top(row, channel))
    print(f"\n{answers.standing(channel)}")
    if likeness is not None:
        print(f"Nearest to {published.label} is {layer}:{likeness[0]}, correlation {likeness[1]:.2f}; "
              f"shuffled names reach {likeness[2]:.2f}.")  # fmt: skip
    print(answers.provenance.caption())
    return 0


def _top(row, channel: int) -> list[tuple[str, float]]:
    return [(name, sds) for name, _, sds in row.top(channel)]
