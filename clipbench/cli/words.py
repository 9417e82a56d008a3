"""`clipbench words`: the written words that excite a unit most and least."""

import argparse

import clipbench as cb
from clipbench.cli.options import add_common, positive
from clipbench.cli.output import counted, printable, warn_of, write_json, write_table


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "words",
        help="the written words that excite a unit most and least",
        description="Write words on a plain ground and tell which excite a unit most and least. The first "
        "time takes minutes, as all words are shown; what all units of the layer say is then kept.",
    )
    parser.add_argument("unit", metavar="UNIT", help="layer:channel")
    parser.add_argument("--top", type=positive, default=10, metavar="N", help="of each (default: 10)")
    parser.add_argument("--list", metavar="FILE", help="words, one a line (default: 10,772 shipped ones)")
    parser.add_argument(
        "--looks",
        action="store_true",
        help="also tell how far the unit says the same in other fonts, cases, sizes and places",
    )
    parser.add_argument("--store", metavar="DIR", help="where answers are kept (default: clipbench's cache)")
    add_common(parser)
    parser.set_defaults(run=words)


def words(options: argparse.Namespace) -> int:
    """Show the words if need be, and print the extremes."""
    from clipbench.cache import cache_home
    from clipbench.stimuli import common_words, read_words
    from clipbench.studies.words import changes, sample, taught_to, words_of
    from clipbench.sweeps import LOOKS, Words

    model = cb.load(options.model, device=options.device)
    unit = cb.Unit.parse(options.unit, model)
    listed = common_words() if options.list is None else read_words(options.list)
    place = cache_home() / "words.store" if options.store is None else options.store
    store = _swept(model, Words.of(listed), unit, place)
    warn_of([(store.names[number], reason) for number, reason in store.unread.items()])
    found = words_of(store, unit, options.top, taught_to(model))
    document = found.as_dict()
    if options.looks:
        looks = changes(_swept(model, Words.of(sample(listed), LOOKS), unit, place), unit)
        document["changes"] = [one.as_dict() for one in looks]
    if options.json:
        write_json(document)
    else:
        _print(document, found.provenance)
    return 0


def _swept(model, stimuli, unit, place):
    """The store of these words and this unit's layer, made or gone on with if need be."""
    *_, last = counted(cb.sweep(model, stimuli, [unit.layer], store=place), unit="word")
    return cb.Store.at(place, last.key)


def _print(document: dict, provenance) -> None:
    marks = {True: "", False: "never taught", None: ""}
    rows = [(one["word"], one["value"], one["sd"], marks[one["taught"]]) for one in document["most"]]
    rest = [(one["word"], one["value"], one["sd"], marks[one["taught"]]) for one in document["least"]]
    write_table(("most", "activation", "sd", ""), rows)
    print()
    write_table(("least", "activation", "sd", ""), rest)
    if document["changes"]:
        print()
        looks = [(one["look"], one["correlation"], *one["interval"]) for one in document["changes"]]
        write_table(("other look", "correlation", "from", "to"), looks)
    print(f"\n{printable(provenance.caption())}")
