"""`clipbench models`, `clipbench layers` and `clipbench fetch`: what there is, and getting more."""

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import clipbench as cb
from clipbench.cli.options import add_common
from clipbench.cli.output import counted, printable, write_json, write_table
from clipbench.errors import unknown


def add(commands) -> None:
    """Add the three commands to the parser."""
    models = commands.add_parser(
        "models",
        help="list the models",
        description="List the models whose weights are on this machine; with --model, that one alone.",
    )
    models.add_argument("--all", action="store_true", help="list those that can be fetched, too")
    add_common(models, model=None, told="all that are here")
    models.set_defaults(run=list_models)
    layers = commands.add_parser(
        "layers",
        help="list the layers of a model",
        description="List the layers of a model in the order of the forward pass, and its heads.",
    )
    add_common(layers)
    layers.set_defaults(run=list_layers)
    fetch = commands.add_parser(
        "fetch",
        help="download weights, or the article's photos",
        description="Download the weights of a model, or the article's photos in the wild. No other command "
        "downloads anything.",
    )
    what = fetch.add_subparsers(title="what there is to download", required=True, metavar="WHAT")
    weights = what.add_parser("weights", help="the weights of a model")
    weights.add_argument("model", metavar="NAME", help="as `clipbench models --all` names it")
    weights.add_argument("--json", action="store_true", help="print one JSON document")
    weights.set_defaults(run=fetch_weights)
    wild = what.add_parser(
        "in-the-wild", help="the article's 171 photos of things with words on paper, CC-BY"
    )
    wild.add_argument("--to", metavar="DIR", help="the folder for them (default: clipbench's cache)")
    wild.add_argument("--json", action="store_true", help="print one JSON document")
    wild.set_defaults(run=fetch_photos)


def list_models(options: argparse.Namespace) -> int:
    """Print name, description and presence of models."""
    from clipbench.results import versions

    known = cb.available()
    shown = [
        one
        for one in known
        if one.name == options.model or not options.model and (options.all or one.present)
    ]
    if not shown:
        raise unknown("model", options.model, [one.name for one in known])
    card = cb.models.mini_card() if any(one.name == "mini" for one in shown) else None
    if options.json:
        listed = [{**asdict(one), "card": card if one.name == "mini" else None} for one in shown]
        write_json({"models": listed, "provenance": {"versions": versions()}})
        return 0
    rows = [(one.name, one.what, "yes" if one.present else "no") for one in shown]
    write_table(("name", "what", "present"), rows)
    if card:
        print()
        print(*_told(card, whole=options.model == "mini"), sep="\n")
    return 0


def _told(card: dict, whole: bool) -> Iterator[str]:
    """A card in a line; with `whole`, a line for each figure before it."""
    figures = card["figures"]
    if whole:
        yield from (f"{one['told']}  {one['what']}" for one in figures)
        yield ""
    aims = [one["reached"] for one in figures if one["reached"] is not None]
    yield f"mini, weights {card['weights_hash']}: {sum(aims)} of {len(aims)} targets are reached"
    if card["note"]:
        yield card["note"]


def list_layers(options: argparse.Namespace) -> int:
    """Print name, channels and stride of a model's layers, and its heads apart."""
    model = cb.load(options.model, device=options.device)
    provenance = cb.Provenance(
        model.name, model.weights_hash, recipe="layers in the order of the forward pass"
    )
    if options.json:
        layers, heads = ([asdict(one) for one in kind.values()] for kind in (model.layers, model.heads))
        write_json({"layers": layers, "heads": heads, "provenance": provenance.as_dict()})
        return 0
    write_table(
        ("layer", "channels", "stride"),
        [(one.name, one.channels, one.stride) for one in model.layers.values()],
    )
    print()
    write_table(("head", "channels"), [(one.name, one.channels) for one in model.heads.values()])
    print()
    print(provenance.caption())
    return 0


def fetch_weights(options: argparse.Namespace) -> int:
    """Load a model, downloading its weights if they are not here yet."""
    model = cb.load(options.model, device="cpu", download=True)
    provenance = cb.Provenance(model.name, model.weights_hash, recipe="weights on this machine")
    if options.json:
        write_json({"provenance": provenance.as_dict()})
        return 0
    print(f"{model.name} is on this machine: weights {model.weights_hash}")
    return 0


def fetch_photos(options: argparse.Namespace) -> int:
    """Download those of the article's photos that are not here yet."""
    from clipbench.attacks.wild import CREDIT, fetch_wild, home
    from clipbench.results import versions

    folder = home() if options.to is None else Path(options.to)
    *_, last = counted(fetch_wild(folder), unit="photo")
    if options.json:
        document = {"folder": str(folder), "photos": last.done, "fetched": last.fetched, "credit": CREDIT}
        write_json({**document, "provenance": {"versions": versions()}})
        return 0
    print(f"{last.done} photos are in {printable(str(folder))}, {last.fetched} of them fetched now; {CREDIT}")
    return 0
