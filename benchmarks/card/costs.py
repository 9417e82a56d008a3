"""What the model costs: its file, loading it, and encoding one picture."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from card.figure import Figure

_STARTS, _CORES = 3, 2
# open_clip imports transformers where it is installed. `pip install clipbench` does not install it, only the
# extra "pretrain" does, which whoever measures has as well: so it is hidden, and told beside.
_HIDDEN = "transformers"
# Loading in a process of its own, after torch is there, as in a notebook; then one picture at a time.
_TIMED = f"""
import json, sys, time
from statistics import median
import torch
if sys.argv[2] == "plain":
    sys.modules["{_HIDDEN}"] = None
import clipbench as cb
torch.set_num_threads({_CORES})
start = time.perf_counter()
model = cb.load("mini", checkpoint=sys.argv[1], device="cpu")
loaded = time.perf_counter() - start
photo = [cb.samples()[0].image]
def encode():
    start = time.perf_counter()
    model.encode_image(photo)
    return time.perf_counter() - start
[encode() for _ in range(5)]
print(json.dumps([loaded, median(encode() for _ in range(30))]))
"""


def cost_figures(source: Path, weights: Path) -> Iterator[Figure]:
    """Size of the file, seconds to load, milliseconds for a picture.

    Args:
        source: what `load` takes as checkpoint: a folder or a file.
        weights: the file of weights.
    """
    size = weights.stat().st_size / 1e6
    yield Figure("costs/file", "file of weights", size, 1, target=32.0, unit="MB", at_most=True)
    times = [timed(source, "plain") for _ in range(_STARTS)]
    loads, encodes = ([one[part] for one in times] for part in (0, 1))
    how = f"median of {_STARTS} fresh processes, after import torch; in brackets the least and the most"
    what = "loading, as pip install clipbench has it"
    yield _median("load", what, loads, "s", f"{how}; without {_HIDDEN}", 2.0)
    slower = [timed(source, "all")[0] for _ in range(_STARTS)]
    yield _median(
        "load-all", f"loading where {_HIDDEN} is installed, which open_clip imports", slower, "s", how
    )
    how = f"{_CORES} threads, one photo at a time, median of 30 in each of the same processes"
    yield _median("encode", "encoding one picture", [1000 * one for one in encodes], "ms", how, 40.0)


def _median(
    key: str, what: str, times: list[float], unit: str, how: str, target: float | None = None
) -> Figure:
    span, value = (min(times), max(times)), median(times)
    return Figure(
        f"costs/{key}", what, value, len(times), span, target=target, how=how, unit=unit, at_most=True
    )


def timed(source: Path, packages: str) -> tuple[float, float]:
    """Seconds to load, and for one picture.

    Args:
        source: the model.
        packages: "all" that are installed, or those of a "plain" install.
    """
    command = [sys.executable, "-c", _TIMED, str(source), packages]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded, encoded = json.loads(run.stdout)
    return loaded, encoded
