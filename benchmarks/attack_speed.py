"""Speed of the attack harness: pictures a second, against encoding pictures that lie ready in memory.

    python benchmarks/attack_speed.py [--photos N] [--folder DIR]

Nine texts of the article on photos, as `clipbench attack` would run them: every photo is read, cut, written
on and encoded ten times. The bare rate is of the same model, batch size and number of torch's threads, on
pixels that are there already. Both take turns, so that a busy neighbour slows both alike.

Encodes 13,000 pictures for 1,000 photos. Photos are the shipped ones, as files, over and over, or those of
a folder. Prints the ratio with its interval over turns, writes it into benchmarks/results/attack_speed.json,
and exits with 1 if it is below the limit.
"""

import argparse
import itertools
import json
import time
from pathlib import Path

import numpy as np
import torch
from card.figure import Figure, bootstrap
from machine import machine

import clipbench as cb
from clipbench.attacks import NINE, Case, measure
from clipbench.attacks.run import _PICTURES
from clipbench.classify import as_classifier
from clipbench.stimuli import picture_files

RESULT = Path(__file__).parent / "results" / "attack_speed.json"
LIMIT = 0.9  # of the bare rate
TURNS = 10
BARE = 1 / 3  # of the harness's pictures are enough to know the rate


def harness(classifier, photos: list[Path]) -> float:
    """Pictures a second of the harness: photos and photos with texts together."""
    cases = [Case(row.target, row.text) for row in NINE]
    start = time.perf_counter()
    *_, last = measure(classifier, photos, cases)
    return last.done * (1 + len(cases)) / (time.perf_counter() - start)


def bare(classifier, batches: int) -> float:
    """Pictures a second of the model and the classifier alone."""
    pixels = classifier.model.pixels([cb.samples()[0].image] * _PICTURES)
    start = time.perf_counter()
    for _ in range(batches):
        classifier.probabilities(pixels)
    return batches * _PICTURES / (time.perf_counter() - start)


def ratio(turns: np.ndarray) -> Figure:
    """Time of both over all turns, from (turns, 2) rates; every turn has as many pictures."""

    def of(drawn) -> float:
        ours, alone = (1 / turns[drawn]).sum(axis=0)
        return float(alone / ours)

    told = "harness against bare encoding, pictures a second"
    interval = bootstrap(of, len(turns))
    return Figure("attack/speed", told, of(slice(None)), len(turns), interval, target=LIMIT, unit="")


def main() -> None:
    """Measure, print, write, and exit with 1 if the harness is slower than the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--photos", type=int, default=1000, metavar="N", help="how many (default: 1000)")
    parser.add_argument("--folder", metavar="DIR", help="photos of a folder (default: the shipped ones)")
    options = parser.parse_args()
    files = picture_files(options.folder) if options.folder else [one.path for one in cb.samples()]
    every, each = itertools.cycle(files), max(1, options.photos // TURNS)
    batches = max(1, round(BARE * each * (1 + len(NINE)) / _PICTURES))
    classifier = as_classifier(cb.load("mini", device="cpu"))
    bare(classifier, 1), harness(classifier, files[:6])  # memory is allocated, texts are encoded
    turns = []
    for _ in range(TURNS):
        turns.append((harness(classifier, list(itertools.islice(every, each))), bare(classifier, batches)))
        print("harness {:.1f}, bare {:.1f} pictures a second".format(*turns[-1]), flush=True)
    found = ratio(np.array(turns))
    low, high = found.interval
    verdict = "reached" if found.reached else "short"
    about = f"{each * TURNS} photos × {len(NINE)} texts, {torch.get_num_threads()} threads"
    share = f"{found.value:.3f} (95 % {low:.3f} to {high:.3f}, {TURNS} turns)"
    print(f"{about}: ratio {share}, at least {LIMIT}: {verdict}")
    result = {
        "machine": machine("clipbench", "torch", "pillow"),
        "model": classifier.model.name,
        "weights_hash": classifier.model.weights_hash,
        "threads": torch.get_num_threads(),
        "photos": each * TURNS,
        "texts": len(NINE),
        "turns": [{"harness": ours, "bare": alone} for ours, alone in turns],
        "figure": found.as_dict(),
    }
    RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    raise SystemExit(not found.reached)


if __name__ == "__main__":
    main()
