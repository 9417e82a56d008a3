"""`clipbench pretrain`: make the embedded model from public parts."""

import argparse
from dataclasses import asdict, replace

from clipbench.cli.options import whole
from clipbench.cli.output import write_json


def add(commands) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "pretrain",
        help="make the embedded model",
        description="Make the embedded model from ImageNet weights, drawings, fonts, words and photos; a run "
        "that was stopped goes on when the same command is given again.",
    )
    parser.add_argument("photos", nargs="+", metavar="PHOTOS", help="folder, or parquet file")
    parser.add_argument("--out", required=True, metavar="DIR", help="for checkpoints, the log and the model")
    parser.add_argument("--fonts", metavar="DIR", help="where to look for fonts (default: the system's)")
    parser.add_argument(
        "--drawings",
        action="append",
        default=[],
        metavar="DIR",
        help="further drawings of emoji, SVG files named by code points; can be given more than once",
    )
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="of every draw (default: 0)")
    parser.add_argument(
        "--smoke", action="store_true", help="two minutes that try every part; no use as a model"
    )
    parser.add_argument("--device", metavar="NAME", help="cpu, cuda, mps … (default: the best there is)")
    parser.add_argument("--json", action="store_true", help="print one JSON document at the end")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train, and print a line for each progress."""
    from clipbench import pretrain
    from clipbench.pretrain.fonts import SYSTEM

    recipe = replace(pretrain.SMOKE if options.smoke else pretrain.Recipe(), seed=options.seed)
    last = {}
    fonts = SYSTEM if options.fonts is None else options.fonts
    stream = pretrain.pretrain(recipe, options.photos, options.out, fonts, options.device, options.drawings)
    for progress in stream:
        last[progress.stage] = asdict(progress)
        if not options.json:
            losses = "  ".join(f"{name} {value:.3f}" for name, value in progress.losses.items())
            rate = f"{progress.rate:.2f} a second" if progress.rate else "read"
            print(f"{progress.stage} {progress.step} of {progress.steps}  {rate}  {losses}", flush=True)
    if options.json:
        write_json({"stages": last, "recipe": asdict(recipe), "recipe_hash": recipe.hash})
    else:
        print(f"the model lies in {options.out} (recipe {recipe.hash})")
    return 0
