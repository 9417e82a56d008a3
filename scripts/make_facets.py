"""Train the facets that are shipped for mini, and say which themes did not pass; run it when mini changes.

    npm pack simple-icons && tar xf simple-icons-*.tgz           # CC0, becomes the folder package/
    pip download --no-deps scikit-image && unzip -j scikit_image-*.whl 'skimage/data/lfw_subset.npy'
    pip install '.[pretrain]'
    python scripts/make_facets.py PHOTOS.parquet… --icons package --faces lfw_subset.npy

PHOTOS have the columns `image` (bytes of a picture) and `name` (its class, as open_clip spells ImageNet's).
A theme whose pictures are not given, or that a layer tells wrong too often, is absent, with a sentence.
Nothing of a picture is kept but the weights.
"""

import argparse
import io
import json
import random
from collections import Counter
from collections.abc import Iterable
from itertools import cycle
from pathlib import Path

import numpy as np
from PIL import Image
from pyarrow.parquet import read_table
from resvg_py import svg_to_bytes

import clipbench as cb
from clipbench.errors import ClipbenchError
from clipbench.optvis.probes import Facet, train_facet
from clipbench.optvis.themes import FACETS, write_facets
from clipbench.stimuli.drawings import WRITTEN_IN

CLASSES = Path(__file__).with_name("facet_classes.json")  # theme -> classes whose photos show it
LAYERS = ("blocks.4", "blocks.5")  # below the last layer, as the article's are
MOST = 250  # pictures of either kind; more change little
EACH = 10  # photos of one class in one file
SIDE = 144  # pixels of a drawn logo, as of the shipped drawings
FACE_SIDE = 25  # pixels of a face in scikit-image's subset of Labeled Faces in the Wild

Pictures = list[Image.Image]


def photos(paths: Iterable[Path]) -> dict[str, Pictures]:
    """Class -> some of its photos."""
    by_class: dict[str, Pictures] = {}
    for path in paths:
        seen: Counter[str] = Counter()
        for row in read_table(path, columns=["image", "name"]).to_pylist():
            seen[row["name"]] += 1
            if seen[row["name"]] <= EACH:
                image = Image.open(io.BytesIO(row["image"])).convert("RGB")
                by_class.setdefault(row["name"], []).append(image)
    return by_class


def logos(folder: Path) -> Pictures:
    """Company logos of simple-icons, each in its own colour on white."""
    rows = json.loads((folder / "data" / "simple-icons.json").read_text(encoding="utf-8"))
    return [_logo(folder / "icons" / f"{row['slug']}.svg", f"#{row['hex']}") for row in _some(rows)]


def _logo(path: Path, colour: str) -> Image.Image:
    png = svg_to_bytes(svg_path=str(path), width=SIDE, height=SIDE)
    shape = Image.open(io.BytesIO(bytes(png))).convert("RGBA").getchannel("A")
    logo = Image.new("RGB", (2 * SIDE, 2 * SIDE), "white")
    logo.paste(colour, (SIDE // 2, SIDE // 2), shape)
    return logo


def faces(file: Path) -> tuple[Pictures, Pictures]:
    """Faces, and pieces of pictures that are none, as scikit-image gives them: the first half are faces."""
    grey = np.load(file, allow_pickle=False)
    shown = [Image.fromarray(np.uint8(255 * each)).convert("RGB") for each in grey]
    return shown[: len(shown) // 2], shown[len(shown) // 2 :]


def as_small(image: Image.Image) -> Image.Image:
    """A picture as coarse and as grey as the faces are, so that neither gives a face away."""
    return image.resize((FACE_SIDE, FACE_SIDE)).convert("L").convert("RGB")


def themes(options: argparse.Namespace) -> dict[str, tuple[Pictures, Pictures] | str]:
    """Theme -> its pictures and those of its background, or why there are none."""
    by_class = photos(options.photos)
    every = [image for images in by_class.values() for image in images]
    drawn = [image for concept in cb.concepts() for image in concept.drawings]
    fonts = cycle(WRITTEN_IN)
    words = [cb.written(name, next(fonts)) for name in _some(sorted(by_class))]
    found: dict[str, tuple[Pictures, Pictures] | str] = {
        "text": (words, _some(every)[: MOST // 2] + drawn),
        "drawing": (drawn, _some(every)[: MOST // 2] + words[: MOST // 2]),
    }
    found["logo"] = (
        (logos(options.icons), _some(every)[: MOST // 3] + drawn + words[: MOST // 3])
        if options.icons
        else "no logos were at hand when the facets were trained"
    )
    if options.faces:
        shown, others = faces(options.faces)
        found["face"] = shown, others + [as_small(image) for image in _some(every)]
    else:
        found["face"] = "no faces that may be used were at hand when the facets were trained"
    for theme, classes in json.loads(CLASSES.read_text(encoding="utf-8")).items():
        inside = [image for name in classes for image in by_class.get(name, [])]
        outside = [image for name in by_class if name not in classes for image in by_class[name]]
        found[theme] = _some(inside), _some(outside)
    return found


def _some(items: list) -> list:
    """At most MOST of them, the same ones every time."""
    return items if len(items) <= MOST else random.Random(0).sample(items, MOST)


def main() -> None:
    """Train every theme, and put what passes in the place of what is shipped."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTOS.parquet")
    parser.add_argument("--icons", type=Path, help="folder of the npm package simple-icons")
    parser.add_argument("--faces", type=Path, help="lfw_subset.npy of scikit-image")
    options = parser.parse_args()
    model = cb.load("mini", device="cpu")
    facets: dict[str, Facet] = {}
    reasons: dict[str, str] = {}
    for name, given in themes(options).items():
        try:
            if isinstance(given, str):
                raise ClipbenchError(given)
            facets[name] = train_facet(model, LAYERS, *given, name)
            told = ", ".join(f"{layer} {share:.0%}" for layer, share in facets[name].accuracy.items())
            print(f"{name}: {told} of held-out pictures, n = {facets[name].n}")
        except ClipbenchError as error:
            reasons[name] = str(error)
            print(f"{name}: absent, {error}")
    write_facets(FACETS, model, facets, reasons)


if __name__ == "__main__":
    main()
