"""Make clipbench/stimuli/photos and its part of NOTICE from the sources that scripts/samples.tsv names.

Usage:
    apt-get download gcompris-qt-data && dpkg -x gcompris-qt-data_*.deb gcompris
    pip install scikit-image scikit-learn
    python scripts/make_samples.py IN_THE_WILD_FOLDER gcompris

The column `frame` says what becomes a square: a number is the place, along the longer side, of the middle
of the square that is cut out (0 … 1); `pad` keeps the whole picture, on white; `trim` takes one pixel off
each side.
"""

import argparse
import csv
import io
import json
import re
import struct
import sys
import zlib
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from PIL import Image, ImageOps

ROOT = Path(__file__).parents[1]
PHOTOS = ROOT / "clipbench" / "stimuli" / "photos"
SIDE = 384  # as large as a panel shows a picture
ALLOWED = re.compile(r"public domain|CC0-1\.0|CC-BY(-SA)?-[1-4]\.[05]")
DISTILL = ("Gabriel Goh et al., Multimodal Neurons, Distill 2021", "CC-BY-4.0")
FLICKR = "https://www.flickr.com/photos"

# Author, licence, source, as scikit-image's documentation of skimage.data and scikit-learn's
# datasets/images/README.txt state them.
IN_WHEELS = {
    "coffee.png": ("Rachel Michetti", "CC0-1.0", "scikit-image, skimage.data.coffee"),
    "chelsea.png": ("Stefan van der Walt", "CC0-1.0", "scikit-image, skimage.data.chelsea"),
    "rocket.jpg": ("SpaceX", "public domain", f"{FLICKR}/spacexphotos/16511594820"),
    "astronaut.png": ("NASA", "public domain", "https://flic.kr/p/r9qvLn"),
    "china.jpg": ("danielbuechele", "CC-BY-2.0", f"{FLICKR}/danielbuechele/6061409035"),
    "flower.jpg": ("vultilion", "CC-BY-2.0", f"{FLICKR}/vultilion/6056698931"),
}
WHEELS = {"skimage": ("scikit-image", "skimage/data"), "sklearn": ("scikit-learn", "sklearn/datasets/images")}


@cache
def resources(path: Path) -> dict[str, bytes]:
    """Files in a Qt resource collection (.rcc, format versions 1 to 3), by path within it."""
    data = path.read_bytes()
    magic, version, tree, contents, names = struct.unpack_from(">4s4I", data)
    if magic != b"qres":
        sys.exit(f"{path} is not a Qt resource collection")
    node = 22 if version > 1 else 14  # bytes; since version 2 a node ends with its date
    files = {}

    def walk(index: int, folder: str) -> None:
        at = tree + index * node
        name_at, flags, first, second = struct.unpack_from(">IHII", data, at)
        length = struct.unpack_from(">H", data, names + name_at)[0]
        name = data[names + name_at + 6 :][: 2 * length].decode("utf-16-be") if index else ""
        if flags & 2:  # a folder: number of children, index of the first
            for child in range(second, second + first):
                walk(child, f"{folder}{name}/".lstrip("/"))
            return
        at = contents + second  # a file: country and language, place of its contents
        size = struct.unpack_from(">I", data, at)[0]
        body = data[at + 4 : at + 4 + size]
        if flags & 4:
            sys.exit(f"{path} is compressed with Zstandard, which this script does not read")
        files[folder + name] = zlib.decompress(body[4:]) if flags & 1 else body

    walk(0, "")
    return files


def credits(readme: str) -> dict[str, tuple[str, str, str]]:
    """Author, licence and source of each file that a README of GCompris speaks of."""
    found = {}
    for block in re.split(r"\n\s*\n", readme):
        said = dict(re.findall(r"^(Copyright|Source|License|Comments?): *(.+?) *$", block, re.MULTILINE))
        licence = said.get("License", "").replace(" ", "-").replace("Public-", "public ").lower()
        licence = "public domain" if licence == "public domain" else licence.upper()
        author, source = said.get("Copyright"), said.get("Source")
        if not source and (based := re.search(r"(based on .*), source at (\S+)", said.get("Comment", ""))):
            author, source = f"{author}, {based[1]}", based[2]
        for file in re.findall(r"(\S+\.webp)", block):
            found[file] = (author, licence, source)
    return found


def from_gcompris(folder: Path, collection: str, file: str) -> tuple[bytes, tuple[str, str, str]]:
    """One photo of GCompris with its credit: the README that lies nearest to it speaks of it."""
    files = resources(folder / "usr/share/gcompris-qt/rcc" / f"{collection}.rcc")
    path = next(path for path in files if path.endswith(f"/{file}"))
    folders = [name.removesuffix("README") for name in files if name.endswith("/README")]
    nearest = max((folder for folder in folders if path.startswith(folder)), key=len)
    return files[path], credits(files[nearest + "README"].decode())[path.removeprefix(nearest)]


def source_of(row: dict, wild: Path, gcompris: Path) -> tuple[bytes, tuple[str, str, str]]:
    """Bytes of a photo, and its author, licence and source."""
    file = row["file"]
    if row["origin"] == "wild":
        return (wild / file).read_bytes(), (*DISTILL, "https://distill.pub/2021/multimodal-neurons")
    if row["origin"] in WHEELS:
        wheel, folder = WHEELS[row["origin"]]
        return Path(distribution(wheel).locate_file(f"{folder}/{file}")).read_bytes(), IN_WHEELS[file]
    return from_gcompris(gcompris, row["origin"], file)


def square(image: Image.Image, frame: str) -> Image.Image:
    """Cut or pad to a square of at most `SIDE` pixels; nothing is enlarged."""
    if frame == "pad":
        side = min(SIDE, max(image.size))
        return ImageOps.pad(image, (side, side), color="white")
    if frame == "trim":
        return image.crop((1, 1, image.width - 1, image.height - 1))
    side = min(SIDE, *image.size)
    return ImageOps.fit(image, (side, side), centering=(float(frame), float(frame)))


def main() -> None:
    """Write the photos, their list and the part of NOTICE."""
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    parser.add_argument("in_the_wild", type=Path, help="folder with apple-blank.jpg, apple-ipod.jpg, …")
    parser.add_argument("gcompris", type=Path, help="folder into which gcompris-qt-data was unpacked")
    arguments = parser.parse_args()
    table = (ROOT / "scripts" / "samples.tsv").read_text(encoding="utf-8")
    PHOTOS.mkdir(exist_ok=True)
    for old in PHOTOS.iterdir():
        old.unlink()
    listed = []
    for row in csv.DictReader(table.splitlines(), delimiter="\t"):
        data, (author, licence, source) = source_of(row, arguments.in_the_wild, arguments.gcompris)
        if not ALLOWED.fullmatch(licence):
            sys.exit(f"{row['name']} is under {licence}, which may not be shipped")
        file = re.sub(r"\W+", "-", row["name"].lower()) + ".jpg"
        image = square(Image.open(io.BytesIO(data)).convert("RGB"), row["frame"])
        image.save(PHOTOS / file, quality=88, optimize=True)
        entry = {key: row[key] for key in ("name", "kind", "truth")}
        listed.append(entry | {"author": author, "licence": licence, "source": source, "file": file})
    text = json.dumps(listed, indent=1, ensure_ascii=False)
    (PHOTOS / "photos.json").write_text(text + "\n", encoding="utf-8")
    write_notice(listed)


def write_notice(listed: list[dict]) -> None:
    """Put the credits of the photos between the two marks in NOTICE."""
    lines = [f"{one['name']}: {one['author']}; {one['licence']}; {one['source']}" for one in listed]
    notice = ROOT / "NOTICE"
    before, begin, rest = notice.read_text(encoding="utf-8").partition("[photos: begin]\n")
    _, end, after = rest.partition("[photos: end]")
    if not end:
        sys.exit("NOTICE has no lines [photos: begin] and [photos: end] to write between")
    notice.write_text(before + begin + "\n".join(lines) + "\n" + end + after, encoding="utf-8")


if __name__ == "__main__":
    main()
