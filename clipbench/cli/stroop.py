"""`clipbench stroop`: the names of colours in other colours, and which of the two a model names."""

import argparse

import clipbench as cb
from clipbench.cli.options import add_common, real
from clipbench.cli.output import printable, write_json, write_table


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "stroop",
        help="names of colours in other colours: does the model name the word or the ink?",
        description="The article's Stroop test: 8 words in 8 inks. Its conflicts count only if the model "
        "names the ink of a neutral word, and colours whose name is written in them.",
    )
    parser.add_argument("--opacity", type=real, default=1, metavar="N", help="of the ink, 0 … 1 (default: 1)")
    add_common(parser)
    parser.set_defaults(run=stroop)


def stroop(options: argparse.Namespace) -> int:
    """Ask, and print the answers: a row for each ink, a column for each word."""
    from clipbench.attacks.stroop_effect import INKS, WORDS

    result = cb.stroop(cb.load(options.model, device=options.device), opacity=options.opacity)
    if options.json:
        write_json(result.as_dict())
        return 0
    rows = [(ink, *row) for ink, row in zip(INKS, result.answers, strict=True)]
    write_table(("ink \\ word", *WORDS), rows)
    print(f"\n{result.summary}".replace("\xa0", " "))
    print(printable(result.provenance.caption()))
    return 0
