"""The panel "The article's attacks" in a real browser, as `clipbench dashboard` serves it."""

import re
from collections.abc import Callable, Iterator

import pytest
from driving import serving_dashboard, shoot_widths
from playwright.sync_api import Locator, Page, expect

from clipbench.attacks.published import MODEL

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory) -> Iterator[Callable[[str], str]]:
    """A dashboard of somebody who has fetched no photos and trained no probe."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        with serving_dashboard() as address:
            yield address


@pytest.fixture
def panel(dashboard, visit) -> Callable[..., Page]:
    """Open the panel; returns the page when the model's bars stand beside the published ones."""

    def open_panel(query: str = "", **window) -> Page:
        page = visit(dashboard(f"tab=article&{query}"), **window)
        expect(page.locator(".legendtext", has_text=MODEL).first).to_be_visible()
        expect(page.locator(".legendtext", has_text=re.compile("^mini$"))).to_have_count(3)
        return page

    return open_panel


def figures(page: Page) -> Locator:
    return page.locator(".cb-wall figure")


def test_it_shows_the_article_s_tables_beside_the_model(panel):
    page = panel()
    photos = page.locator(".cb-chart .layer-above image, .cb-chart .imagelayer image")
    expect(photos).to_have_count(2 * 9)
    probed = page.locator(".legendtext", has_text=re.compile("^mini, "))
    expect(probed.or_(page.get_by_text("no data: there is no linear probe of mini")).first).to_be_visible()
    expect(page.get_by_text(re.compile("^mini (names|does not show)"))).to_be_visible()
    expect(page.locator(".cb-table", has_text="word, where they disagree")).to_contain_text("of 49")


def test_the_nine_texts_can_be_measured_and_stopped(panel):
    page = panel()
    page.get_by_role("button", name="Measure").click()
    told = page.locator(".cb-note:visible", has_text=re.compile(r"\d+ of \d+ photos"))
    expect(told).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(told).to_contain_text("stopped")
    expect(page.locator(".legendtext", has_text=re.compile("^mini$"))).to_have_count(4)


def test_the_wall_of_shipped_photos_is_browsed(panel):
    page = panel()
    expect(page.get_by_text(re.compile("clipbench fetch in-the-wild"))).to_be_visible()
    page.get_by_role("button", name="Look at them all").click()
    expect(figures(page)).to_have_count(36)
    page.get_by_label("word", exact=True).select_option("iPod")
    expect(figures(page)).to_have_count(6)
    page.get_by_label("thing", exact=True).select_option("apple")
    expect(figures(page)).to_have_count(1)
    expect(figures(page)).to_contain_text("“iPod”")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_its_states_fit_every_page(panel, theme):
    page = panel(f"theme={theme}")

    def look(state: str) -> None:
        shoot_widths(page, f"article-{state}-{theme}")

    look("opening")
    page.get_by_role("button", name="Look at them all").click()
    expect(figures(page)).to_have_count(36)
    page.get_by_role("button", name="Fade the ink").click()
    told = page.locator(".cb-note:visible", has_text=re.compile(r"\d of 8 opacities"))
    expect(told).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(told).to_contain_text("stopped")
    look("stopped")
    page.get_by_label("model", exact=True).select_option("timm/tf_efficientnet_lite0")
    expect(page.locator(".cb-message:visible", has_text="has no text tower")).to_be_visible()
    look("control")
