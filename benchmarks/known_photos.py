"""Photos of known classes as a folder to sweep, those that mini's training left out; and a run over them."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

import clipbench as cb
from clipbench.models import ClipModel
from clipbench.pretrain.photos import TRAIN, read_photos

Measure = Callable[[ClipModel, list[str], Path, int, int], dict]


def write_unseen(sources: Sequence[str], folder: Path, each: int, classes: int) -> Path:
    """Write the first photos of each of the most common classes, as FOLDER/CLASS/NUMBER.jpg.

    Args:
        sources: what `clipbench pretrain` takes.
        folder: left as it is if it is there.
        each: photos of a class at most.
        classes: how many; of classes with equally many photos the first.
    """
    if folder.exists():
        return folder
    unseen = [photo for photo in read_photos(sources).labelled if photo.split != TRAIN]
    common = {label for label, _ in Counter(photo.label for photo in unseen).most_common(classes)}
    written = Counter()
    for photo in unseen:
        if photo.label in common and written[photo.label] < each:
            written[photo.label] += 1
            path = folder / f"{photo.label:03}" / f"{written[photo.label]:03}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(photo.content)
    return folder


def classes_of(names: Sequence[str]) -> np.ndarray:
    """(n,) int, the class of each photo, a position in ImageNet's list, from its name in a sweep."""
    return np.array([int(name.partition("/")[0]) for name in names])


def run(about: str, measure: Measure) -> None:
    """Read the command line, measure, print the figures; the exit status says whether they are reached.

    Args:
        about: the script's own docstring.
        measure: (model, sources, home, each, classes) -> figures, "passed" among them.
    """
    parser = argparse.ArgumentParser(description=about.partition("\n")[0])
    parser.add_argument("photos", nargs="+", help="as for clipbench pretrain")
    parser.add_argument("--home", type=Path, required=True, help="where photos and sweeps are kept")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--each", type=int, default=50, help="photos of a class")
    parser.add_argument("--classes", type=int, default=200)
    options = parser.parse_args()
    model = cb.load(options.model, device="cpu")
    result = measure(model, options.photos, options.home, options.each, options.classes)
    print(json.dumps(result, indent=2))
    sys.exit(not result["passed"])
