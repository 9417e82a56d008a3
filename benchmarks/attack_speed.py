"""Speed of the attack harness: pictures a second, against encoding pictures that lie ready in memory.

Nine texts of the article on photos, as `clipbench attack` would run them: every photo is read, cut, written
on and encoded ten times. The bare rate is of the same model, batch size and number of torch's threads, on
pixels that are there already. Both take turns, so that a busy neighbour slows both alike.

Photos are the shipped ones, as files, over and over, or those of a folder.
"""

import argparse
import itertools
import json
import time
from pathlib import Path
from statistics import median

import torch
from machine import machine

import clipbench as cb
from clipbench.attacks import NINE, Case, measure
from clipbench.attacks.run import _PICTURES
from clipbench.classify import as_classifier
from clipbench.stimuli import picture_files

LIMIT = 0.9  # of the bare rate


def harness(classifier, photos: list[Path]) -> float:
    """Pictures a second of the harness: photos and photos with texts together."""
    cases = [Case(row.target, row.text) for row in NINE]
    start = time.perf_counter()
    *_, last = measure(classifier, photos, cases)
    return last.done * (1 + len(cases)) / (time.perf_counter() - start)


def bare(classifier, pictures: int) -> float:
    """Pictures a second of the model and the classifier alone."""
    pixels = classifier.model.pixels([cb.samples()[0].image] * _PICTURES)
    rounds = max(1, pictures // _PICTURES)
    start = time.perf_counter()
    for _ in range(rounds):
        classifier.probabilities(pixels)
    return rounds * _PICTURES / (time.perf_counter() - start)


def main() -> None:
    """Measure, print, and exit with 1 if the harness is slower than the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=1000, metavar="N", help="how many (default: 1000)")
    parser.add_argument("--folder", metavar="DIR", help="photos of a folder (default: the shipped ones)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="turns of both (default: 3)")
    parser.add_argument("--model", default="mini")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    files = picture_files(options.folder) if options.folder else [one.path for one in cb.samples()]
    photos = list(itertools.islice(itertools.cycle(files), options.photos // options.rounds))
    classifier = as_classifier(cb.load(options.model, device="cpu"))
    bare(classifier, _PICTURES), harness(classifier, photos[:6])  # memory is allocated, texts are encoded
    turns = [(harness(classifier, photos), bare(classifier, 10 * len(photos))) for _ in range(options.rounds)]
    ratios = [ours / alone for ours, alone in turns]
    result = {
        "machine": machine("clipbench", "torch", "pillow"),
        "model": f"{classifier.model.name} {classifier.model.weights_hash}",
        "threads": torch.get_num_threads(),
        "photos": len(photos) * options.rounds,
        "texts": len(NINE),
        "harness": median(ours for ours, _ in turns),
        "bare": median(alone for _, alone in turns),
        "ratio": median(ratios),
        "ratios": ratios,
        "limit": LIMIT,
    }
    if options.json:
        print(json.dumps(result, indent=1))
    else:
        print(
            f"{result['photos']} photos × {len(NINE)} texts by {result['model']}, {result['threads']} threads"
        )
        print(f"harness {result['harness']:.1f}, bare {result['bare']:.1f} pictures a second")
        told = ", ".join(f"{ratio:.3f}" for ratio in ratios)
        print(f"ratio {result['ratio']:.3f} (turns {told}); at least {LIMIT}")
    raise SystemExit(result["ratio"] < LIMIT)


if __name__ == "__main__":
    main()
