"""`clipbench side-by-side`: units of two to four models that answer to the same pictures alike."""

import argparse

import clipbench as cb
from clipbench.cli.options import add_common, positive
from clipbench.cli.output import counted, printable, write_json, write_table
from clipbench.errors import ClipbenchError

_TAKEN = ("the picture", "with the word on it", "the word alone")


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "side-by-side",
        help="match the units of two to four models by what they answer",
        description="All models see the shipped photos, drawings and words; units of the first one's last "
        "layer are told with the unit of each other model that answers most alike, beside what chance gives, "
        "and for each thing how many multimodal units each model has. With --image and --text it is told "
        "instead what each model takes one picture for.",
    )
    parser.add_argument(
        "others", nargs="+", metavar="MODEL", help="one to three others, such as timm/tf_efficientnet_lite0"
    )
    parser.add_argument("--image", metavar="FILE", help="what do all take this picture for? with --text")
    parser.add_argument("--text", metavar="WORD", help="written on a paper tag on the picture, and alone")
    parser.add_argument("--top", type=positive, default=10, metavar="N", help="rows to tell (default: 10)")
    add_common(parser)
    parser.set_defaults(run=side_by_side)


def side_by_side(options: argparse.Namespace) -> int:
    """Show all models all pictures, and tell the units and the things that they have in common."""
    from clipbench.studies.side_by_side import match_units, measure_all, universality

    if (options.image is None) != (options.text is None):
        raise ClipbenchError("--image and --text go together; give both or neither")
    pictures = [] if options.image is None else _pictures(options.image, options.text)
    models = [cb.load(name, device=options.device) for name in (options.model, *options.others)]
    if pictures:
        return _tell_taken(models, pictures, options.json)
    results = [*counted(measure_all(models), " pictures")][-1].result
    matched = match_units(results)
    units, things = matched.best(options.top), universality(results)[: options.top]
    if options.json:
        write_json(_document(matched, units, things))
        return 0
    columns = [text for name in matched.models[1:] for text in (name, "correlation")]
    write_table((matched.models[0], *columns), [(unit, *sum(own, ())) for unit, own in units])
    print("\nMultimodal units for each thing:\n")
    write_table(("thing", *matched.models), [(one.concept, *one.counts) for one in things])
    print("", *matched.summary, *map(printable, matched.captions), sep="\n")
    return 0


def _pictures(path: str, text: str) -> list:
    """The picture, the same with a word on it, and the word alone."""
    image = cb.read_image(path).image
    return [image, cb.paper(image, text), cb.written(text)]


def _tell_taken(models, pictures, as_json: bool) -> int:
    from clipbench.studies.side_by_side import taken_for

    told = [*taken_for(models, pictures)][-1].result
    if as_json:
        document = {"pictures": _TAKEN, "taken for": {one.model: one.answers for one in told}}
        write_json({**document, "provenance": [one.provenance.as_dict() for one in told]})
        return 0
    rows = [
        (one.model, *(f"{label} {probability:.0%}" for label, probability in one.answers)) for one in told
    ]
    write_table(("model", *_TAKEN), rows)
    print("", *(printable(one.provenance.caption()) for one in told), sep="\n")
    return 0


def _document(matched, units, things) -> dict:
    others = zip(matched.models[1:], matched.above.tolist(), matched.chance.tolist(), strict=True)
    return {
        "units": [
            {
                "unit": unit,
                "partners": [{"unit": partner, "correlation": likeness} for partner, likeness in own],
            }
            for unit, own in units
        ],
        "others": [
            {"model": name, "above_chance": above, "chance": {"median": median, "95 of 100": high}}
            for name, above, (median, high) in others
        ],
        "things": {one.concept: dict(zip(matched.models, one.counts, strict=True)) for one in things},
        "recipe": matched.recipe,
        "seed": matched.seed,
        "provenance": [source.as_dict() for source in matched.sources],
    }
