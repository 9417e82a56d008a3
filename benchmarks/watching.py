"""What it costs to watch an optimisation: steps a second alone, and watched in the panel "See a unit".

The panel runs in a real kernel. Its watcher is a client that draws nothing and only acknowledges, as the
browser does, so that what is measured is the kernel's own cost: encoding, sending, asking for labels. Both
kinds of run take turns in the same kernel with the same number of torch's threads.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from statistics import median

from jupyter_client import BlockingKernelClient, KernelManager
from machine import machine

SETUP = """
import threading, time
from widgets import feature
from widgets.growth import Growth
from widgets.recipe import Recipe
from widgets.workbench import Workbench

recipe = Recipe(unit="conv_head:550", pixels={pixels}, steps={steps})
bench = Workbench("mini", device="cpu")
bench.loaded()
query = dict(pair.split("=") for pair in recipe.query().split("&"))
for key in ("l1", "jitter", "scale", "rotate", "seed", "pixels", "steps"):  # else as in the example
    query[key] = str(getattr(recipe, key))
times = []

class Timed(Growth):
    def grow(self):
        for step in super().grow():
            times.append(time.perf_counter())
            yield step

feature.Growth = Timed
"""
ALONE = """
times.clear()
def read():
    for step in Timed(recipe, bench.loaded).grow():
        pass
worker = threading.Thread(target=read)
worker.start()
worker.join()
"""
PANEL = "panel = feature.Panel(bench, query)"  # paints at once, since the example has other settings
WATCHED = "times.clear(); panel.start()"
REPORT = "print('seconds', times[-1] - times[WARM])"
WARM = 10  # steps that are not counted: memory is still being allocated
LIMIT_LOSS = 0.10
LIMIT_FIRST = 1.0  # s
LIMIT_FRAMES = 5.0  # a second


class Watcher:
    """A client of the kernel that answers every large picture, and notes when it came."""

    def __init__(self, client: BlockingKernelClient):
        self._client = client
        self._large: str | None = None  # the comm of the panel's large picture
        self.frames: list[float] = []
        self._progress = ""

    def run(self, code: str) -> str:
        """Run a cell and return what it printed; pictures that come meanwhile are answered."""
        asked, printed = self._client.execute(code), ""
        for kind, content, parent in self._messages():
            if parent != asked:
                continue
            if kind == "error":
                raise RuntimeError("\n".join(content["traceback"]))
            if kind == "stream":
                printed += content["text"]
            if kind == "status" and content["execution_state"] == "idle":
                return printed

    def watch(self, code: str) -> None:
        """Run a cell that starts the panel, and answer pictures until it says that it has finished."""
        self.frames.clear()
        self._progress = ""
        self.run(code)
        for _ in self._messages():
            if "· finished" in self._progress:
                return

    def _messages(self) -> Iterator[tuple[str, dict, str]]:
        while True:
            message = self._client.get_iopub_msg(timeout=120)
            kind, content = message["msg_type"], message["content"]
            if kind in ("comm_open", "comm_msg"):
                self._look(content["comm_id"], content["data"].get("state", {}))
            yield kind, content, message["parent_header"].get("msg_id", "")

    def _look(self, comm: str, state: dict) -> None:
        if state.get("width") == 384:
            self._large = comm
        if "cb-note" in str(state.get("value")):
            self._progress = state["value"]
        if comm == self._large and "sent" in state:
            self.frames.append(time.perf_counter())
            data = {"method": "custom", "content": {"acknowledged": state["sent"]}}
            message = self._client.session.msg("comm_msg", {"comm_id": comm, "data": data})
            self._client.shell_channel.send(message)


def measure(rounds: int, pixels: int, steps: int) -> dict[str, object]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        return sample(Watcher(client), rounds, pixels, steps)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def sample(watcher: Watcher, rounds: int, pixels: int, steps: int) -> dict[str, object]:
    watcher.run(SETUP.format(pixels=pixels, steps=steps))
    watcher.watch(PANEL)
    report = REPORT.replace("WARM", str(WARM))
    found = {"alone, steps/s": [], "watched, steps/s": [], "first frame, s": [], "frames/s": []}
    for number in range(rounds):
        kinds = ("alone", "watched") if number % 2 else ("watched", "alone")  # neither is always the later
        for kind in kinds:
            started = time.perf_counter()
            watcher.run(ALONE) if kind == "alone" else watcher.watch(WATCHED)
            seconds = float(watcher.run(report).split()[1])
            found[f"{kind}, steps/s"].append((steps - WARM) / seconds)
            if kind == "watched":
                first, *_, last = watcher.frames
                found["first frame, s"].append(first - started)
                found["frames/s"].append((len(watcher.frames) - 1) / (last - first))
    alone, watched, first, rate = found.values()
    loss = 1 - median(there / without for there, without in zip(watched, alone, strict=True))
    return {
        "machine": machine("clipbench", "torch", "ipywidgets", "anywidget"),
        "pixels": pixels,
        "steps": steps,
        "rounds": found,
        "loss": loss,
        "passed": loss <= LIMIT_LOSS and median(first) <= LIMIT_FIRST and median(rate) >= LIMIT_FRAMES,
    }


def table(result: dict[str, object]) -> str:
    about = result["machine"]
    lines = [f"{about['cpu']}, {about['cores']} cores, one unit at {result['pixels']} px", ""]
    lines += [f"{'':20} median    min    max"]
    for name, values in result["rounds"].items():
        lines.append(f"{name:20} {median(values):6.2f} {min(values):6.2f} {max(values):6.2f}")
    lost = f"lost to being watched: {result['loss']:.1%}, median over pairs of runs"
    lines += ["", f"{lost} (at most {LIMIT_LOSS:.0%})"]
    lines += [f"first frame at most {LIMIT_FIRST} s, at least {LIMIT_FRAMES} frames a second"]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15, help="runs of each kind (at least 5)")
    parser.add_argument("--pixels", type=int, default=160)
    parser.add_argument(
        "--steps",
        type=int,
        default=100,
        help="short runs, so that both kinds meet the same machine",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the table")
    options = parser.parse_args()
    if options.rounds < 5:
        parser.error("a median of fewer than 5 rounds says little")
    result = measure(options.rounds, options.pixels, options.steps)
    print(json.dumps(result, indent=2) if options.json else table(result))
    sys.exit(not result["passed"])


if __name__ == "__main__":
    main()
