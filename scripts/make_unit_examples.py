"""Remake what "One unit, everything" and "All units" open with, after a change of the model.

Sweeps the shipped photos and words, compiles the page of the unit whose favourite photo stands out most, or
of the one that is named, and paints a small picture of every unit: a quarter of an hour on two cores.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from tqdm import tqdm

import clipbench as cb
from clipbench.report import Desk, build, stores_at
from clipbench.report.overview import mapped, overview
from clipbench.report.portraits import COARSE, Portraits
from clipbench.stimuli import common_words, read_words
from clipbench.sweeps import Words, sweep
from widgets import dossier, unit_source
from widgets.stores import photo_files


def swept(model, layer: str, words: list[str], folder: Path):
    """Photos and words of the example."""
    for stimuli in (photo_files(), Words.of(words)):
        for _ in tqdm(sweep(model, stimuli, [layer], store=folder / "store"), desc="sweep"):
            pass
    return stores_at(folder / "store", model)


def make_wall(model, layer: str, store, words, folder: Path) -> None:
    """The overview, and a small picture of every unit, all in one JPEG."""
    told = mapped(overview(layer, store, words), store, words)
    portraits = Portraits(model, folder / "pictures")
    units = [cb.Unit(layer, channel) for channel in range(told.units)]
    for _ in tqdm(portraits.paint(units, COARSE), desc="pictures"):
        pass
    tile, columns = unit_source.TILE, unit_source.COLUMNS
    wall = Image.new("RGB", (columns * tile, -(-told.units // columns) * tile))
    for unit in units:
        small = portraits.image(unit).resize((tile, tile), Image.Resampling.LANCZOS)
        row, column = divmod(unit.channel, columns)
        wall.paste(small, (column * tile, row * tile))
    unit_source.EXAMPLE.mkdir(parents=True, exist_ok=True)
    wall.save(unit_source.EXAMPLE / "wall.jpg", quality=80)
    told.save(unit_source.EXAMPLE / "overview.npz")


def make_page(model, unit: cb.Unit, store, words, folder: Path) -> None:
    """The sections of one unit's page."""
    shutil.rmtree(dossier.EXAMPLE, ignore_errors=True)
    desk = Desk(model, unit, store, folder, words=words)
    for step in build(desk, dossier.EXAMPLE):
        print(f"\r{step.section} {step.done} of {step.total}    ", end="", flush=True)
    print(f"\n{step.result.title}")


def main() -> None:
    """Make both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--unit", metavar="UNIT", help="whose page is made")
    parser.add_argument("--words", metavar="FILE", help="a word a line (default: the 10,772 shipped ones)")
    options = parser.parse_args()
    model = cb.load("mini", device="cpu")
    layer = model.last_layer
    listed = read_words(options.words) if options.words else list(common_words())
    with tempfile.TemporaryDirectory() as place:
        store, words = swept(model, layer, listed, Path(place))
        best = int(overview(layer, store, words).ordered("spread")[0])
        unit = cb.Unit.parse(options.unit or f"{layer}:{best}", model)
        make_page(model, unit, store, words, Path(place))
        make_wall(model, layer, store, words, Path(place))


if __name__ == "__main__":
    main()
