"""`clipbench sweep`: show a model many pictures, and keep what all units of some layers say."""

import argparse

import clipbench as cb
from clipbench.cli.options import add_common, whole
from clipbench.cli.output import counted, printable, warn_of, write_json, write_table


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "sweep",
        help="show a model many pictures and keep what all units say",
        description="Show a model many pictures and keep what all units of some layers say. A sweep that was "
        "stopped or killed goes on when the same command is given again. A picture that cannot be read does "
        "not stop the others; the exit status is then 2.",
    )
    parser.add_argument(
        "images",
        nargs="+",
        metavar="IMAGES",
        help="a folder with pictures; or picture files, parquet tables and webdataset tars",
    )
    parser.add_argument("--store", required=True, metavar="DIR", help="a folder, or an address like s3://…")
    parser.add_argument(
        "--layer", action="append", metavar="L", help="may be given several times (default: the last layer)"
    )
    parser.add_argument(
        "--column", default="image", metavar="NAME", help="of tables, with the pictures (default: image)"
    )
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster whose workers do the work")
    parser.add_argument(
        "--block", type=whole, default=1024, metavar="N", help="pictures written at once (default: 1024)"
    )
    add_common(parser)
    parser.set_defaults(run=sweep)


def sweep(options: argparse.Namespace) -> int:
    """Sweep, and tell what the store holds then. Ctrl-C leaves what is written."""
    from clipbench.sweeps import Store

    images = options.images[0] if len(options.images) == 1 else options.images
    steps = cb.sweep(
        cb.load(options.model, device=options.device),
        images,
        options.layer,
        store=options.store,
        scheduler=options.scheduler,
        block=options.block,
        column=options.column,
    )
    *_, last = counted(steps, unit="image")
    store = Store.at(options.store, last.key)
    unread = {store.names[number]: reason for number, reason in store.unread.items()}
    warn_of([*unread.items()])
    layers = [(name, layer.channels, store.read_images(name)) for name, layer in store.layers.items()]
    if options.json:
        write_json(_document(store, layers, unread, last.resumed))
    else:
        write_table(("layer", "units", "images"), layers)
        print(f"\n{last.resumed} images were there before; {len(unread)} could not be read")
        print(f"{printable(str(options.store))}: {printable(store.title)}, {store.key}")
    return 2 if unread else 0


def _document(store, layers: list[tuple[str, int, int]], unread: dict[str, str], resumed: int) -> dict:
    return {
        "key": store.key,
        "images": store.n,
        "resumed": resumed,
        "layers": [{"layer": name, "units": units, "images": images} for name, units, images in layers],
        "unread": [{"name": name, "reason": reason} for name, reason in unread.items()],
        "provenance": store.provenance(store.last_layer).as_dict(),
    }
