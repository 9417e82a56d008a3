"""A real Voilà, a real JupyterLab and a real Chromium, all on this machine; nothing else can be reached."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from driving import serving, serving_dashboard
from playwright.sync_api import Browser, Page, expect, sync_playwright

expect.set_options(timeout=60_000)


# A kernel with a model takes 700 MB, and none ends with its page.
_CULLING = ["--MappingKernelManager.cull_idle_timeout=5", "--MappingKernelManager.cull_interval=2"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no Chromium; `make test` installs it on Debian")
    flags = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]  # no sandbox: local pages only
    flags += ["--use-fake-device-for-media-stream"]  # a camera that sees a test card
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def notebooks(tmp_path_factory) -> Path:
    """The folder that the servers serve."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(scope="session")
def write_notebook(notebooks) -> Callable[..., str]:
    """Write a notebook with these cells where the servers find it; returns its name."""

    def write(name: str, *cells: str) -> str:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, notebooks / f"{name}.ipynb")
        return name

    return write


@pytest.fixture(scope="session")
def voila(notebooks) -> Iterator[Callable[[str], str]]:
    """Addresses of notebooks in a running Voilà; "?theme=dark" after them makes the page dark."""
    with serving("voila", str(notebooks), "--no-browser", "--Voila.ip=127.0.0.1", *_CULLING) as url:
        yield lambda name: f"{url}/voila/render/{name}.ipynb"


@pytest.fixture(scope="session")
def lab(notebooks) -> Iterator[Callable[[str], str]]:
    """Addresses of notebooks in a running JupyterLab."""
    options = ["--no-browser", "--ip=127.0.0.1", "--allow-root", "--LabApp.news_url=None"]
    options += ["--ServerApp.token=", "--ServerApp.password=", f"--ServerApp.root_dir={notebooks}"]
    with serving("jupyterlab", *options, *_CULLING) as url:
        yield lambda name: f"{url}/lab/tree/{name}.ipynb?reset"


@pytest.fixture(scope="session")
def dashboard() -> Iterator[Callable[[str], str]]:
    """Addresses of a running `clipbench dashboard`, with what its query says."""
    with serving_dashboard() as address:
        yield address


@pytest.fixture
def visit(browser) -> Iterator[Callable[..., Page]]:
    """Open an address in a fresh profile. A script error on any page fails the test."""
    contexts, errors = [], []

    def visit(url: str, width: int = 1440, height: int = 1000, **options) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        context.route(lambda address: urlsplit(address).hostname != "127.0.0.1", lambda route: route.abort())
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: errors.append(error))
        page.goto(url, wait_until="commit")  # Voilà loads for as long as its notebook runs
        return page

    yield visit
    for context in contexts:
        context.close()
    assert errors == [], f"script errors on the page: {errors}"
