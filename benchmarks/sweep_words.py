"""How long it takes to show common words to a model and keep what all units of its last layer say."""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from machine import machine

import clipbench as cb
from clipbench.stimuli import common_words
from clipbench.sweeps import Store, Words

LIMIT = 360  # seconds, of 10,000 words on two cores


def measure(name: str, words: int) -> dict:
    model = cb.load(name, device="cpu")
    shown = Words.of(common_words()[:words])
    with tempfile.TemporaryDirectory() as home:
        started = perf_counter()
        *_, last = cb.sweep(model, shown, store=Path(home) / "store")
        seconds = perf_counter() - started
        store = Store.at(Path(home) / "store", last.key)
        unread = len(store.unread)
    return {
        "machine": machine("clipbench", "torch", "zarr", "pillow"),
        "model": f"{model.name} {model.weights_hash}",
        "layer": model.last_layer,
        "units": model.layer(model.last_layer).channels,
        "words": len(shown),
        "words that could not be shown": unread,
        "seconds": seconds,
        "seconds for 10,000": 1e4 * seconds / len(shown),
        "limit": LIMIT,
        "passed": 1e4 * seconds / len(shown) <= LIMIT and not unread,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="mini")
    parser.add_argument("--words", type=int, default=10_000)
    options = parser.parse_args()
    result = measure(options.model, options.words)
    print(json.dumps(result, indent=2))
    sys.exit(not result["passed"])


if __name__ == "__main__":
    main()
