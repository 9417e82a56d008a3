"""`clipbench maximal-text`: the phrase that a unit likes most, beside what chance finds."""

import argparse

import clipbench as cb
from clipbench.cli.options import add_common, real, whole
from clipbench.cli.output import counted, printable, write_json, write_table

_SHOWN = 10


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "maximal-text",
        help="look for the phrase that a unit likes most",
        description="Look for the phrase whose embedding fits best to what a unit adds to the model's own: a "
        "beam search over a vocabulary, in which unusual words are dear. The same search for random "
        "directions, random phrases and the best phrase drawn as a picture say how far to trust it.",
    )
    parser.add_argument("unit", metavar="UNIT", help="layer:channel")
    parser.add_argument(
        "--vocabulary", metavar="FILE", help="one word a line, common ones first (default: 4,000 shipped)"
    )
    parser.add_argument("--length", type=whole, default=3, metavar="N", help="words at most (default: 3)")
    parser.add_argument(
        "--penalty", type=real, default=0.0025, metavar="X", help="of a nat of surprise (default: 0.0025)"
    )
    parser.add_argument("--beam", type=whole, default=8, metavar="N", help="phrases kept (default: 8)")
    parser.add_argument("--reach", type=whole, default=64, metavar="N", help="words to add (default: 64)")
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="of the controls (default: 0)")
    parser.add_argument("--out", metavar="FILE.json", help="where to keep it, as for `clipbench dossier`")
    add_common(parser)
    parser.set_defaults(run=maximal_text)


def maximal_text(options: argparse.Namespace) -> int:
    """Search, keep what was found if asked to, and tell the best phrases and the controls."""
    from clipbench.results import check_path
    from clipbench.stimuli import read_words
    from clipbench.studies import look_for_text

    path = None if options.out is None else check_path(options.out, (".json",))
    vocabulary = None if options.vocabulary is None else read_words(options.vocabulary)
    model = cb.load(options.model, device=options.device)
    chosen = {name: getattr(options, name) for name in ("length", "penalty", "beam", "reach", "seed")}
    steps = look_for_text(model, options.unit, vocabulary=vocabulary, **chosen)
    found = [*counted(steps, " phrases")][-1].result
    if path is not None:
        found.save(path)
    if options.json:
        write_json(found.as_dict())
        return 0
    rows = [(one.text, one.score, one.cosine, one.surprise) for one in found.phrases[:_SHOWN]]
    rows += [(f"(random direction) {one.text}", one.score, one.cosine, one.surprise)
             for one in found.directions]  # fmt: skip
    write_table(("phrase", "score", "cosine", "surprise, nats"), rows)
    print("", *found.summary, printable(found.provenance.caption()), sep="\n")
    return 0
