"""The camera in a real browser, with Chromium's own test card before it."""

import re

import pytest
from driving import shoot
from playwright.sync_api import expect

pytestmark = pytest.mark.thorough

CAMERA = """
from widgets import parts, pictures
from widgets.frame import Frame
from widgets.photos import Photos

photos, frame = Photos("apple"), Frame(width=200)

def show(_):
    picked = photos.picked
    frame.show(pictures.jpeg(picked.image), f"{picked.name}, {picked.image.width} wide")

photos.observe(show, "picked")
show(None)
parts.Page(photos, frame)
"""
PICTURE = ".cb-frame-look img"
STREAM = "() => document.querySelector('.cb-camera video').srcObject?.active ?? false"


@pytest.fixture
def page(voila, visit, write_notebook):
    def open_page(**options):
        page = visit(voila(write_notebook("camera", CAMERA)), **options)
        expect(page.locator(PICTURE)).to_have_attribute("alt", re.compile("^apple, "))
        return page

    return open_page


def test_a_photo_is_taken_and_the_camera_let_go(page):
    page = page(permissions=["camera"])
    page.get_by_role("button", name="Camera").click()
    take = page.get_by_role("button", name="Take the photo")
    expect(take).to_be_focused()
    assert page.evaluate(STREAM)
    shoot(page, "camera-live")
    take.press("Enter")
    expect(page.locator(PICTURE)).to_have_attribute("alt", "photo by the camera, 1280 wide")
    expect(page.locator(".cb-camera video")).to_be_hidden()
    assert not page.evaluate(STREAM)
    shoot(page, "camera-taken")


def test_closing_it_takes_no_photo(page):
    page = page(permissions=["camera"])
    page.get_by_role("button", name="Camera").click()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Camera")).to_be_focused()
    expect(page.locator(PICTURE)).to_have_attribute("alt", re.compile("^apple, "))
    assert not page.evaluate(STREAM)


def test_without_permission_it_says_so_in_a_sentence(page):
    page = page()
    page.get_by_role("button", name="Camera").click()
    expect(page.get_by_role("alert")).to_have_text(
        "the browser was not allowed to use the camera; allow it for this page and try again"
    )
    expect(page.get_by_role("button", name="Camera")).to_be_visible()
