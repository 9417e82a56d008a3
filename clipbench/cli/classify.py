"""`clipbench classify`: what pictures show to a model, before and after a text is laid on them."""

import argparse
from collections.abc import Callable
from dataclasses import replace

import clipbench as cb
from clipbench.cli.options import add_common, real
from clipbench.cli.output import printable, share, warn, write_json, write_table
from clipbench.errors import ClipbenchError

_LOOKS = {"size": ("overlay",), "width": ("paper",), "place": ("paper",), "opacity": ("overlay", "paper")}
_OWN = 5  # how many of a model's own classes are shown


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "classify",
        help="ask what pictures show, before and after a text is laid on them",
        description="Ask a model what pictures show, before and after a text is laid on them. A picture that "
        "cannot be read does not stop the others; the exit status is then 2.",
    )
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="a picture file")
    parser.add_argument(
        "--labels",
        metavar="A,B,…",
        help="what to choose from; in a timm/… model a label stands for all classes that contain it, and "
        f"without labels its {_OWN} most likely classes are shown",
    )
    parser.add_argument(
        "--template",
        action="append",
        metavar="TEXT",
        help='sentence with {} for the label (default: "a photo of a {}"); several are averaged',
    )
    text = parser.add_mutually_exclusive_group()
    text.add_argument("--overlay", metavar="TEXT", help="print this text on the picture as the article did")
    text.add_argument("--paper", metavar="TEXT", help="lay a paper tag with this text on the picture")
    looks = parser.add_argument_group("how the text looks")
    looks.add_argument("--size", type=real, metavar="PX", help="of printed letters, on 288 px (default: 20)")
    looks.add_argument("--width", type=real, metavar="SHARE", help="of the paper, 0 … 1 (default: 0.5)")
    looks.add_argument("--place", type=real, nargs=2, metavar=("X", "Y"), help="centre of the paper, 0 … 1")
    looks.add_argument("--opacity", type=real, metavar="SHARE", help="of text or paper, 0 … 1 (default: 1)")
    add_common(parser)
    parser.set_defaults(run=classify)


def classify(options: argparse.Namespace) -> int:
    """Ask about each picture; one that cannot be read gets its sentence and does not stop the others."""
    from clipbench.classify import before_after

    model = cb.load(options.model, device=options.device)
    labels, template = _question(options, model)
    change, lay = _text(options)
    entries, results, unread = [], [], []
    for path in options.images:
        try:
            photo = cb.read_image(path)
        except ClipbenchError as error:
            warn(str(error))
            unread.append({"image": path, "error": str(error)})
            continue
        for note in photo.notes:
            warn(f"{photo.name!r}: {note}")
        changed = lay(photo.image)
        results.append(before_after(model, photo.image, changed, labels, template, change))
        entries.append(_entry(path, photo, changed, results[-1], shown=_OWN if labels is None else None))
        if not options.json:
            _print(entries[-1], with_text=bool(change))
    if results:
        _conclude(options, entries, unread, results)
    return 2 if unread else 0


def _question(options: argparse.Namespace, model) -> tuple[list[str] | None, str | list[str]]:
    """Labels and template as `before_after` takes them."""
    from clipbench.classify import TEMPLATE

    if options.template and isinstance(model, cb.models.VisionModel):
        raise ClipbenchError(f"{model.name} has no text tower that could read a template; leave it out")
    labels = None if options.labels is None else options.labels.split(",")
    templates = options.template or [TEMPLATE]
    return labels, templates[0] if len(templates) == 1 else templates


def _text(options: argparse.Namespace) -> tuple[str, Callable]:
    """What is done to a picture: in words for the provenance, and as a function."""
    from clipbench.stimuli import ARTICLE, TAG

    looks = [look for look in _LOOKS if getattr(options, look) is not None]
    if options.overlay is not None:
        recipe = replace(ARTICLE, **_changes(options, looks, "overlay"))
        return f'"{options.overlay}", {recipe}', lambda image: cb.overlay(image, options.overlay, recipe)
    if options.paper is not None:
        tag = replace(TAG, **_changes(options, looks, "paper"))
        return f'"{options.paper}", {tag}', lambda image: cb.paper(image, options.paper, tag)
    if looks:
        raise ClipbenchError(f"--{looks[0]} says how a text looks; give one with --overlay or --paper")
    return "", lambda image: image


def _changes(options: argparse.Namespace, looks: list[str], kind: str) -> dict:
    """How the text is wanted to look other than by default."""
    for look in looks:
        if kind not in _LOOKS[look]:
            raise ClipbenchError(f"--{look} is for --{_LOOKS[look][0]}, not for --{kind}; leave it out")
    return {look: getattr(options, look) for look in looks}


def _entry(path: str, photo, changed, result, shown: int | None) -> dict:
    """One picture's part of the document; the labels shown come by the larger of their two probabilities."""
    from clipbench.stimuli import cover

    columns = (result.labels, result.before.tolist(), result.after.tolist())
    rows = [{"label": label, "before": old, "after": new} for label, old, new in zip(*columns, strict=True)]
    rows.sort(key=lambda row: max(row["before"], row["after"]), reverse=True)
    before, after = result.winners
    return {
        "image": path,
        "before": before,
        "after": after,
        "flipped": result.flipped,
        "cover": cover(photo.image, changed),
        "labels": rows[:shown],
        "own": result.own,
        "notes": photo.notes,
    }


def _print(entry: dict, with_text: bool) -> None:
    print(printable(entry["image"]))
    if with_text:
        rows = [(row["label"], share(row["before"]), share(row["after"])) for row in entry["labels"]]
        write_table(("label", "before", "after"), rows)
        verdict = "{before} became {after}" if entry["flipped"] else "still {after}"
        print(
            f"{printable(verdict.format(**entry))}; {share(entry['cover']).strip()} of the pixels changed\n"
        )
    else:
        rows = [(row["label"], share(row["before"])) for row in entry["labels"]]
        write_table(("label", "probability"), rows)
        print()


def _conclude(options: argparse.Namespace, entries: list, unread: list, results: list) -> None:
    """The document, or the line below the tables."""
    missing = results[0].missing
    if missing:
        warn(f"{options.model} has no class for {', '.join(missing)}; left out")
    provenance = replace(results[0].provenance, n=len(results))
    if options.json:
        write_json(
            {"images": entries, "unread": unread, "missing": missing, "provenance": provenance.as_dict()}
        )
    else:
        print(provenance.caption())
