"""The dashboard in a real browser: tabs, links with a state, two pages at once, another model."""

import re

import pytest
from driving import EXAMPLE, FOOLED, ROOT, serving, shoot
from playwright.sync_api import Locator, Page, expect

FOOL = "tab=fool&photo=laptop&text=library&label=printed&size=0.125&labels=laptop,library,mug"


def fooled(page: Page) -> Locator:
    """What the model sees before and after, in a line."""
    return page.locator(".cb-page h3", has_text="→").first


def test_it_says_that_it_loads_and_shows_no_code(dashboard, visit):
    page = visit(dashboard(""))
    expect(page.locator(".cb-note", has_text="loading").first).to_be_visible()
    expect(page.locator(".cb-ready")).to_be_visible()
    expect(page).to_have_title(re.compile("clipbench"))
    expect(page.get_by_text("get_query_string")).to_have_count(0)
    expect(page.locator(".cb-note", has_text=re.compile("embedded.* · "))).to_be_visible()
    shoot(page, "dashboard")


def test_tabs_keep_what_they_show(dashboard, visit):
    page = visit(dashboard(""))
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()
    page.get_by_role("button", name="Fool it").click()
    expect(fooled(page)).to_have_text(FOOLED)
    page.get_by_label("label text").fill("pizza")
    expect(fooled(page)).not_to_have_text(FOOLED)
    page.get_by_role("button", name="See a unit").click()
    expect(fooled(page)).to_be_hidden()
    page.wait_for_function("location.search.includes('tab=unit')")
    page.get_by_role("button", name="Fool it").click()
    expect(page.get_by_label("label text")).to_have_value("pizza")


def test_a_link_shows_what_its_sender_saw(dashboard, visit):
    page = visit(dashboard(FOOL))
    assert_laptop(page)
    page.get_by_label("label text").fill("mug")
    page.wait_for_function("location.search.includes('text=mug')")
    again = visit(dashboard(page.url.partition("?")[2]))
    expect(again.get_by_label("label text")).to_have_value("mug")
    expect(again.locator("img[alt*='laptop with “mug” printed']")).to_be_visible()


def assert_laptop(page: Page) -> None:
    expect(fooled(page)).to_have_text(re.compile("mini: "))
    expect(page.get_by_label("label text")).to_have_value("library")
    expect(page.get_by_label("choose from")).to_have_value("laptop, library, mug")
    expect(page.locator("img[alt*='laptop with “library” printed as in the article, 36 of']")).to_be_visible()
    expect(page.locator(".cb-chart").first.locator(".ytick text")).to_have_count(3)


def test_a_link_to_a_unit_opens_that_unit(dashboard, visit):
    page = visit(dashboard("unit=conv_head:550&pixels=64&steps=4"))
    expect(page.get_by_label("unit", exact=True)).to_have_value("550")
    expect(page.locator("img[alt*='550, step 4']").first).to_be_visible()


def test_a_link_that_cannot_be_gets_a_sentence(dashboard, visit):
    page = visit(dashboard("tab=fool&photo=aple"))
    expect(page.locator(".cb-message")).to_contain_text("unknown sample photo 'aple'; did you mean 'apple'")
    expect(fooled(page)).to_have_text(FOOLED)


def test_two_pages_do_not_disturb_one_another(dashboard, visit):
    one, two = (visit(dashboard("tab=fool")) for _ in range(2))
    for page in (one, two):
        expect(fooled(page)).to_have_text(FOOLED)
    one.get_by_label("label text").fill("library")
    expect(one.locator("img[alt*='“library” on paper']")).to_be_visible()
    two.get_by_label("model", exact=True).select_option("mini/random")
    expect(fooled(two)).to_have_text(re.compile("mini/random: "))
    expect(fooled(one)).to_have_text(re.compile("mini: "))
    expect(two.get_by_label("label text")).to_have_value(EXAMPLE.text)


def test_both_panels_follow_the_model(dashboard, visit):
    page = visit(dashboard("tab=fool&model=mini/random"))
    expect(fooled(page)).to_have_text(re.compile("mini/random: "))
    page.get_by_label("model", exact=True).select_option("timm/tf_efficientnet_lite0")
    expect(fooled(page)).to_have_text(re.compile(f"lite0: {EXAMPLE.photo} .* → {EXAMPLE.photo}"))
    expect(page.locator(".cb-page h3", has_text="control")).to_be_hidden()
    page.get_by_role("button", name="See a unit").click()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".cb-caption:visible", has_text="timm/tf_efficientnet_lite0")).to_be_visible()


@pytest.mark.thorough
def test_a_link_also_finds_a_kernel_that_was_started_ahead(visit):
    notebook = str(ROOT / "notebooks" / "dashboard.ipynb")
    ahead = ["--preheat_kernel=True", "--pool_size=1"]
    with serving("voila", notebook, "--no-browser", "--Voila.ip=127.0.0.1", *ahead) as url:
        assert_laptop(visit(f"{url}/?{FOOL}"))
