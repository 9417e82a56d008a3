"""Train the linear probes of mini that are shipped; run it when mini changes.

    python scripts/make_probes.py PHOTOS.parquet… [--each 100] [--work build/probes] [--out DIR]

PHOTOS are files with the columns image (bytes of a file) and imagenet_index. "tiny-imagenet" is a logistic
regression over the classes that have enough photos; those that mini was not made with are held out first.
"readout" is a ridge regression from mini's features to the logits of its control, for all names of ImageNet.
Only weights are written, no photo, and into the package unless a folder is named. Features are kept in the
work folder as they come, so that the same command goes on after a stop; they are of the weights that made
them and of no others. With 60 photos of each class it takes a quarter of an hour on two idle cores.
"""

import argparse
import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

import clipbench as cb
from clipbench.classify.probe import SHIPPED, Probe
from clipbench.models import ImageModel
from clipbench.pretrain.photos import TRAIN, Photo

CONTROL = "timm/tf_efficientnet_lite0"
CHUNK = 256  # photos behind one file of features
Encode = Callable[[ImageModel, Sequence[Image.Image]], np.ndarray]
ENOUGH = 40  # photos of a class that the probe takes


def read(paths: Sequence[Path], each: int) -> list[Photo]:
    """At most so many photos of each class of each file, first those that training has not seen."""
    from pyarrow.parquet import read_table

    chosen = []
    for number, path in enumerate(paths):
        table, classes = read_table(path, columns=["image", "imagenet_index"]), defaultdict(list)
        for content, label in zip(*(column.to_pylist() for column in table.columns), strict=True):
            classes[label].append(Photo(content, label, number))
        for photos in classes.values():
            chosen += sorted(photos, key=lambda photo: photo.split == TRAIN)[:each]  # stable
    return chosen


def raw(model: ImageModel, images: Sequence[Image.Image]) -> np.ndarray:
    """(n, d) embeddings as they leave the tower, which is what its own head expects."""
    return model.activations(images, "embedding").flatten(1).cpu().numpy()


def features(model: ImageModel, photos: Sequence[Photo], work: Path, encode: Encode) -> np.ndarray:
    """(n, d), as `encode` gives them; chunks that lie in the work folder are not computed again."""
    work.mkdir(parents=True, exist_ok=True)
    parts = []
    for start in tqdm(range(0, len(photos), CHUNK), unit="chunk", desc=model.name):
        chunk = photos[start : start + CHUNK]
        content = hashlib.sha256(b"".join(photo.content for photo in chunk)).hexdigest()
        path = work / f"{model.weights_hash}-{encode.__name__}-{content[:24]}.npy"
        if not path.is_file():
            partial = path.with_suffix(".partial.npy")
            np.save(partial, encode(model, [photo.open() for photo in chunk]))
            partial.replace(path)
        parts.append(np.load(path))
    return np.concatenate(parts)


def photo_probe(mini: ImageModel, photos: Sequence[Photo], seen: np.ndarray) -> Probe:
    """The probe over the classes with enough photos."""
    from open_clip import IMAGENET_CLASSNAMES

    numbers = np.array([photo.label for photo in photos])
    counts = np.bincount(numbers)
    kept = np.flatnonzero(counts[numbers] >= ENOUGH)
    truths = [IMAGENET_CLASSNAMES[number] for number in numbers[kept]]
    unseen = [photos[place].split != TRAIN for place in kept]
    return cb.train_probe(mini, seen[kept], truths, first=unseen)


def main() -> None:
    """Train both, write them, and say how well they do."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTOS")
    parser.add_argument("--each", type=int, default=100, help="photos of a class of a file (default: 100)")
    parser.add_argument("--work", type=Path, default=Path("build/probes"), help="where features are kept")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where probes go (default: into the package)")
    options = parser.parse_args()
    if options.each < ENOUGH:
        parser.error(f"a class needs {ENOUGH} photos; take at least so many of each")
    mini, control = cb.load("mini", device="cpu"), cb.load(CONTROL, device="cpu")
    photos = read(options.photos, options.each)
    own = features(mini, photos, options.work, cb.embed)
    half = slice(None, None, 2)  # is enough for a readout
    theirs = features(control, photos[half], options.work, raw)
    probes = {
        "tiny-imagenet": photo_probe(mini, photos, own),
        "readout": cb.fit_readout(mini, own[half], control, theirs),
    }
    for name, probe in probes.items():
        path = SHIPPED[name] if options.out is None else options.out / SHIPPED[name].name
        path.parent.mkdir(parents=True, exist_ok=True)
        size = probe.save(path).stat().st_size
        low, high = probe.held_out.interval
        held = f"{probe.held_out.share:.1%} of {probe.held_out.n} held out ({low:.1%} to {high:.1%})"
        print(f"{name}: {probe.recipe}; {held}; {size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
