"""The panel "What is CLIP?" in a real browser, in the dashboard as `clipbench dashboard` serves it."""

import re
from collections.abc import Callable

import pytest
from driving import png, shoot_widths, upload
from playwright.sync_api import Locator, Page, expect

from clipbench.stimuli import sample
from widgets.matching import EXAMPLE, Question

WORDS = 'img src=x onerror="window.hacked=1"'


@pytest.fixture
def panel(dashboard, visit) -> Callable[..., Page]:
    """Open the panel; returns the page when its three charts can be seen."""

    def open_panel(query: str = "", **window) -> Page:
        page = visit(dashboard(f"tab=what&{query}"), **window)
        expect(page.locator(".cb-chart .hm")).to_have_count(3)
        return page

    return open_panel


def chart(page: Page, number: int) -> Locator:
    """The matrix (0), the classifier's weights (1) or its predictions (2)."""
    return page.locator(".cb-chart").nth(number)


def rows(page: Page, number: int) -> Locator:
    return chart(page, number).locator(".ytick text")


def columns(page: Page, number: int) -> Locator:
    return chart(page, number).locator(".layer-above image, .imagelayer image")


def cells(page: Page, number: int) -> list[str]:
    """What is written in the cells, row by row."""
    texts = chart(page, number).locator(".heatmap-label text")
    return [text.replace("\xa0", " ") for text in texts.all_text_contents()]


def field(page: Page, label: str) -> Locator:
    return page.get_by_label(label, exact=True)


def test_it_opens_with_a_finished_example(panel, mini):
    page = panel()
    expect(rows(page, 0)).to_have_text(EXAMPLE.captions)
    expect(rows(page, 2)).to_have_text(EXAMPLE.classes)
    expect(columns(page, 0)).to_have_count(6)
    cosines = (
        mini.encode_text(EXAMPLE.captions)
        @ mini.encode_image([sample(name).image for name in EXAMPLE.photos]).T
    )
    written = [float(text.replace("−", "-")) for text in cells(page, 0)]
    assert written == pytest.approx(cosines.flatten().tolist(), abs=0.0051)
    expect(chart(page, 0).locator(".shapelayer path")).to_have_count(6)
    expect(page.get_by_text("a photo of a cat")).to_be_visible()


def test_typing_a_caption_redraws_soon(panel):
    page = panel()
    page.evaluate(
        """() => {
             const chart = document.querySelector(".cb-chart");
             const redrawn = () => window.typed && (window.moved ??= performance.now());
             new MutationObserver(redrawn).observe(  // it may still be settling when the typing begins
               chart, { subtree: true, childList: true, attributes: true });
             document.addEventListener("input", () => (window.typed = performance.now()), true);
           }"""
    )
    field(page, "captions").fill("a cat\na photo of a dog")
    page.wait_for_function("window.moved > window.typed")
    assert page.evaluate("window.moved - window.typed") < 1500  # 300 on a machine with nothing else to do
    expect(rows(page, 0)).to_have_text(["a cat", "a photo of a dog"])
    expect(rows(page, 2)).to_have_text(EXAMPLE.classes)


def test_photos_are_taken_away_and_added(panel):
    page = panel()
    page.get_by_role("button", name="mug").click()
    for number in (0, 2):
        expect(columns(page, number)).to_have_count(5)
        expect(chart(page, number).locator(".shapelayer path")).to_have_count(5)
    page.get_by_role("combobox").last.select_option("dog")
    expect(columns(page, 2)).to_have_count(6)
    page.wait_for_function("location.search.includes('butterfly,dog')")
    upload(page, png(sample("horse").image.resize((200, 90))), f"<{WORDS}>.png")
    expect(columns(page, 0)).to_have_count(7)
    expect(page.locator(".cb-strip:visible .cb-caption", has_text=WORDS)).to_be_visible()
    assert page.evaluate("window.hacked") is None


def test_a_link_shows_what_its_sender_saw(panel):
    sent = Question(("cat", "dog"), ("a cat", "a dog", "a pony"), ("cat", "dog"), "the word {}")
    page = panel(sent.query())
    expect(rows(page, 0)).to_have_text(["a cat", "a dog", "a pony"])
    expect(rows(page, 2)).to_have_text(["cat", "dog"])
    expect(columns(page, 2)).to_have_count(2)
    expect(page.get_by_text("the word cat · the word dog")).to_be_visible()


def test_wrong_input_gets_a_sentence_and_the_panel_goes_on(panel):
    page = panel("photos=cat&captions=cats")
    wrong = page.locator(".cb-message")

    def type_into(label: str, text: str) -> Callable[[], None]:
        return lambda: field(page, label).fill(text)

    def add(name: str) -> Callable[[], None]:
        return lambda: page.get_by_role("combobox").last.select_option(name)

    for spoil, sentence, mend in [
        (type_into("captions", ""), "there is no caption", type_into("captions", "cats")),
        (type_into("labels", "mug, mug"), "'mug' is there twice", type_into("labels", "mug, cat")),
        (type_into("labels", ""), "there is no label", type_into("labels", "mug, cat")),
        (type_into("template", "a photo"), "no place for the label", type_into("template", "a {}")),
        (lambda: page.get_by_role("button", name="cat").click(), "there is no photo", add("cat")),
        (lambda: upload(page, b"", "x.png"), "is empty", add("dog")),
    ]:
        spoil()
        expect(wrong).to_have_count(1)
        expect(wrong).to_contain_text(sentence)
        expect(page.locator(".cb-stale").first).to_be_attached() if "empty" not in sentence else None
        mend()
        expect(wrong).to_have_count(0)
        expect(page.locator(".cb-stale")).to_have_count(0)


def test_a_network_without_a_text_tower_is_told_so(panel):
    page = panel()
    page.get_by_label("model", exact=True).select_option("timm/tf_efficientnet_lite0")
    expect(page.locator(".cb-message")).to_contain_text("has no text tower")
    expect(page.locator(".cb-chart:visible")).to_have_count(0)
    page.get_by_label("model", exact=True).select_option("mini/random")
    expect(page.locator(".cb-caption", has_text="mini/random")).to_have_count(2)
    expect(page.locator(".cb-message")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_its_states_fit_every_page(panel, theme):
    page = panel(f"theme={theme}")

    def look(state: str) -> None:
        shoot_widths(page, f"what-{state}-{theme}")

    look("opening")
    for name in ("horse", "Eiffel Tower"):
        page.get_by_role("combobox").last.select_option(name)
    field(page, "captions").fill("a horse\na rather long caption that takes more than one line of it")
    expect(columns(page, 0)).to_have_count(8)
    look("own")
    page.get_by_role("combobox").last.select_option("dog")
    field(page, "labels").fill("apple, apple")
    expect(page.locator(".cb-message")).to_have_count(2)
    expect(page.locator(".cb-message").first).to_have_text(re.compile("only 8 photos"))
    look("wrong")
