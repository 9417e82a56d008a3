"""The panel "Multimodal units" in a real browser, in the dashboard as `clipbench dashboard` serves it."""

import io
import re
from collections.abc import Callable

import pytest
from driving import shoot, shoot_widths
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from clipbench.stimuli import sample
from widgets.study import CONTROL, LAYER, Study

SLOW = "RN50-quickgelu/random"  # slow enough to be stopped
NAME = '<img src=x onerror="window.hacked=1">'


@pytest.fixture
def panel(dashboard, visit) -> Callable[..., Page]:
    """Open the panel; returns the page when its table can be seen."""

    def open_panel(query: str = "", **window) -> Page:
        page = visit(dashboard(f"tab=multimodal&{query}"), **window)
        expect(texts(page).first).to_be_visible()
        return page

    return open_panel


@pytest.fixture(scope="module")
def example():
    return Study(lambda: pytest.fail("the example needs no control")).example


def texts(page: Page) -> Locator:
    return page.locator(".cb-chart .annotation-text")


def heads(page: Page, model: str = "") -> Locator:
    """Titles of the columns, or of one model's: the control's nearest unit may have the same number."""
    return texts(page).filter(has_text=re.compile(f"{model}.*:"))


def pictures(page: Page) -> Locator:
    return page.locator(".cb-chart .layer-above image, .cb-chart .imagelayer image")


def field(page: Page, label: str) -> Locator:
    return page.get_by_label(label, exact=True)


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=re.compile(f"^{name}"))


def note(page: Page, pattern: str) -> Locator:
    return page.locator(".cb-note:visible", has_text=re.compile(pattern))


def upload(page: Page, name: str, *images: Image.Image) -> None:
    files = []
    for number, image in enumerate(images):
        file = io.BytesIO()
        image.save(file, "PNG")
        files.append({"name": f"{number}.png", "mimeType": "image/png", "buffer": file.getvalue()})
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=re.compile(rf"{name} \(\d+\)")).click()  # an icon stands before it
    chooser.value.set_files(files)


def test_it_opens_with_a_finished_example(panel, example):
    page = panel()
    columns = example.columns(*example.best)
    for column in columns:
        expect(heads(page).filter(has_text=column.provenance.unit).first).to_be_visible()
    expect(page.get_by_text(re.compile(f"^{example.result.count} of {example.units} units"))).to_be_visible()
    cells = [cell for column in columns for cell in column.cells]
    expect(pictures(page)).to_have_count(sum(len(cell.images) for cell in cells))
    expect(texts(page).filter(has_text="✓")).to_have_count(sum(cell.ticked for cell in cells))
    expect(field(page, "multimodal").locator("option")).to_have_count(example.result.count)
    expect(note(page, "a finished example")).to_be_visible()
    expect(page.locator(".cb-stale")).to_have_count(0)


def test_a_unit_is_chosen_from_the_list_and_by_its_number(panel, example):
    page = panel()
    _, last = example.offers[-1]
    field(page, "multimodal").select_option(index=len(example.offers) - 1)
    expect(field(page, "unit")).to_have_value(str(last))
    expect(heads(page, "mini").filter(has_text=f"{LAYER}:{last}")).to_have_count(1)
    field(page, "beside it").fill("1279")
    expect(heads(page).filter(has_text=f"{LAYER}:1279")).to_have_count(1)
    page.wait_for_function(f"location.search.includes('unit={LAYER}:{last}&beside=1279')")


def test_a_link_shows_what_its_sender_saw(panel):
    page = panel(f"unit={LAYER}:550&beside=7")
    expect(heads(page, "mini").filter(has_text=f"{LAYER}:550")).to_have_count(1)
    expect(heads(page).filter(has_text=f"{LAYER}:7").first).to_be_visible()
    expect(field(page, "unit")).to_have_value("550")


def test_wrong_input_gets_a_sentence_and_the_panel_goes_on(panel):
    page = panel("beside=x")
    wrong = page.locator(".cb-message")
    expect(wrong).to_contain_text("beside cannot be 'x'")
    field(page, "unit").fill("1280")
    expect(wrong.filter(has_text="has no unit '1280'; write a whole number from 0 to 1279")).to_have_count(1)
    expect(page.locator(".cb-stale")).to_have_count(1)
    field(page, "unit").fill("12")
    expect(wrong.filter(has_text="has no unit")).to_have_count(0)
    expect(heads(page).filter(has_text=f"{LAYER}:12").first).to_be_visible()
    expect(page.locator(".cb-stale")).to_have_count(0)


def test_a_measurement_can_be_watched_and_stopped(panel):
    page = panel(f"model={SLOW}")  # which is measured at once
    expect(note(page, r"\d+ of 188 pictures · \d+ a second")).to_be_visible()
    expect(page.get_by_alt_text("the picture that is measured")).to_be_visible()
    expect(page.locator(".cb-stale")).to_have_count(1)  # the example of mini
    button(page, "Stop").click()
    expect(button(page, "Start")).to_be_visible()
    expect(note(page, r"stopped · \d+ of 188 pictures · layer4 has not been measured yet")).to_be_visible()
    expect(texts(page).first).to_be_visible()


@pytest.mark.thorough
def test_a_measurement_can_be_repeated(panel):
    page = panel()
    button(page, "Start").click()
    expect(note(page, "finished · 188 of 188 pictures")).to_be_visible()
    expect(page.locator(".cb-stale")).to_have_count(0)


@pytest.mark.thorough
def test_another_layer_waits_for_the_start(panel):
    page = panel()
    field(page, "layer").select_option("blocks.6")
    expect(note(page, "blocks.6 has not been measured yet; press Start")).to_be_visible()
    expect(page.locator(".cb-stale")).to_have_count(1)
    button(page, "Start").click()
    expect(page.get_by_text(re.compile(r"^\d+ of 320 units of blocks.6"))).to_be_visible()
    expect(page.locator(".cb-stale")).to_have_count(0)
    field(page, "layer").select_option(LAYER)  # known already
    expect(page.get_by_text(re.compile(rf"^\d+ of 1280 units of {LAYER}"))).to_be_visible()


def test_a_link_to_another_model_measures_it_at_once(panel):
    page = panel(f"model={CONTROL}")
    expect(note(page, "finished")).to_be_visible()
    expect(heads(page)).to_have_count(2)  # there is no control of the control
    expect(page.locator(".cb-caption", has_text=CONTROL)).to_be_visible()


@pytest.mark.thorough
def test_a_concept_of_ones_own(panel):
    page = panel()
    button(page, "▸ A concept").click()
    wrong = page.locator(".cb-message:visible")
    button(page, "Add").click()
    expect(wrong).to_contain_text("the concept has no name")
    field(page, "name").fill(NAME)
    button(page, "Add").click()
    expect(wrong).to_contain_text("there is no photo of")
    upload(page, "Photos", sample("bee").image, sample("cat").image)
    upload(page, "Drawings", Image.new("RGB", (90, 40), "orange"))
    button(page, "Add").click()
    expect(page.get_by_text("43 concepts in 52 photos")).to_be_visible()
    assert page.evaluate("window.hacked") is None
    expect(page.locator(".cb-caption", has_text=NAME)).to_be_visible()
    expect(page.get_by_role("button", name="copy command")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_its_states_fit_every_page(panel, theme):
    page = panel(f"theme={theme}")

    def look(state: str) -> None:
        shoot_widths(page, f"multimodal-{state}-{theme}")

    look("opening")
    field(page, "multimodal").select_option(index=3)
    look("idle")
    field(page, "unit").fill("x")
    button(page, "▸ A concept").click()
    button(page, "Add").click()
    expect(page.locator(".cb-message:visible")).to_have_count(2)
    look("wrong")
    page = panel(f"theme={theme}&model={SLOW}")
    expect(note(page, r"\d+ of 188 pictures · \d+ a second")).to_be_visible()
    shoot(page, f"multimodal-running-{theme}-1440")
    button(page, "Stop").click()
    expect(button(page, "Start")).to_be_visible()
    look("stopped")
