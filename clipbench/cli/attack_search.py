"""`clipbench attack-search`: which text makes a label win most often?"""

import argparse

from clipbench.cli.attack import add_looks, look
from clipbench.cli.options import add_classifier, add_common, classifier_of, whole
from clipbench.cli.output import printable, progress, share, warn, write_json, write_table


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "attack-search",
        help="look for the text that makes a label win most often",
        description="Look for the text that makes a label win most often, on every second picture of a "
        "folder, and tell how the best ones fare on the others, beside the label's own name. A picture that "
        "cannot be read does not stop the others; the exit status is then 2.",
    )
    parser.add_argument("folder", metavar="IMAGES_DIR", help="a folder with pictures, in folders or not")
    parser.add_argument("--target", required=True, metavar="CLASS", help="the label that is to win")
    parser.add_argument(
        "--vocabulary", metavar="FILE", help="texts to try, one a line (default: short names of ImageNet's)"
    )
    parser.add_argument(
        "--method",
        action="append",
        metavar="NAME",
        help='"brute force", "units" or "edits" (default: all, one after the other)',
    )
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="of the edits tried (default: 0)")
    parser.add_argument("--out", metavar="FILE", help="write the texts: .json, .csv, .parquet")
    add_classifier(parser)
    add_looks(parser)
    add_common(parser)
    parser.set_defaults(run=search)


def search(options: argparse.Namespace) -> int:
    """Search, and print the texts in their order."""
    from clipbench import attacks
    from clipbench.results import check_path
    from clipbench.stimuli import picture_files, read_words

    if options.out:
        check_path(options.out, attacks.SearchResult.endings)
    files = picture_files(options.folder)
    words = None if options.vocabulary is None else read_words(options.vocabulary)
    recipe = look(options)
    steps = attacks.search(
        classifier_of(options), files, options.target, words, options.method, recipe, options.seed
    )
    *_, last = progress(steps, total=None, unit="round")
    result = last.result
    for name, reason in result.unread:
        warn(f"{name!r}: {reason}")
    if options.json:
        write_json(result.as_dict())
    else:
        _print(result)
    if options.out:
        result.save(options.out)  # last: on a full disk the figures have been seen
    return 2 if result.unread else 0


def _print(result) -> None:
    rows = [
        (one.text, share(one.success.share), f"{one.success.hits}/{one.success.n}",
         f"+{one.gained} -{one.lost}", ", ".join(one.methods))
        for one in result.found
    ]  # fmt: skip
    write_table(("text", "success", "photos", "against own name", "found by"), rows)
    print()
    rows = [
        (method, passes, result.best_of[method].text, share(result.best_of[method].success.share))
        for method, passes in result.passes.items()
    ]
    write_table(("search", "pictures encoded", "its best text", "success"), rows)
    better, sure = len(result.better), len(result.surely_better)
    verdict = f"{better} texts do better than" if better else "no text does better than"
    certain = f", {sure} of them beyond luck" if better else ""
    print(f"\n{verdict} {printable(repr(result.target))} itself{certain}; on pictures no search has seen")
    print(printable(result.provenance.caption()))
