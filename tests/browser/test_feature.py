"""The panel "See a unit" in real browsers: from a finished example to a picture of one's own."""

import re
import time

import pytest
from driving import WIDTHS, changes, count_changes, run_all, shoot
from open_clip import IMAGENET_CLASSNAMES
from playwright.sync_api import expect

from clipbench.results import read_provenance
from clipbench.stimuli import read_image
from widgets import feature

PANEL = """
from urllib.parse import parse_qsl
from voila.utils import get_query_string
from widgets import chooser, feature, parts
from widgets.workbench import Workbench

query = dict(parse_qsl(get_query_string() or ""))
bench = Workbench("mini")
"""
SHOW = "parts.Page(chooser.ModelMenu(bench), feature.Panel(bench, query))"
PICTURE = ".cb-beside > .cb-frame img"
STEP = f"+document.querySelector('{PICTURE}').alt.match(/step (\\d+)/)[1]"
SOON = "pixels=64&steps=8"  # a picture that is done in a second


@pytest.fixture
def panel(voila, visit, write_notebook):
    """Open the panel; returns the page when the finished example can be seen."""

    def open_panel(query="", **window):
        page = visit(f"{voila(write_notebook('panel', PANEL + SHOW))}?{query}", **window)
        expect(page.locator(PICTURE)).to_have_attribute("alt", re.compile("step"))
        return page

    return open_panel


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def says(page, text):
    expect(page.locator(".cb-note", has_text=re.compile(text)).first).to_be_visible()


def loaded(page):
    says(page, "embedded CLIP")


def field(page, label):
    """The line of text behind a label."""
    return page.locator(".widget-text", has=page.get_by_text(label, exact=True)).locator("input")


def fold(page, title):
    """The title of a group of controls."""
    return page.locator(".cb-fold", has_text=title)


def step(page) -> int:
    return int(re.search(r"step (\d+)", page.locator(PICTURE).get_attribute("alt"))[1])


def test_it_opens_with_a_finished_example_its_settings_and_its_command(panel, mini):
    shown = mini.encode_image([read_image(feature.EXAMPLE / "0256.png").image])[0]
    taken = mini.encode_text([f"a photo of a {name}" for name in IMAGENET_CLASSNAMES]) @ shown
    page = panel()
    expect(page.locator(PICTURE)).to_have_attribute("alt", "optimised picture, conv_head-559, step 256")
    assert page.evaluate(f"document.querySelector('{PICTURE}').naturalWidth") == 192
    expect(field(page, "unit")).to_have_value("559")
    expect(page.locator(".cb-bars")).to_contain_text(IMAGENET_CLASSNAMES[int(taken.argmax())])
    expect(page.locator(".cb-caption", has_text="conv_head:559")).to_contain_text("seed 2 · n = 1")
    expect(page.locator(".cb-strip").first).to_have_text(re.compile(r"0\s*4\s*16\s*48\s*128\s*256"))
    expect(fold(page, "Frequency")).to_contain_text("waves (FFT), large forms 1, L1 to grey 0.005")
    expect(fold(page, "Robustness")).to_contain_text("jitter 16, scale 0.2, rotation 15")
    expect(fold(page, "Faces")).to_contain_text("one")
    expect(fold(page, "Start")).to_contain_text("noise")
    assert page.get_by_role("button", name="Continue").count() == 0

    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    press(page, "copy command")
    expect(page.get_by_role("button", name="copied")).to_be_visible()
    command = page.evaluate("navigator.clipboard.readText()")
    assert command.startswith("clipbench visualize conv_head:559 --steps 256 --size 192 --seed 2 --l1 0.005")


def test_a_picture_grows_stops_goes_on_and_can_be_looked_back_at(panel):
    page = panel()
    loaded(page)
    count_changes(page, PICTURE)
    press(page, "Start")
    page.wait_for_function("window.changes >= 10")
    says(page, r"step \d+ of 256 · [\d.]+ a second · \d+ s left")
    began = time.perf_counter()
    press(page, "Stop")
    says(page, r"step \d+ of 256 · stopped")
    assert time.perf_counter() - began < 1.0
    page.wait_for_timeout(300)
    seen, stopped_at = changes(page), step(page)
    page.wait_for_timeout(1000)
    assert changes(page) == seen and step(page) == stopped_at  # what there is stays
    expect(page.locator(".cb-caption", has_text=f"{stopped_at} steps")).to_be_visible()

    press(page, "Continue")
    page.wait_for_function("seen => window.changes >= seen + 5", arg=seen)
    assert step(page) > stopped_at
    press(page, "Stop")
    says(page, "stopped")

    page.get_by_role("button", name="4", exact=True).click()
    expect(page.locator(PICTURE)).to_have_attribute("alt", "optimised picture, conv_head-559, step 4")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save picture").click()
    assert download.value.suggested_filename == "conv_head-559.png"
    provenance = read_provenance(download.value.path())
    assert (provenance.model, provenance.unit, provenance.seed) == ("mini", "conv_head:559", 2)
    assert "4 steps" in provenance.recipe and "l1 0.005" in provenance.recipe
    page.locator(".cb-save select").select_option("film (MP4)")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save film (MP4)").click()
    assert download.value.suggested_filename == "conv_head-559.mp4"
    assert read_provenance(download.value.path()) == provenance


def test_the_end_is_reached_and_going_on_adds_as_many_steps(panel):
    page = panel(SOON)
    says(page, "step 8 of 8 · finished")
    press(page, "Continue")
    says(page, "step 16 of 16 · finished")
    expect(page.locator(PICTURE)).to_have_attribute("alt", "optimised picture, conv_head-559, step 16")
    field(page, "unit").fill("3")  # another unit: there is nothing to go on with
    expect(page.get_by_role("button", name="Continue")).to_have_count(0)


def test_a_link_shows_what_its_sender_saw_and_the_address_follows(panel):
    page = panel(f"unit=conv_head:550&{SOON}&tv=0.01&tab=unit")
    expect(page.locator(PICTURE)).to_have_attribute("alt", "optimised picture, conv_head-550, step 8")
    expect(page.locator(".cb-caption", has_text="conv_head:550")).to_contain_text("tv 0.01")
    field(page, "unit").fill("7")
    field(page, "unit").press("Enter")
    expect(page.locator(PICTURE)).to_have_attribute("alt", "optimised picture, conv_head-7, step 8")
    page.wait_for_function("location.search.includes('unit=conv_head:7')")
    assert "tab=unit" in page.url and "tv=0.01" in page.url and "seed=2" in page.url


def test_a_wrong_unit_gets_one_sentence_and_the_rest_works(panel):
    page = panel(SOON)
    loaded(page)
    alert = page.get_by_role("alert")
    field(page, "unit").fill("99999")
    expect(alert).to_have_text("layer 'conv_head' has no channel 99999; its channels go from 0 to 1279")
    expect(alert).to_have_count(1)
    press(page, "Start")
    page.wait_for_timeout(500)
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)  # nothing was begun
    field(page, "unit").fill("conv_heat:3")
    expect(alert).to_contain_text("did you mean 'conv_head'")
    field(page, "unit").fill("blocks.4:3")  # the menu follows an address
    expect(alert).to_have_count(0)
    field(page, "unit").press("Enter")
    expect(page.locator(PICTURE)).to_have_attribute("alt", "optimised picture, blocks.4-3, step 8")


def test_a_wrong_address_gets_one_sentence_where_it_can_be_seen(panel):
    page = panel("steps=0")
    expect(page.get_by_role("alert")).to_have_text(
        "steps cannot be '0'; write a whole number from 1 to 10000"
    )
    expect(page.get_by_role("alert")).to_be_visible()


def test_what_a_person_writes_is_never_run(panel):
    attack = "<img src=x onerror=window.hacked=1>"
    page = panel("unit=" + attack)
    loaded(page)
    expect(page.get_by_role("alert")).to_contain_text("onerror")
    field(page, "unit").fill(attack)
    expect(page.get_by_role("alert")).to_contain_text("onerror")
    field(page, "unit").fill("5")
    press(page, "text")
    field(page, "text").fill(attack)
    field(page, "text").press("Enter")
    expect(page.locator(".cb-caption", has_text="onerror")).to_be_visible()
    assert page.evaluate("window.hacked") is None


def test_a_second_start_is_refused_and_the_first_goes_on(panel):
    page = panel()
    loaded(page)
    press(page, "Start")
    says(page, "a second")
    field(page, "unit").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("running already")
    before = step(page)
    page.wait_for_function(f"before => {STEP} > before", arg=before)


def test_labels_are_asked_at_most_once_a_second(panel):
    page = panel()
    loaded(page)
    press(page, "Start")
    page.evaluate(
        """() => {
             window.answers = -1; // the first one comes when the labels have been encoded
             const bars = document.querySelector(".cb-bars").parentElement;
             new MutationObserver(() => window.answers++).observe(bars, {childList: true});
           }"""
    )
    page.wait_for_function("window.answers === 0")
    page.wait_for_timeout(4000)
    assert 1 <= page.evaluate("window.answers") <= 4


def test_a_text_is_painted_and_the_control_says_that_it_cannot_read(panel):
    page = panel(SOON)
    press(page, "text")
    field(page, "text").fill("spider")
    field(page, "text").press("Enter")
    expect(page.locator(PICTURE)).to_have_attribute("alt", "optimised picture, spider, step 8")
    page.locator("select").first.select_option("timm/tf_efficientnet_lite0")
    says(page, "unimodal control")
    press(page, "Start")
    expect(page.get_by_role("alert")).to_contain_text("has no text tower")
    says(page, "failed")


def test_what_a_family_does_is_seen_side_by_side(panel):
    page = panel(SOON)
    says(page, "step 8 of 8 · finished")
    press(page, "without robustness")
    kept = page.locator(".cb-pinned > .cb-frame img")
    expect(kept).to_have_attribute("alt", "kept picture, conv_head-559, step 8")
    says(page, "^B: robustness off$")
    expect(fold(page, "Robustness")).to_have_text(re.compile("off"))
    expect(page.locator(".cb-caption", has_text="no transforms")).to_contain_text("8 steps · seed 2")
    expect(page.locator(".cb-pinned div.cb-caption")).to_contain_text("jitter 16 px")
    assert kept.bounding_box()["x"] < page.locator(PICTURE).bounding_box()["x"]  # A | B
    press(page, "Take A away")
    expect(kept).to_have_count(0)


def test_a_finished_picture_says_how_far_to_trust_it_and_which_photos_excite_its_unit(panel):
    page = panel(SOON)
    says(page, r"of \d+ shipped photos these excite it most")
    expect(page.locator(".cb-trust li").first).to_contain_text(re.compile("excites"))
    assert page.locator(".cb-strip").last.locator("img").count() == 6


@pytest.mark.thorough
def test_picture_or_adversarial(panel):
    page = panel(f"want=label&words=toaster&photo=apple&{SOON}")
    says(page, "step 8 of 8 · finished")
    fold(page, "Start").click()
    press(page, "Picture or adversarial?")
    kept = page.locator(".cb-pinned")
    expect(kept.locator(".cb-note", has_text="of 255 levels a pixel")).to_be_visible()
    expect(kept.locator(".cb-caption", has_text=re.compile(r"pixel\(\d+ px, from photo"))).to_contain_text(
        "32 steps"
    )
    expect(kept.locator(".cb-note", has_text="→ toaster")).to_contain_text("an adversarial example")
    expect(kept.locator(".cb-row img")).to_have_count(3)  # photo, change, result
    says(page, "step 8 of 8 · finished")
    expect(page.locator(".cb-note", has_text="of 255 levels a pixel")).to_have_count(2)


def test_several_faces_grow_in_one_picture(panel):
    page = panel(f"faces=diverse&k=2&{SOON}")
    expect(page.locator(PICTURE)).to_have_attribute("alt", "2 optimised pictures, conv_head-559, step 8")
    expect(page.locator(".cb-caption", has_text="diversity")).to_contain_text("n = 2")
    expect(fold(page, "Faces")).to_contain_text("2 diverse")
    expect(page.locator(".cb-bars")).to_be_hidden()  # two pictures look like two things


def test_a_facet_of_ones_own_is_refused_in_one_sentence(panel):
    page = panel(SOON)
    loaded(page)
    fold(page, "Faces").click()
    page.locator(".widget-dropdown", has_text="faces").locator("select").select_option("one facet")
    page.locator(".widget-dropdown", has_text="facet").last.locator("select").select_option("one of your own")
    field(page, "theme").fill("/nowhere")
    press(page, "Train the facet")
    expect(page.get_by_role("alert")).to_contain_text("there is no folder '/nowhere'")


def test_a_word_leads_to_units(panel):
    page = panel(SOON)
    loaded(page)
    field(page, "find").fill("butterfly")
    field(page, "find").press("Enter")
    says(page, "units that raise its logit most")
    found = page.locator(".cb-row .jupyter-button", has_text=re.compile(r"^\d+ +\+"))
    expect(found).to_have_count(5)
    unit = found.first.inner_text().split()[0]
    found.first.click()
    expect(field(page, "unit")).to_have_value(f"conv_head:{unit}")


def test_a_direction_is_checked_where_it_is_written(panel):
    page = panel(SOON)
    loaded(page)
    press(page, "direction")
    expect(page.get_by_role("alert")).to_contain_text("the direction is empty")
    field(page, "direction").fill("559 + 9999")
    expect(page.get_by_role("alert")).to_contain_text("has no channel 9999")
    field(page, "direction").fill("559 - 0.5*7")
    expect(page.get_by_role("alert")).to_have_count(0)
    field(page, "direction").press("Enter")
    expect(page.locator(".cb-caption", has_text="direction(conv_head: -0.5·7 +1·559")).to_be_visible()


@pytest.mark.thorough
def test_two_tabs_do_not_disturb_each_other(panel):
    first, second = panel(), panel(f"unit=conv_head:7&{SOON}")
    loaded(first)
    press(first, "Start")
    says(first, "a second")
    expect(second.locator(PICTURE)).to_have_attribute("alt", "optimised picture, conv_head-7, step 8")
    press(first, "Stop")
    says(first, "stopped")
    assert "conv_head-559" in first.locator(PICTURE).get_attribute("alt")


@pytest.mark.thorough
def test_the_same_in_jupyterlab(lab, visit, write_notebook):
    cells = (PANEL.replace('get_query_string() or ""', '""'), SHOW)
    page = visit(lab(write_notebook("panel_lab", *cells)))
    run_all(page)
    loaded(page)
    count_changes(page, PICTURE)
    press(page, "Start")
    page.wait_for_function("window.changes >= 10")
    began = time.perf_counter()
    press(page, "Stop")
    says(page, "stopped")
    assert time.perf_counter() - began < 1.0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_of_all_states_for_the_eye(panel, theme):
    page = panel(f"theme={theme}")
    take_all(page, f"feature-{theme}-opening")
    loaded(page)
    take_all(page, f"feature-{theme}-idle")
    press(page, "Start")
    page.wait_for_function(f"{STEP} > 20")
    take_all(page, f"feature-{theme}-running")
    press(page, "Stop")
    says(page, "stopped")
    take_all(page, f"feature-{theme}-stopped")
    field(page, "unit").fill("99999")
    for title in ("Frequency", "Robustness", "Faces", "Start", "Size and length"):
        fold(page, title).click()
    expect(page.get_by_role("alert")).to_be_visible()
    take_all(page, f"feature-{theme}-wrong")


def take_all(page, name):
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 1000})
        shoot(page, f"{name}-{width}")
    page.set_viewport_size({"width": 1440, "height": 1000})
