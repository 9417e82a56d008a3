"""`clipbench emotions`: words of feeling as sums of units, and what one unit answers to."""

import argparse

import clipbench as cb
from clipbench.cli.options import add_common, real
from clipbench.cli.output import counted, write_json, write_table
from clipbench.errors import ClipbenchError
from clipbench.units import check_whole


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "emotions",
        help="tell which units a word of feeling is a sum of",
        description="Sparse codes of the 126 words of the article's feeling wheel, and of those among WORD "
        "that are not on it; printed are the codes of WORD, and the article's where it has one. With --unit "
        "it is told instead to which faces, bodies and words a unit answers most.",
    )
    parser.add_argument("words", nargs="*", metavar="WORD", help="such as jealous")
    parser.add_argument("--unit", metavar="UNIT", help="layer:channel; without words")
    parser.add_argument(
        "--detail", type=real, default=5.0, metavar="X", help="more means more units (default: 5)"
    )
    add_common(parser)
    parser.set_defaults(run=emotions)


def emotions(options: argparse.Namespace) -> int:
    """Code words, or ask a unit."""
    if bool(options.words) == (options.unit is not None):
        raise ClipbenchError("give words such as jealous, or --unit such as conv_head:550, and not both")
    return _code(options) if options.unit is None else _ask(options)


def _ask(options: argparse.Namespace) -> int:
    """Show a layer faces, bodies and words, and tell those of one unit."""
    from clipbench.studies.feeling_rows import feeling_rows

    model = cb.load(options.model, device=options.device)
    unit = check_whole(cb.Unit.parse(options.unit, model))
    found = [*counted(feeling_rows(model, unit.layer), " pictures")][-1].result
    told = {row.kind: [(name, sds) for name, _, sds in row.top(unit.channel)] for row in found.rows}
    if options.json:
        rows = {kind: dict(own) for kind, own in told.items()}
        write_json({"unit": str(unit), **rows, "provenance": found.provenance.as_dict()})
        return 0
    for kind, own in told.items():
        write_table((kind, "sd"), own)
        print()
    print(found.standing(unit.channel), found.provenance.caption(), sep="\n")
    return 0


def _code(options: argparse.Namespace) -> int:
    """Code all words, and tell some."""
    from clipbench.models import ClipModel
    from clipbench.studies.emotions import codes, published_codes, text_units, wheel_words

    model = cb.load(options.model, device=options.device)
    if not isinstance(model, ClipModel):
        raise ClipbenchError(f"{model.name} has no text tower; choose a CLIP such as mini")
    words = tuple(dict.fromkeys([*wheel_words(), *options.words]))
    found = [*counted(codes(model, words, detail=options.detail), " words")][-1].result
    published, without = published_codes(), text_units()
    told = {word: found.code(word) for word in options.words}
    theirs = {word: published.code(word, without=without) if word in published.words else None
              for word in options.words}  # fmt: skip
    if options.json:
        write_json({"codes": told, "published": theirs, "provenance": found.provenance.as_dict()})
        return 0
    rows = [(word, _sum(told[word], {}), _sum(theirs[word] or (), published.names)) for word in options.words]
    write_table(("word", f"in {found.layer} of {model.name}", "published, in RN50x4"), rows)
    print(f"\n{found.provenance.caption()}")
    return 0


def _sum(code: tuple, names: dict[int, str]) -> str:
    """Such as "1.00 · 2083 Celebration + 1.00 · 2478 Shocked"."""
    terms = [f"{share:.2f} · {unit} {names.get(unit, '')}".strip() for unit, share in code]
    return " + ".join(terms) or "no unit"
