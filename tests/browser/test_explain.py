"""The answer to "What is a neuron, a channel, a layer?" in a real browser."""

import re

import pytest
from driving import shoot
from PIL import Image
from playwright.sync_api import expect

CELL = """
from widgets import explain, parts
from widgets.workbench import Workbench

bench = Workbench("mini")
page = parts.Page(explain.Explainer(bench))
bench.observe(lambda _: page.add_class("cb-ready"), "model")
if bench.model is not None:  # it was there before anybody looked
    page.add_class("cb-ready")
page
"""
CARD = ".cb-cards > div"


@pytest.fixture
def page(voila, visit, write_notebook):
    page = visit(voila(write_notebook("explain", CELL)))
    expect(page.locator(CARD)).to_have_count(3)
    return page


def answers(page):
    """The three numbers below the maps."""
    return page.locator(f"{CARD} .cb-note")


def test_it_opens_finished_and_follows_photo_and_unit(page, tmp_path):
    expect(answers(page).nth(0)).to_have_text(re.compile(r"^[\d.]+ at row \d+, column \d+$"))
    expect(answers(page).nth(1)).to_have_text(re.compile(r"^from -?[\d.]+ \(blue\) to [\d.]+ \(yellow\)$"))
    for card in page.locator(CARD).all():
        expect(card.locator("img")).to_have_count(2)
    caption = page.locator(".cb-caption", has_text="one photo")
    expect(caption).to_have_text(re.compile(r"blocks.4:75 · one photo, \d+ px · n = 1 · cat"))
    shoot(page, "explain-opening")

    page.wait_for_selector(".cb-ready")
    page.locator("select").select_option("dog")
    expect(caption).to_contain_text("dog")

    Image.new("RGB", (300, 200), "grey").save(tmp_path / "<b>grey.png")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload").click()
    chooser.value.set_files(tmp_path / "<b>grey.png")
    expect(caption).to_contain_text("<b>grey.png")

    (tmp_path / "broken.png").write_bytes(b"no picture at all")
    before = answers(page).all_inner_texts()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload").click()
    chooser.value.set_files(tmp_path / "broken.png")
    expect(page.get_by_role("alert")).to_contain_text("is not a picture that can be read")
    assert answers(page).all_inner_texts() == before
