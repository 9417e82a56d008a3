"""The panel "Fool it" in a real browser, in the dashboard as `clipbench dashboard` serves it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from driving import EXAMPLE, FOOLED, png, shoot_widths, upload
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from clipbench.attacks import AttackResult
from clipbench.stimuli import MAX_UPLOAD_BYTES, sample
from widgets.scene import EXAMPLE as FILE

PICTURE = ".cb-frame-move img"
LABELS = "apple, iPod, laptop, mug, library, pizza, toaster"
WORDS = 'img src=x onerror="window.hacked=1"'


@pytest.fixture
def panel(dashboard, visit) -> Callable[..., Page]:
    """Open the panel; returns the page when all its bars can be seen."""

    def open_panel(query: str = "", **window) -> Page:
        page = visit(dashboard(f"tab=fool&{query}"), **window)
        silenced = page.locator(".cb-page h3", has_text=re.compile(r"without \d+ units"))
        for heading in (*(headings(page).filter(has_text=told) for told in ("mini", "control")), silenced):
            expect(heading.first).to_be_visible()
        bars = page.locator(".cb-chart .barlayer")  # of the model, the control, the silenced; and of a probe
        expect(bars.nth(2)).to_be_attached()
        return page

    return open_panel


def headings(page: Page) -> Locator:
    """What the model and the control see, in a line each."""
    return page.locator(".cb-page h3", has_text="→")


def field(page: Page, label: str) -> Locator:
    """The line or box of text behind a label."""
    return page.get_by_label(label, exact=True)


def bars(page: Page) -> list[float]:
    """Lengths in pixels of the bars "after" of the model, from top to bottom."""
    points = page.locator(".cb-chart").first.locator(".trace.bars").nth(1).locator(".point")
    return points.evaluate_all("points => points.map(p => p.querySelector('path')?.getBBox().width ?? 0)")


def test_it_opens_with_the_example_that_the_script_measured(panel):
    page = panel()
    told = json.loads(FILE.read_text())
    before, after = (max(told[moment], key=told[moment].get) for moment in ("before", "after"))
    assert (before, after) == (told["scene"]["photo"], told["scene"]["text"])
    expect(headings(page).first).to_have_text(re.compile(rf"mini: {before} \d\d\s% → {after} \d\d\s%"))
    control = headings(page).filter(has_text="control")
    expect(control).to_have_text(re.compile(rf"control .*: {before} .* → {before} "))
    labels = page.locator(".cb-chart").first.locator(".ytick text").all_text_contents()
    lengths = dict(zip(labels, bars(page), strict=True))
    shares = {label: length / max(lengths.values()) for label, length in lengths.items()}
    wanted = {label: share / max(told["after"].values()) for label, share in told["after"].items()}
    assert shares == pytest.approx(wanted, abs=0.01)


def test_typing_moves_the_bars_soon(panel):
    page = panel()
    field(page, "label text").fill("iPods")
    asked = page.locator(".cb-chart .ytick text", has_text="iPods")
    expect(asked.first).to_be_visible()  # what stands on the label is asked for, too
    old = bars(page)
    page.evaluate(
        """() => {
             const bar = document.querySelectorAll(".cb-chart .trace.bars")[1];
             const moved = () => window.typed && (window.moved ??= performance.now());
             new MutationObserver(moved).observe(  // it may still be settling when the typing begins
               bar.parentElement, { subtree: true, childList: true, attributes: true });
             document.addEventListener("input", () => (window.typed = performance.now()), true);
           }"""
    )
    field(page, "label text").fill("pizza")
    page.wait_for_function("window.moved > window.typed")
    assert page.evaluate("window.moved - window.typed") < 1500  # 300 on a machine with nothing else to do
    expect(asked).to_have_count(0)
    assert bars(page) != old


def test_the_paper_is_dragged_and_sized_on_the_picture(panel):
    page = panel()
    expect(headings(page).first).to_have_text(FOOLED)
    box = page.locator(PICTURE).bounding_box()
    page.mouse.move(box["x"] + box["width"] * EXAMPLE.x, box["y"] + box["height"] * EXAMPLE.y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.85, box["y"] + box["height"] * 0.9, steps=4)
    page.mouse.up()
    page.mouse.wheel(0, 1000)
    expect(headings(page).first).to_have_text(
        re.compile(f"→ {EXAMPLE.photo}")
    )  # out of the way, it is harmless
    expect(page.locator(PICTURE)).to_have_attribute(
        "alt", re.compile(rf"{EXAMPLE.photo} with “{EXAMPLE.text}” on paper .*85\s%, 90\s%")
    )
    page.wait_for_function("location.search.includes('x=0.85')")


def test_printed_as_in_the_article_has_its_own_places(panel):
    page = panel()
    page.get_by_role("button", name="as printed in the article").click()
    fixed = page.locator(".cb-frame-look img[alt*='printed']")
    expect(fixed).to_have_attribute(
        "alt", f"{EXAMPLE.photo} with “{EXAMPLE.text}” printed as in the article, 20 of 288 px"
    )
    expect(page.locator(PICTURE)).to_be_hidden()
    page.get_by_role("button", name="on paper").click()
    expect(page.locator(PICTURE)).to_have_attribute(
        "alt", re.compile(rf"on paper {100 * EXAMPLE.size:.0f}\s% wide")
    )


def test_an_upload_is_judged_and_its_name_is_only_text(panel):
    page = panel()
    upload(page, png(sample("dog").image), f"<{WORDS}>.png")
    expect(page.locator(".cb-note", has_text=WORDS)).to_be_visible()
    expect(page.locator(".cb-caption", has_text=WORDS).first).to_be_visible()
    field(page, "choose from").fill("dog, iPod, mug")
    expect(headings(page).first).to_have_text(re.compile("mini: dog"))
    control = headings(page).filter(has_text="cannot read")  # a probe on mini falls for words as mini does
    expect(control).to_have_text(re.compile(": dog .* → dog"))
    assert page.evaluate("window.hacked") is None


def test_wrong_input_gets_a_sentence_and_the_panel_goes_on(panel):
    page = panel()
    wrong = page.locator(".cb-message")
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    cut = png(Image.fromarray(noise))[:4000]

    def type_into(label: str, text: str) -> Callable[[], None]:
        return lambda: field(page, label).fill(text)

    def photo() -> None:
        page.get_by_role("button", name=EXAMPLE.photo).click()

    labels = type_into("choose from", LABELS)

    for spoil, sentence, mend in [
        (type_into("choose from", ""), "there are no labels", labels),
        (type_into("choose from", "mug, pizza, mug"), "'mug' is there twice", labels),
        (type_into("label text", ""), "the label has no text", type_into("label text", EXAMPLE.text)),
        (type_into("label text", "梨"), "cannot draw '梨'", type_into("label text", EXAMPLE.text)),
        (lambda: upload(page, cut), "damaged", photo),
        (lambda: upload(page, b""), "is empty", photo),
        (lambda: upload(page, bytes(MAX_UPLOAD_BYTES + 1), f"<{WORDS}>"), "at most 20 MB can be read", photo),
    ]:
        spoil()
        expect(wrong).to_have_count(1)
        expect(wrong).to_contain_text(sentence)
        mend()
        expect(wrong).to_have_count(0)
        expect(headings(page).first).to_have_text(FOOLED)
    assert page.evaluate("window.hacked") is None


def test_the_culprits_are_named_silenced_and_linked(panel):
    page = panel()
    suspects = page.locator(".cb-suspect:visible")
    expect(suspects).to_have_count(5)
    expect(
        page.get_by_text(re.compile(f"logit of {EXAMPLE.text} gained .* on that of {EXAMPLE.photo}"))
    ).to_be_visible()
    silenced = page.locator(".cb-page h3", has_text=re.compile(rf"without \d+ units: {EXAMPLE.photo} .* → "))
    expect(silenced).to_contain_text("without 10 units")
    page.locator(".noUi-handle:visible").last.focus()
    page.keyboard.press("ArrowRight")
    expect(silenced).to_contain_text("without 20 units")
    unit = re.search(r"conv_head:\d+", suspects.first.inner_text())[0]
    with page.context.expect_page() as opened:
        suspects.first.get_by_role("link").click()
    expect(opened.value.get_by_label("unit", exact=True)).to_have_value(unit.partition(":")[2])
    opened.value.close()
    field(page, "label text").fill(EXAMPLE.photo)
    expect(suspects).to_have_count(0)  # nobody was fooled


@pytest.mark.thorough
def test_portraits_are_painted_on_request(panel):
    page = panel()
    portraits = page.get_by_alt_text(re.compile("optimised picture of conv_head"))
    page.get_by_role("button", name="Paint what they look for").click()
    expect(page.locator(".cb-note:visible", has_text="finished · 5.0 of 5 pictures")).to_be_visible()
    expect(portraits.filter(visible=True)).to_have_count(5)


def test_a_search_can_be_watched_and_stopped(panel):
    page = panel()
    page.get_by_role("button", name="▸ Which text works best?").click()
    field(page, "target").first.select_option("pizza")
    page.get_by_role("button", name="brute force").click()
    page.get_by_role("button", name="Search").click()
    told = page.locator(".cb-note:visible", has_text=re.compile(r"brute force · \d+ pictures encoded"))
    expect(told).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(told).to_contain_text("stopped")
    expect(page.get_by_role("button", name="Search")).to_be_visible()


@pytest.mark.parametrize(
    ("title", "start", "told"),
    [
        ("How small, faint or turned may it be?", "Vary it", r"\d+ of \d+ photos"),
        ("Would silencing those units protect the model?", "Measure", "looking for the units"),
    ],
)
def test_a_curve_and_a_defence_stop_where_they_are(panel, title, start, told):
    """Between two moments at which they can, 32 pictures are encoded at most; other tests count these."""
    page = panel()
    page.get_by_role("button", name=f"▸ {title}").click()
    page.get_by_role("button", name=start, exact=True).click()
    note = page.locator(".cb-note:visible", has_text=re.compile(f"running · {told}"))
    expect(note).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).click()
    stopped = page.locator(".cb-note:visible", has_text=re.compile(r"^stopped"))
    expect(stopped).to_be_visible()
    expect(page.get_by_role("button", name=start, exact=True)).to_be_visible()
    done = re.search(r"(\d+) of (\d+)", stopped.inner_text())
    assert done is None or int(done[1]) < int(done[2])


def test_a_folder_is_attacked_saved_and_taken_up_again(panel, tmp_path):
    for name in ("apple", "mug"):
        sample(name).image.save(tmp_path / f"{name}.png")
    (tmp_path / "z.png").write_bytes(b"no picture")
    page = panel()
    page.get_by_role("button", name="▸ A whole folder").click()
    field(page, "folder").fill(str(tmp_path / "none"))
    expect(page.locator(".cb-message:visible")).to_contain_text("there is no folder")
    (tmp_path / "none").mkdir()
    field(page, "folder").fill(str(tmp_path / "none/"))
    page.get_by_role("button", name="Attack them all").click()
    expect(page.locator(".cb-message:visible")).to_contain_text("there is no picture in")
    field(page, "folder").fill(str(tmp_path))
    page.get_by_role("button", name="Attack them all").click()
    expect(page.get_by_text("finished · 3 of 3 pictures · 1 cannot be read")).to_be_visible()
    expect(page.locator(".cb-note:visible", has_text="z.png: ")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="json").click()
    saved = AttackResult.load(download.value.path().rename(tmp_path / "saved.json"))
    assert [Path(name).name for name in saved.names] == ["apple.png", "mug.png"] and len(saved.unread) == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_its_states_fit_every_page(panel, theme):
    page = panel(f"theme={theme}")

    def look(state: str) -> None:
        shoot_widths(page, f"fool-{state}-{theme}")

    look("opening")
    page.get_by_text("what is mini?").first.click()
    page.get_by_role("button", name="as printed in the article").click()
    look("printed")
    field(page, "choose from").fill("apple, apple")
    expect(page.locator(".cb-message")).to_be_visible()
    look("wrong")
    field(page, "choose from").fill("a long label that nobody would ever print, music player, dog")
    page.get_by_role("button", name="on paper").click()
    upload(page, png(sample("dog").image.resize((160, 320))), "a dog of mine.png")
    expect(headings(page).first).to_have_text(re.compile("mini: dog"))
    look("own")
    for title in ("Which text", "How small", "Would silencing", "A whole folder"):
        page.get_by_role("button", name=re.compile(f"^▸ {title}")).click()
    page.get_by_role("button", name="Attack them all").click()
    expect(page.get_by_text(re.compile(r"finished · \d+ of \d+ pictures"))).to_be_visible()
    field(page, "folder").fill("nowhere")
    look("slow")
    page.get_by_label("model", exact=True).select_option("timm/tf_efficientnet_lite0")
    expect(page.locator(".cb-page h3", has_text="lite0")).to_be_visible()
    look("control")
