"""Pages about units open from disk, without a kernel and without a single request to anywhere."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driving import OUTPUT, WIDTHS
from playwright.sync_api import Page

from clipbench.report import Dossier
from clipbench.report.dossier import MAX_BYTES
from widgets.dossier import EXAMPLE

_WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
_BROKEN = "() => [...document.images].filter(image => !(image.complete && image.naturalWidth)).length"


@pytest.fixture
def read(browser) -> Iterator[Callable[..., tuple[Page, list[str]]]]:
    """Open a file in a browser without a network; the page, and the addresses that it has asked for."""
    contexts, errors = [], []

    def read(path: Path, **options) -> tuple[Page, list[str]]:
        context = browser.new_context(viewport={"width": 1440, "height": 1000}, offline=True, **options)
        contexts.append(context)
        page, asked = context.new_page(), []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(error))
        page.goto(path.as_uri())
        return page, [url for url in asked if not url.startswith("data:")]

    yield read
    for context in contexts:
        context.close()
    assert errors == [], f"script errors on the page: {errors}"


def look(page: Page, name: str) -> None:
    """Keep a picture of the page at every width; nothing may stick out sideways."""
    OUTPUT.mkdir(exist_ok=True)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=OUTPUT / f"{name}-{width}.png", full_page=True)
        assert page.evaluate(_WIDER) <= 0, f"the page sticks out sideways at {width} px"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_dossier_is_one_file(read, tmp_path, theme):
    dossier = Dossier.load(EXAMPLE)
    path = dossier.save(tmp_path / dossier.file)
    assert path.stat().st_size <= MAX_BYTES
    page, asked = read(path, color_scheme=theme)
    assert asked == [path.as_uri()]
    assert page.locator("img").count() > 30 and page.evaluate(_BROKEN) == 0
    sections = page.locator("section h2").all_inner_texts()
    assert len(sections) == 1 + sum(part is not None for part in dossier.parts.values())
    look(page, f"dossier-file-{theme}")
