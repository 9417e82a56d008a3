"""The panels "Studies" and "Parity" in a real browser, and 200 pictures labelled by keyboard."""

import json
import os
import re
import signal
from pathlib import Path

import pytest
from driving import WIDTHS, shoot, shoot_widths
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.thorough

PICTURES = 200
_BENCH = """
import os
from pathlib import Path

import numpy as np
from PIL import Image
from clipbench.results import Provenance
from clipbench.studies.conditional import stratify
from widgets import parts
from widgets.labelling import Bench

Path("{kernel}").write_text(str(os.getpid()))
rng = np.random.default_rng(0)
values = rng.uniform(-2, 2, size=2000)
sample = stratify(values, 8, 25)
pages = [Image.new("RGB", (64, 64), tuple(rng.integers(0, 255, 3).tolist())) for _ in sample.places]
told = Provenance("made up", "0123", "made up", "layer:0", sample.seed, len(pages))
page = parts.Page(Bench(pages, sample, told))
page
"""


def test_the_article_s_regions_are_on_the_map_and_another_unit_is_chosen(dashboard, visit):
    page: Page = visit(dashboard("tab=studies"))
    chart = page.locator(".cb-chart").first
    expect(chart.locator(".scatterlayer .trace")).to_have_count(176)
    expect(page.get_by_text("americans, american, america")).to_be_visible()
    page.locator("select[multiple]").select_option(label="RN50x4 513 · Australia?")
    expect(page.get_by_text("australian, australia, adelaide")).to_be_visible()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        shoot(page, f"studies-regions-{width}")
    for name, sign in (("Emotions", "767 Champions"), ("Activation and label", "Trump Profile"),
                       ("Maximal text", "the same search for"), ("Sums of words", "princess"),
                       ("Side by side", "beyond chance"), ("Persons", "Martin Luther King"),
                       ("Families", "Lady Gaga")):  # fmt: skip
        page.set_viewport_size({"width": 1440, "height": 900})
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.get_by_text(sign).locator("visible=true").first).to_be_visible()
        shoot_widths(page, f"studies-{name.split()[0].lower()}")
    assert "study=families" in page.url


def test_the_ledger_tells_counts_and_one_topic(dashboard, visit):
    page: Page = visit(dashboard("tab=parity&topic=people"))
    expect(
        page.get_by_text(re.compile(r"\d+ published entries; \d+ were run with no weights"))
    ).to_be_visible()
    rows = page.locator(".cb-table tr")
    expect(rows).to_have_count(1 + 11)
    expect(rows.nth(1)).to_contain_text("not run")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save ledger").click()
    found = json.loads(download.value.path().read_text())["found"]
    assert found["text/families"] == 118
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        shoot(page, f"parity-{width}")


def test_two_hundred_pictures_are_labelled_by_keyboard_and_a_killed_kernel_loses_none(
    voila, visit, write_notebook, tmp_path
):
    path, kernel = tmp_path / "labels.json", tmp_path / "kernel"
    name = write_notebook("bench", _BENCH.format(kernel=kernel))
    page = begin(visit(voila(name)), path)
    for number in range(90):
        page.keyboard.press(str(1 + number % 3))
    expect(page.get_by_text("90 of 200 labelled, all saved")).to_be_visible()
    os.kill(int(kernel.read_text()), signal.SIGKILL)
    page = begin(visit(voila(name)), path)
    expect(page.get_by_text("90 of 200 labelled, all saved")).to_be_visible()
    page.keyboard.press("u")
    expect(page.get_by_text("89 of 200 labelled, all saved")).to_be_visible()
    for number in range(89, PICTURES):
        page.keyboard.press(str(1 + number % 3))
    expect(page.get_by_text("200 of 200 labelled, all saved")).to_be_visible()
    (given,) = json.loads(path.read_text())["given"].values()
    labels = ("photo", "drawing", "word")
    assert given == [labels[number % 3] for number in range(PICTURES)]
    expect(page.locator(".cb-chart .scatterlayer .trace").first).to_be_attached()
    shoot(page, "labelling")


def begin(page: Page, path: Path) -> Page:
    """Open the bench on a file, as rater anna, with the keyboard in its place."""
    page.get_by_role("button", name="Label them yourself, blind").click()
    page.get_by_label("rater", exact=True).fill("anna")
    page.get_by_label("file", exact=True).fill(str(path))
    page.get_by_label("file", exact=True).press("Tab")
    page.get_by_role("button", name="Begin, or go on").click()
    page.locator(".cb-keys").click()
    return page
