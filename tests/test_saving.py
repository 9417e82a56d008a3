"""What a panel offers to save: a picture at once, a film or its steps when asked for."""

import re
import time
from base64 import b64decode
from io import BytesIO

import numpy as np
from PIL import Image

import clipbench as cb
from clipbench.optvis.frames import film_steps
from widgets.feature import EXAMPLE
from widgets.feature_view import _file
from widgets.growth import Example, Growth
from widgets.recipe import Recipe
from widgets.saving import Saving


def offered(saving: Saving) -> tuple[str, str, bytes]:
    """Type, file name and content of the link, once it is there."""
    for _ in range(100):
        found = re.search(r'href="data:(.*?);base64,(.*?)" download="(.*?)"', saving._link.value)
        if found:
            return found[1], found[3], b64decode(found[2])
        time.sleep(0.02)
    raise AssertionError(saving._link.value)


def test_the_picture_is_there_at_once_and_the_rest_when_chosen():
    saving, made = Saving(), []

    def encoded(ending):
        made.append(ending)
        return f"a {ending}".encode()

    assert saving.layout.display == "none"
    saving.offer("unit <7>", encoded)
    assert saving.layout.display is None and made == [".png"]
    assert offered(saving) == ("image/png", "unit &lt;7&gt;.png", b"a .png")
    for ending, kind in ((".gif", "image/gif"), (".mp4", "video/mp4"), (".svg", "image/svg+xml")):
        saving._menu.value = ending
        assert offered(saving) == (kind, f"unit &lt;7&gt;{ending}", f"a {ending}".encode())
    saving.offer("other", encoded)
    assert offered(saving)[1] == "other.svg", "the choice stays for the next picture"
    saving.withdraw()
    assert saving.layout.display == "none" and saving._link.value == ""


def test_what_was_overtaken_is_not_offered():
    saving = Saving()

    def slow(ending):
        time.sleep(0.2)
        return b"old"

    saving._menu.value = ".gif"
    saving.offer("old", slow)
    saving.offer("new", lambda ending: b"new")
    time.sleep(0.4)
    assert offered(saving) == ("image/gif", "new.gif", b"new")


def test_what_cannot_be_made_gets_one_sentence():
    saving = Saving()

    def broken(ending):
        if ending != ".png":
            raise cb.ClipbenchError("there is no room")
        return b"fine"

    saving.offer("x", broken)
    saving._menu.value = ".mp4"
    for _ in range(100):
        if "there is no room" in saving._message.value:
            break
        time.sleep(0.02)
    assert "there is no room" in saving._message.value
    saving._menu.value = ".png"
    assert offered(saving)[2] == b"fine" and saving._message.value == ""


def test_a_growth_keeps_the_frames_of_its_film(tiny):
    growth = Growth(Recipe(unit="layer2:3", pixels=64, steps=20), lambda: tiny)
    steps = {step.number: step for step in growth.grow()}
    growth.hold()
    frames = growth.frames(20)
    assert set(film_steps(20)) <= set(frames.numbers) and frames.numbers[-1] == 20
    assert np.array_equal(np.asarray(frames.sheets[-1]), np.asarray(growth.image(20)))
    assert frames.values[:, 0].tolist() == [steps[number].value.item() for number in frames.numbers]
    assert growth.frames(4).numbers[-1] == 4 and growth.frames(4).provenance == growth.provenance(4)
    with Image.open(BytesIO(_file(growth, 20, ".gif"))) as film:
        assert film.n_frames == len(film_steps(20))


def test_the_example_can_be_saved_too():
    example = Example(EXAMPLE)
    number = example.numbers[-1]
    with Image.open(BytesIO(_file(example, number, ".png"))) as picture:
        assert np.array_equal(np.asarray(picture), np.asarray(example.image(number)))
    table = _file(example, number, ".svg").decode()
    assert table.count("<image ") == 4 and "noise" in table and f"step {number}" in table
