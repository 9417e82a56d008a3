"""The figures of mini's model card, and the card made of them.

    python benchmarks/mini_card.py PHOTOS... [--run DIR] --label "stage 1" [--in-the-wild DIR]
    python benchmarks/mini_card.py --write

The first measures a model, prints its figures and writes them into results/mini_card_LABEL.json. PHOTOS is
what `clipbench pretrain` was given: its own split tells which of them no training saw. DIR is what it wrote;
without it the embedded mini is measured. What is missing, a package or a folder, is told and skipped.

The second makes MODEL_CARD.md of all that was measured, and the card beside the embedded weights of what was
measured of them.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from card.attacks import article_figures, wild_figures
from card.costs import cost_figures
from card.document import RESULTS, write_card
from card.drawn import drawing_figures
from card.figure import Figure, Shuffled, of_chance
from card.photos import photo_figures
from card.reading import reading_figures
from card.setting import Setting, setting
from card.texts import text_figures
from card.units import best_units, unit_count, unit_figures
from card.zero_shot import zero_shot_figures
from machine import machine

import clipbench as cb
from clipbench.models.card import CONFIG, MINI, WEIGHTS
from clipbench.pretrain.photos import TRAIN

# What depends on the texts falls to chance when they are shuffled; all of it does with random weights.
PARTS: dict[str, Callable[[Setting], Iterator[Figure]]] = {
    "photos": photo_figures,
    "zero-shot": zero_shot_figures,
    "reading": reading_figures,
    "drawings": drawing_figures,
    "texts": text_figures,
    "article": article_figures,
    "wild": wild_figures,
}
CONTROLLED = 200  # pictures behind a figure of a control


def measured(parts: dict, only: list[str] | None) -> tuple[list[Figure], list[dict]]:
    """The figures of all parts, or some, and what could not be measured, with the reason."""
    figures, skipped = [], []
    for subject, part in parts.items():
        if only and subject not in only:
            continue
        start = time.perf_counter()
        try:
            for figure in part():
                print(line(figure), flush=True)
                figures.append(figure)
        except cb.ClipbenchError as error:
            skipped.append({"subject": subject, "why": str(error)})
            print(f"| {subject} | skipped: {error} | | |")
        print(f"{subject}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
    return figures, skipped


def line(figure: Figure) -> str:
    """A figure as a row of a table."""
    verdict = {True: "reached", False: "short", None: ""}[figure.reached]
    return f"| {figure.what} | {figure.told} | {of_chance(figure.chance, figure.unit)} | {verdict} |"


def measure(options: argparse.Namespace) -> dict:
    """All figures of a model and of its two controls, with all particulars."""
    source = options.run or options.checkpoint or MINI
    folder = source if source.is_dir() else MINI
    model = cb.load(options.model, checkpoint=source, device="cpu")
    recipe = json.loads((folder / CONFIG).read_text()).get("recipe")
    found = setting(model, options.photos, options.gcompris, options.in_the_wild, options.most)
    if recipe != found.recipe.hash:
        print(f"made by recipe {recipe}, measured on the texts of {found.recipe.hash}", file=sys.stderr)
    parts = {subject: lambda part=part: part(found) for subject, part in PARTS.items()}
    parts["units"] = lambda: unit_figures(found)
    parts["costs"] = lambda: cost_figures(source, folder / WEIGHTS if source.is_dir() else source)
    start = time.perf_counter()
    figures, skipped = measured(parts, options.only)
    named = best_units(found) if any(figure.key == "units/count" for figure in figures) else []
    controls = {} if options.without_controls else controlled(found, folder, options.only)
    return {
        "label": options.label,
        "model": model.name,
        "weights_hash": model.weights_hash,
        "recipe": recipe,
        "seed": 0,
        "about": about(found),
        "figures": [figure.as_dict() for figure in figures],
        "best_units": named,
        "skipped": skipped,
        "controls": controls,
        "most": options.most,
        "seconds": round(time.perf_counter() - start),
        "machine": machine("clipbench", "torch", "open_clip_torch", "timm", "pillow", "emoji", "wordfreq"),
    }


def controlled(found: Setting, folder: Path, only: list[str] | None) -> dict[str, list[dict]]:
    """The figures with the text tower shuffled, and with random weights."""
    few = replace(found, most=min(found.most, CONTROLLED))
    chaos = replace(few, model=cb.load("mini/random", checkpoint=folder, device="cpu"))
    kinds = {"text tower shuffled": replace(few, model=Shuffled(found.model)), "random weights": chaos}
    figures = {}
    for kind, one in kinds.items():
        print(f"| **{kind}** | | | |")
        parts = {subject: lambda part=part, one=one: part(one) for subject, part in PARTS.items()}
        if one is chaos:
            parts["units"] = lambda: iter([unit_count(chaos)])
        own, _ = measured(parts, only)
        figures[kind] = [figure.as_dict() for figure in own if not figure.key.endswith("-control")]
    return figures


def about(found: Setting) -> dict[str, object]:
    """What the card tells of the model besides figures."""
    known, network = found.known, found.model.network
    counts = [f"{len(source.photos):,} of {source.side} px" for source in found.sources]
    return {
        "image_size": found.model.image_size,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "units": found.model.layer(found.model.last_layer).channels,
        "embedding": network.text_projection.shape[1],
        "context": network.context_length,
        "tokens": network.vocab_size,
        "words": len(known.words),
        "hidden": len(known.hidden),
        "drawings": len(known.drawings),
        "texts": len(known.texts),
        "photos": " and ".join(counts),
        "photos_trained": sum(len(source.of(TRAIN)) for source in found.sources),
        "control": found.control.name,
        "control_hash": found.control.weights_hash,
    }


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("photos", nargs="*", help="folders or parquet files of photos")
    parser.add_argument("--write", action="store_true", help="make the card of what was measured")
    measured = parser.add_mutually_exclusive_group()
    measured.add_argument("--run", type=Path, metavar="DIR", help="a folder that `clipbench pretrain` wrote")
    measured.add_argument("--checkpoint", type=Path, help="other weights for the embedded configuration")
    parser.add_argument("--model", default="mini", choices=["mini", "mini/random"])
    parser.add_argument("--label", default="embedded", help='such as "stage 1"')
    parser.add_argument(
        "--gcompris", type=Path, default=Path("/"), help="where gcompris-qt-data was unpacked"
    )
    parser.add_argument(
        "--in-the-wild", type=Path, help="the article's photos: apple-blank.jpg, apple-ipod.jpg, …"
    )
    parser.add_argument("--most", type=int, default=1000, help="pictures behind a figure")
    parser.add_argument("--only", nargs="+", help="some parts alone, to try them; nothing is written")
    parser.add_argument("--without-controls", action="store_true")
    return parser


def main() -> None:
    """Measure, or write the card."""
    options = arguments().parse_args()
    try:
        if options.write:
            return write_card()
        print("| what | value (95 %), n | chance | target |\n|---|---|---|---|")
        found = measure(options)
    except cb.ClipbenchError as error:
        sys.exit(str(error))
    if not options.only:
        path = RESULTS / f"mini_card_{re.sub(r'[^a-z0-9]+', '_', options.label.lower())}.json"
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
