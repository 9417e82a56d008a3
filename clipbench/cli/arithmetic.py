"""`clipbench arithmetic`: sums of pictures of words, photos and drawings."""

import argparse

import clipbench as cb
from clipbench.cli.options import add_common, positive
from clipbench.cli.output import counted, write_json, write_table


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "arithmetic",
        help="add and subtract pictures of words, photos and drawings, and tell what is nearest",
        description="The image tower's embeddings of written words, added and subtracted: --plus king,woman "
        '--minus man. Shipped photos and drawings are terms, too, such as photo:cat or "drawing:cat face". '
        "Told are the nearest of the article's 3,698 words, and of the photos and drawings.",
    )
    parser.add_argument("--plus", required=True, metavar="A,B,…", help="terms to add")
    parser.add_argument("--minus", default="", metavar="A,B,…", help="terms to take away")
    parser.add_argument(
        "--top", type=positive, default=10, metavar="N", help="of each kind to tell (default: 10)"
    )
    add_common(parser)
    parser.set_defaults(run=arithmetic)


def arithmetic(options: argparse.Namespace) -> int:
    """Embed words and pictures, and tell those nearest to the sum."""
    from clipbench.studies.word_arithmetic import (
        PICTURES,
        check_sum,
        known_images,
        known_words,
        only_words,
        word_space,
    )

    plus, minus = (
        [word.strip() for word in text.split(",") if word.strip()] for text in (options.plus, options.minus)
    )
    check_sum(plus, minus)
    model = cb.load(options.model, device=options.device)
    own = only_words([*plus, *minus])  # the first ones, so that one that cannot be drawn is told at once
    words = tuple(dict.fromkeys([*own, *known_words()]))
    space = [*counted(word_space(model, words, known_images()), " pictures")][-1].result
    nearest = space.nearest(plus, minus, options.top)
    pictures = space.nearest(plus, minus, options.top, PICTURES)
    if options.json:
        told = {"plus": plus, "minus": minus, "nearest": nearest, "pictures": pictures}
        write_json({**told, "provenance": space.provenance.as_dict()})
        return 0
    write_table(("word", "cosine"), nearest)
    print()
    write_table(("photo or drawing", "cosine"), pictures)
    print(f"\n{space.provenance.caption()}")
    return 0
