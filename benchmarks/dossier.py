"""How long `clipbench dossier` takes from a store, how large its page is, and what a browser asks for.

The command runs as a process of its own, after a sweep of photos and words that does not count. Chromium
opens the page from disk, without a network.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from machine import machine
from playwright.sync_api import sync_playwright
from sweep_photos import make_photos

import clipbench as cb
from clipbench.stimuli import common_words
from clipbench.sweeps import Words

MOST_SECONDS, MOST_BYTES = 60, 6e6
BROKEN = "() => [...document.images].filter(image => !(image.complete && image.naturalWidth)).length"


def measure(name: str, unit: str | None, images: int, words: int) -> dict:
    model = cb.load(name, device="cpu")
    unit = f"{model.last_layer}:0" if unit is None else unit
    with tempfile.TemporaryDirectory() as home:
        store, page = Path(home) / "store", Path(home) / "unit.html"
        for shown in (make_photos(Path(home) / "photos", images), Words.of(common_words()[:words])):
            list(cb.sweep(model, shown, store=store))
        command = [Path(sys.executable).with_name("clipbench"), "dossier", unit, "--model", name]
        started = perf_counter()
        subprocess.run([*command, "--store", store, "--out", page], check=True, stdout=subprocess.DEVNULL)
        seconds = perf_counter() - started
        size, (asked, broken) = page.stat().st_size, opened(page)
    return {
        "machine": machine("clipbench", "torch", "zarr", "playwright"),
        "model": f"{model.name} {model.weights_hash}",
        "unit": unit,
        "photos": images,
        "words": words,
        "seconds": seconds,
        "bytes": size,
        "requests besides the page": asked,
        "pictures that do not show": broken,
        "limits": {"seconds": MOST_SECONDS, "bytes": MOST_BYTES},
        "passed": seconds <= MOST_SECONDS and size <= MOST_BYTES and not asked and not broken,
    }


def opened(page: Path) -> tuple[list[str], int]:
    """What a browser without a network asks for besides a page, and how many pictures stay empty."""
    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        tab = browser.new_context(offline=True).new_page()
        tab.on("request", lambda request: request.url.startswith("data:") or asked.append(request.url))
        tab.goto(page.as_uri())
        broken = tab.evaluate(BROKEN)
        browser.close()
    asked.remove(page.as_uri())
    return asked, broken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="mini")
    parser.add_argument("--unit", help="default: the first of the last layer")
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--words", type=int, default=2000)
    options = parser.parse_args()
    result = measure(options.model, options.unit, options.images, options.words)
    print(json.dumps(result, indent=2))
    sys.exit(not result["passed"])


if __name__ == "__main__":
    main()
