"""The panels "All units" and "One unit, everything" in a real browser, in the dashboard as it is served."""

import re
from collections.abc import Callable

import pytest
from driving import WIDTHS, shoot
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from clipbench.report import Dossier
from widgets.dossier import EXAMPLE
from widgets.unit_source import Example

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def told():
    return Example().told


@pytest.fixture
def wall(dashboard, visit) -> Callable[..., Page]:
    """Open "All units"; returns the page when its wall can be seen."""

    def open_panel(query: str = "", **window) -> Page:
        page = visit(dashboard(f"tab=all&{query}"), **window)
        expect(units(page).first).to_be_visible()
        expect(page.locator(".cb-ready")).to_be_visible()
        return page

    return open_panel


def units(page: Page) -> Locator:
    return page.locator(".cb-strip:visible .cb-thumb")


def field(page: Page, label: str) -> Locator:
    return page.locator(":visible").get_by_label(label, exact=True)


def button(page: Page, name: str) -> Locator:
    return page.locator("button:visible", has_text=re.compile(f"^{name}$"))


def look(page: Page, name: str) -> None:
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        shoot(page, f"{name}-{width}")


def test_the_wall_opens_with_an_example_and_is_searched(wall, told):
    page = wall()
    expect(units(page)).to_have_count(40)
    expect(page.get_by_text(f"{told.units} of {told.units} units, 1 to 40")).to_be_visible()
    best = told.layer + f":{told.ordered('spread')[0]}"
    expect(page.locator("h3:visible", has_text=best)).to_be_visible()
    look(page, "units-opening")
    word = told.words[7][0]
    found = int(told.found(word).sum())
    field(page, "find").fill(word)
    expect(page.get_by_text(f"{found} of {told.units} units")).to_be_visible()
    expect(units(page)).to_have_count(min(found, 40))
    units(page).nth(1).locator("img").click()
    expect(units(page).nth(1)).to_have_class(re.compile("cb-chosen"))
    look(page, "units-idle")


def test_a_unit_that_is_pressed_is_followed_by_the_other_panel(wall):
    page = wall("find=conv_head:12")
    units(page).first.locator("img").click()
    chosen = page.locator("h3:visible", has_text="conv_head:").first.inner_text()
    page.get_by_role("button", name="One unit, everything").click()
    expect(field(page, "unit")).to_have_value(chosen)


def test_wrong_input_gets_a_sentence_and_the_panel_goes_on(wall):
    page = wall()
    field(page, "find").fill("no such word at all")
    wrong = page.locator(".cb-message:visible")
    expect(wrong).to_have_text("No unit is found by this; write another word or a number.")
    field(page, "store").first.fill("nowhere")
    expect(wrong.filter(has_text="there is no store at 'nowhere'")).to_have_count(1)
    look(page, "units-wrong")
    field(page, "find").fill("")
    expect(units(page)).to_have_count(40)


def test_a_sweep_is_paused_and_goes_on_and_is_read(wall, tmp_path):
    for number in range(200):
        Image.new("RGB", (8, 8), (number, 0, 255 - number)).save(tmp_path / f"{number:03}.png")
    page = wall()
    button(page, "▸ Sweep a folder of your own").click()
    field(page, "pictures").fill(str(tmp_path))
    field(page, "store").last.fill(str(tmp_path / "store"))
    button(page, "Sweep").click()
    told = page.locator(".cb-note:visible", has_text=re.compile(r"sweeping: \d+ of 200 pictures"))
    expect(told).to_be_visible()
    button(page, "Stop").click()
    look(page, "units-stopped")
    button(page, "Sweep").click()
    expect(field(page, "store").first).to_have_value(str(tmp_path / "store"))
    expect(page.locator(".cb-note:visible", has_text="1280 units of conv_head")).to_be_visible()
    expect(page.locator(".cb-caption:visible", has_text="n = 200").first).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_dossier_is_there_at_once(dashboard, visit, theme):
    example = Dossier.load(EXAMPLE)
    page = visit(dashboard(f"tab=one&theme={theme}"))
    expect(page.locator(".paper h1")).to_have_text(example.title)
    shown = [part for part in example.parts.values() if part is not None]
    expect(page.locator(".paper section h2")).to_have_count(len(shown) + 1)
    expect(page.get_by_role("link", name="Save as one file")).to_be_visible()
    look(page, f"dossier-opening-{theme}")
    field(page, "unit").fill("conv_head:1280")
    expect(page.locator(".cb-message:visible")).to_contain_text("has no channel 1280")
    shoot(page, f"dossier-wrong-{theme}-1440")


def test_a_dossier_is_compiled_stopped_and_saved(dashboard, visit):
    page = visit(dashboard("tab=one"))
    expect(page.locator(".cb-ready")).to_be_visible()
    field(page, "unit").fill("conv_head:5")
    button(page, "Compile").click()
    running = page.locator(".cb-note:visible", has_text=re.compile("section [2-9] of"))
    expect(running).to_be_visible()
    shoot(page, "dossier-running-1440")
    button(page, "Stop").click()
    expect(button(page, "Compile")).to_be_visible()
    expect(page.locator(".cb-note:visible", has_text="stopped ·")).to_be_visible()
    shoot(page, "dossier-stopped-1440")
