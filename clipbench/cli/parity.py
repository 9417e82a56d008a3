"""`clipbench parity`: every published number, recomputed where that is possible."""

import argparse

import clipbench as cb
from clipbench.cli.options import add_common
from clipbench.cli.output import counted, printable, write_json, write_table


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "parity",
        help="hold the article's published numbers against its records, and against RN50x4",
        description="The ledger of the article's numbers. What its records tell is recounted now; what takes "
        "RN50x4 is measured if --model is RN50x4-quickgelu/openai, and told as not run otherwise.",
    )
    parser.add_argument("--topic", metavar="NAME", help="print the entries of one topic, such as regions")
    parser.add_argument("--save", metavar="FILE", help="write what was found, as a small JSON file")
    parser.add_argument("--compare", metavar="FILE", help="print where a saved ledger differs from this one")
    add_common(parser, model=None, told="none, only the records")
    parser.set_defaults(run=parity)


def parity(options: argparse.Namespace) -> int:
    """Recompute, and print the counts, the entries of a topic, or the difference from a saved ledger."""
    from clipbench.errors import unknown
    from clipbench.parity import STATES, Ledger
    from clipbench.parity import parity as keep

    saved = None if options.compare is None else Ledger.load(options.compare)
    model = None if options.model is None else cb.load(options.model, device=options.device)
    ledger = [*counted(keep(model), " entries")][-1].result
    if options.topic is not None and options.topic not in ledger.topics:
        raise unknown("topic", options.topic, ledger.topics)
    if options.save is not None:
        ledger.save(options.save)
    pairs = () if saved is None else ledger.compare(saved)
    if options.json:
        differences = [{"here": own.as_dict(), "there": theirs.as_dict()} for own, theirs in pairs]
        write_json(ledger.as_dict() | ({} if saved is None else {"differences": differences}))
        return 0
    if saved is not None:
        _tell_differences(pairs, len(ledger.rows))
    elif options.topic is not None:
        _tell_topic([row for row in ledger.rows if row.claim.topic == options.topic])
    else:
        write_table(("topic", *STATES), [(topic, *own.values()) for topic, own in ledger.topics.items()])
    print()
    print(f"{ledger.summary}\n{printable(ledger.provenance.caption())}")
    return 0


def _tell_differences(pairs, entries: int) -> None:
    if pairs:
        rows = [
            (own.claim.key, own.state, _cell(own.found), theirs.state, _cell(theirs.found))
            for own, theirs in pairs
        ]
        write_table(("entry", "here", "found", "there", "found"), rows)
    print(f"{len(pairs)} of {entries} entries differ")


def _tell_topic(rows) -> None:
    cells = [
        (row.claim.what, _cell(row.claim.published), _cell(row.found), row.state, row.reason) for row in rows
    ]
    write_table(("entry", "published", "found", "state", "why"), cells)


def _cell(value) -> str | float | int | None:
    return ", ".join(value) if isinstance(value, tuple) else value
