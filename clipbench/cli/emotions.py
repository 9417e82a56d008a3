"""`clipbench emotions`: words of feeling as sums of units, beside the article's."""

import argparse

import clipbench as cb
from clipbench.cli.options import add_common, real
from clipbench.cli.output import counted, write_json, write_table
from clipbench.errors import ClipbenchError


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "emotions",
        help="tell which units a word of feeling is a sum of",
        description="Sparse codes of the 126 words of the article's feeling wheel, and of those among WORD "
        "that are not on it; printed are the codes of WORD, and the article's where it has one.",
    )
    parser.add_argument("words", nargs="+", metavar="WORD", help="such as jealous")
    parser.add_argument(
        "--detail", type=real, default=5.0, metavar="X", help="more means more units (default: 5)"
    )
    add_common(parser)
    parser.set_defaults(run=emotions)


def emotions(options: argparse.Namespace) -> int:
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
