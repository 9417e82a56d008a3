"""What builds a station wagon? A class of the control, the units below that carry it, and what they meet.

    python benchmarks/station_wagon.py PHOTOS [--unit logits:436] [--sheet FILE.png]

PHOTOS is a folder or a parquet table of photos; the more vehicles are among them, the better. Writes a sheet:
a row for each unit below, the picture painted for it, and the photos that excite it most, cut where they do.
"""

import argparse
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

import clipbench as cb
from clipbench.report import COARSE, Portraits
from clipbench.sweeps import Store

SIDE, PHOTOS, NAME = 112, 6, 130  # pixels of a picture, photos in a row, pixels for the name


def row(unit: cb.Unit, told: str, store: Store, portraits: Portraits) -> Image.Image:
    """A unit below: its name, its picture, its photos."""
    image = Image.new("RGB", (NAME + (PHOTOS + 1) * SIDE, SIDE), "white")
    ImageDraw.Draw(image).text((4, 4), told, fill="black")
    shown = [portraits.image(unit), *(store.crop(unit, photo) for photo in store.top(unit, PHOTOS).numbers)]
    for place, picture in enumerate(shown):
        image.paste(picture.resize((SIDE, SIDE)), (NAME + place * SIDE, 0))
    return image


def main() -> None:
    """Trace the circuit, print it, draw the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos")
    parser.add_argument("--unit", default="logits:436")
    parser.add_argument("--sheet", type=Path, default=Path("station_wagon.png"))
    options = parser.parse_args()
    control = cb.load("timm/tf_efficientnet_lite0", device="cpu")
    with tempfile.TemporaryDirectory() as place:
        list(cb.sweep(control, options.photos, ["conv_head", "logits"], store=Path(place) / "store"))
        store = Store.open(Path(place) / "store", control)
        order = store.top(options.unit, store.n).numbers
        images = [store.seen(photo) for photo in [*order[:8], *order[8 :: max(1, len(order) // 100)]]]
        found = cb.circuit(control, options.unit, images)
        portraits = Portraits(control, Path(place) / "pictures")
        units = [cb.Unit.parse(edge.unit, control) for edge in found.edges]
        for _ in portraits.paint(units, COARSE):
            pass
        rows = []
        for unit, edge in zip(units, found.edges, strict=True):
            told = f"{unit}\n{edge.effect:+.3f}\n{'confirmed' if edge.confirmed else 'not confirmed'}"
            rows.append(row(unit, told, store, portraits))
            print(told.replace("\n", " · "), *store.top(unit, PHOTOS).names, sep=" · ")
    sheet = Image.new("RGB", (rows[0].width, len(rows) * SIDE), "white")
    for place, image in enumerate(rows):
        sheet.paste(image, (0, place * SIDE))
    sheet.save(options.sheet)
    print(found.summary)


if __name__ == "__main__":
    main()
