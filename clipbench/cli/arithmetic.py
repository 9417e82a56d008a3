"""`clipbench arithmetic`: sums of pictures of words."""

import argparse

import clipbench as cb
from clipbench.cli.options import add_common, whole
from clipbench.cli.output import counted, write_json, write_table


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "arithmetic",
        help="add and subtract pictures of words, and tell the nearest words",
        description="The image tower's embeddings of written words, added and subtracted: --plus king,woman "
        "--minus man. The nearest of the article's 3,698 words are told.",
    )
    parser.add_argument("--plus", required=True, metavar="A,B,…", help="words to add")
    parser.add_argument("--minus", default="", metavar="A,B,…", help="words to take away")
    parser.add_argument("--top", type=whole, default=10, metavar="N", help="words to tell (default: 10)")
    add_common(parser)
    parser.set_defaults(run=arithmetic)


def arithmetic(options: argparse.Namespace) -> int:
    """Embed the words, and tell those nearest to the sum."""
    from clipbench.studies.word_arithmetic import known_words, word_space

    plus, minus = (
        [word.strip() for word in text.split(",") if word.strip()] for text in (options.plus, options.minus)
    )
    model = cb.load(options.model, device=options.device)
    words = tuple(dict.fromkeys([*known_words(), *plus, *minus]))
    space = [*counted(word_space(model, words), " words")][-1].result
    found = space.nearest(plus, minus, options.top)
    if options.json:
        write_json({"plus": plus, "minus": minus, "nearest": found, "provenance": space.provenance.as_dict()})
        return 0
    write_table(("word", "cosine"), found)
    print(f"\n{space.provenance.caption()}")
    return 0
