"""Helpers of the browser tests: start a server, run a notebook in JupyterLab, count frames, take pictures."""

import io
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from widgets.scene import example

ROOT = Path(__file__).parents[2]
EXAMPLE = example()  # what "Fool it" opens with
FOOLED = re.compile(f"mini: {EXAMPLE.photo} .* → {EXAMPLE.text}")
OUTPUT = ROOT / "tests" / "output"
WIDTHS = (1440, 1024, 400)  # a desk, a laptop, a phone
_MEASURE = """() => {
  const boxes = [];  // the panel and all that it lies in; one of them is what scrolls
  for (let box = document.querySelector(".cb-page"); box; box = box.parentElement) boxes.push(box);
  return [Math.max(...boxes.map(box => box.scrollWidth - box.clientWidth)),
          Math.max(...boxes.map(box => box.scrollHeight))];
}"""
_STARTED = 60.0  # seconds that a server may take on a busy machine


@contextmanager
def serving(module: str, *options: str) -> Iterator[str]:
    """Run a server of Jupyter's on a free port until the end of the block.

    Yields:
        Its address, without a slash at the end.
    """
    port = free_port()
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = [sys.executable, "-m", module, *options, f"--port={port}"]
    OUTPUT.mkdir(exist_ok=True)
    log = OUTPUT / f"{module}-{port}.log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "PATH": path}, stdout=output, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            wait_for_port(port, process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


@contextmanager
def serving_dashboard() -> Iterator[Callable[[str], str]]:
    """Run `clipbench dashboard` until the end of the block.

    Yields:
        A function from a query string, such as "tab=fool", to an address that opens the dashboard with it.
    """
    command = [sys.executable, "-c", "from clipbench.cli import main; main()", "dashboard", "--no-browser"]
    OUTPUT.mkdir(exist_ok=True)
    with (
        (OUTPUT / "dashboard.log").open("w") as log,
        subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            said = re.search(r"http://\S+", process.stdout.readline())
            assert said, "the dashboard did not start; tests/output/dashboard.log says why"
            page = "/?{}".format  # its colons in code, because the login page makes "://" of each
            yield lambda query: f"{said[0]}&{urlencode({'next': page(query.replace(':', '%3A'))})}"
        finally:
            process.terminate()
            process.wait(20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port: int, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + _STARTED
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"the server did not start:\n{log.read_text()[-2000:]}")


def run_all(page: Page) -> None:
    """Run all cells of the notebook that JupyterLab has opened, and wait until they are done."""
    idle = page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]')
    prompts = page.locator(".jp-CodeCell .jp-InputPrompt")
    for _ in range(3):  # a kernel that says idle at first may still be connecting and lose the command
        expect(idle).to_be_visible()
        page.wait_for_timeout(3000)
        expect(idle).to_be_visible()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.locator('li[data-command="runmenu:run-all"]').click()
        page.wait_for_timeout(1000)
        if any(text.strip() not in ("", "[ ]:") for text in prompts.all_inner_texts()):
            break
    page.wait_for_function(
        """() => [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")]
                 .every(prompt => /\\[\\d+\\]:/.test(prompt.textContent))""",
        timeout=60_000,
    )


def count_changes(page: Page, selector: str) -> None:
    """Begin to count how often the picture changes; read with `changes`."""
    page.evaluate(
        """selector => {
             const image = document.querySelector(selector);
             window.changes = 0;
             image.addEventListener("load", () => window.changes++);
           }""",
        selector,
    )


def changes(page: Page) -> int:
    return page.evaluate("window.changes")


def shoot(page: Page, name: str) -> Path:
    """Keep a picture of the whole page in tests/output; nothing may stick out of the page sideways."""
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / f"{name}.png"
    window = page.viewport_size
    page.wait_for_timeout(500)  # Voilà lays out anew a moment after its window has changed
    wider, height = page.evaluate(_MEASURE)
    page.set_viewport_size({"width": window["width"], "height": max(height, window["height"])})
    page.wait_for_timeout(500)
    page.screenshot(path=path)
    page.set_viewport_size(window)
    assert path.stat().st_size > 10_000, "the page is empty"
    assert wider <= 0, f"the page sticks out sideways by {wider} px"
    return path


def shoot_widths(page: Page, name: str) -> None:
    """Keep pictures of the page in all widths, once its charts have settled."""
    time.sleep(0.8)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        shoot(page, f"{name}-{width}")


def upload(page: Page, content: bytes, name: str = "mine.png") -> None:
    """Hand a file to the button "Upload"."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload").click()
    chooser.value.set_files({"name": name, "mimeType": "image/png", "buffer": content})


def png(image: Image.Image) -> bytes:
    """The picture as a file."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def python(**values) -> str:
    """Source of a cell that sets names to plain values."""
    return "\n".join(f"{name} = {json.dumps(value)}" for name, value in values.items())
