"""Which texts win, what holds them off, and how they may look: attacks on photos that are new to mini.

Photos are those of a file like `clipbench pretrain`'s which its training does not see. Labels are ImageNet's
names. Three parts, each written to benchmarks/results/attack_lab_PART.json with a page for reading beside it:

- search: for some targets all three searches, what each costs in pictures encoded, and whether any text beats
  the target's own name beyond luck, on photos that no search has seen;
- defence: units held at zero, at their mean, or clamped, and directions projected out, with random and
  matched controls, found on one half of photos and texts and told of the other;
- curves: success against size, opacity, contrast, rotation, blur, copies, script and font.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from machine import machine
from tqdm import tqdm

import clipbench as cb
from clipbench.attacks import NINE, Case, Curve, Defence, SearchResult, defend, robustness, search
from clipbench.attacks.levers import WAYS
from clipbench.classify import Classifier, as_classifier
from clipbench.pretrain.photos import LabelledPhoto, read_photos
from clipbench.stimuli import Recipe

RESULTS = Path(__file__).parent / "results"
TARGETS = ("pizza", "rifle", "radio", "library", "iPod")
AXES = ("size", "opacity", "contrast", "rotation", "blur", "copies", "script", "font")
KS = (1, 3, 10, 30, 100)
Document = dict[str, object]


def searched(classifier: Classifier, photos: Sequence[LabelledPhoto], recipe: Recipe) -> Document:
    """All searches for each target."""
    images, results = [photo.open() for photo in photos], []
    for target in tqdm(TARGETS, unit="target"):
        *_, last = search(classifier, images, target, recipe=recipe)
        results.append(last.result)
    return {"results": [one.as_dict() for one in results], "page": "\n\n".join(map(_search_page, results))}


def _search_page(result: SearchResult) -> str:
    ways = [
        (method, passes, result.best_of[method].text, _rate(result.best_of[method].success))
        for method, passes in result.passes.items()
    ]
    texts = [
        (one.text, _rate(one.success), f"{one.gained} · {one.lost}", ", ".join(one.methods))
        for one in result.found
    ]
    sure = ", ".join(f"“{one.text}”" for one in result.surely_better) or "none"
    return "\n\n".join(
        [
            f"## {result.target}",
            _table(("search", "pictures encoded", "its best text", "success"), ways),
            _table(("text", "success, unseen photos", "gained · lost against own name", "found by"), texts),
            f"Better than “{result.target}” beyond luck: {sure}.",
        ]
    )


def defended(classifier: Classifier, photos: Sequence[LabelledPhoto], recipe: Recipe) -> Document:
    """Every way to hold units."""
    from open_clip import IMAGENET_CLASSNAMES

    images, truths = (
        [photo.open() for photo in photos],
        [IMAGENET_CLASSNAMES[photo.label] for photo in photos],
    )
    cases = [Case(row.target, row.text) for row in NINE]
    results = {}
    for way in WAYS:
        steps = defend(classifier, images, truths, cases, ks=KS, at=way, recipe=recipe)
        *_, results[way] = tqdm(steps, unit="setting", desc=way)
    page = "\n\n".join(_defence_page(way, result) for way, result in results.items())
    return {"results": {way: result.as_dict() for way, result in results.items()}, "page": page}


def _defence_page(way: str, result: Defence) -> str:
    rows = [(one.kind, one.k, _rate(one.success), _rate(one.clean)) for one in result.rows]
    head = ("held", "k", "attacks that succeed", "photos that are right")
    return "\n\n".join([f"## {way}", f"{result.summary}.", _table(head, rows)])


def curves(classifier: Classifier, photos: Sequence[LabelledPhoto], recipe: Recipe) -> Document:
    """Success along some axes, for the article's first text."""
    images, case, found = [photo.open() for photo in photos], Case("pizza", "pizza"), {}
    for axis in tqdm(AXES, unit="axis"):
        *_, last = robustness(classifier, images, case, axis, recipe=recipe)
        found[axis] = last.curve
    page = "\n\n".join(_curve_page(curve) for curve in found.values())
    return {"results": {axis: curve.as_dict() for axis, curve in found.items()}, "page": page}


def _curve_page(curve: Curve) -> str:
    rows = [(one.value, _rate(one.success), f"{one.cover:.1%}") for one in curve.points]
    return f"## {curve.axis}\n\n{_table(('value', 'success', 'pixels covered'), rows)}"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _rate(rate) -> str:
    low, high = rate.interval
    return f"{rate.hits} of {rate.n}: {rate.share:.0%} ({low:.0%} to {high:.0%})"


PARTS = {"search": searched, "defence": defended, "curves": curves}


def main() -> None:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", metavar="PHOTOS", help="a folder or a .parquet file, as for pretrain")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--most", type=int, default=96, metavar="N", help="photos (default: 96)")
    parser.add_argument("--size", type=float, default=20, metavar="N", help="of the letters (default: 20)")
    parser.add_argument("--model", default="mini")
    options = parser.parse_args()
    unseen = [photo for photo in read_photos([options.photos]).photos if photo.split != "train"]
    photos = unseen[:: max(1, len(unseen) // options.most)][: options.most]
    classifier, recipe = as_classifier(cb.load(options.model, device="cpu")), Recipe(size=options.size)
    for part in options.parts or PARTS:
        told = PARTS[part](classifier, photos, recipe)
        page, own = told.pop("page"), f"{classifier.model.name} {classifier.model.weights_hash}"
        about = {"model": own, "photos": len(photos), "recipe": str(recipe), "labels": classifier.recipe}
        about["machine"] = machine("clipbench", "torch", "pillow")
        path = RESULTS / f"attack_lab_{part}.json"
        path.write_text(json.dumps({**about, **told}, indent=1) + "\n", encoding="utf-8")
        head = f"{own}, {len(photos)} photos that are new to it; {recipe}; {classifier.recipe}"
        path.with_suffix(".md").write_text(f"# {part}\n\n{head}\n\n{page}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
