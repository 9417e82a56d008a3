"""Pages about units open from disk, without a kernel and without a single request to anywhere."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driving import OUTPUT, WIDTHS
from playwright.sync_api import Page, expect

import clipbench as cb
from clipbench.report import Dossier, Grade, atlas, survey
from clipbench.report.dossier import MAX_BYTES
from clipbench.sweeps import Store
from widgets.dossier import EXAMPLE

_WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
_BROKEN = """() => [...document.images]
  .filter(image => image.hasAttribute("src") && !(image.complete && image.naturalWidth)).length"""


@pytest.fixture
def read(browser) -> Iterator[Callable[..., tuple[Page, list[str]]]]:
    """Open a file in a browser without a network; the page, and the addresses that it has asked for."""
    contexts, errors = [], []

    def read(path: Path, **options) -> tuple[Page, list[str]]:
        context = browser.new_context(viewport={"width": 1440, "height": 1000}, offline=True, **options)
        contexts.append(context)
        page, asked = context.new_page(), []
        page.on("request", lambda request: request.url.startswith("data:") or asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(error))
        page.goto(path.as_uri())
        return page, asked

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


@pytest.mark.thorough
def test_an_atlas_is_filtered_sorted_mapped_and_opened(read, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(survey, "COARSE", Grade(64, 1))
    list(cb.sweep(tiny, [sample.path for sample in cb.samples()[:12]], ["layer1"], store=tmp_path / "store"))
    *_, last = atlas(tiny, "layer1", Store.open(tmp_path / "store", tiny), tmp_path / "atlas")
    page, asked = read(last.page)
    units = page.locator(".unit")
    expect(units).to_have_count(tiny.layer("layer1").channels)
    assert page.evaluate(_BROKEN) == 0
    look(page, "atlas")
    page.get_by_label("filter").fill("layer1:7")
    expect(page.locator(".unit:visible")).to_have_count(1)
    page.get_by_label("filter").fill("")
    page.get_by_label("sort by").select_option("strongest")
    strengths = units.evaluate_all("units => units.map(unit => Number(unit.dataset.strongest))")
    assert strengths == sorted(strengths, reverse=True)
    page.get_by_label("as a map").check()
    boxes = units.evaluate_all("units => units.map(unit => unit.getBoundingClientRect().x)")
    assert len(set(boxes)) > len(boxes) / 2
    look(page, "atlas-map")
    units.nth(3).click(force=True)
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.locator("#title")).to_have_text(f"layer1:{units.nth(3).get_attribute('id')}")
    assert page.evaluate(_BROKEN) == 0
    assert all(url.startswith(last.page.parent.as_uri()) for url in asked)
