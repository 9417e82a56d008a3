"""The picture widget and the job behind it, in a real browser: pace, stop, drag, and a tab that is closed."""

import time

import pytest
from driving import changes, count_changes, python, run_all
from playwright.sync_api import expect

from widgets.run import MISSES, PATIENCE

FAST = """
import io, itertools, time
import ipywidgets as w
from PIL import Image
from widgets import parts
from widgets.frame import Frame
from widgets.jobs import Job

def jpeg(number):
    file = io.BytesIO()
    Image.new("RGB", (64, 64), (number * 7 % 256, number * 3 % 256, 90)).save(file, "JPEG")
    return file.getvalue()

def steps():
    for number in itertools.count(1):
        time.sleep(0.002)
        open(diary, "w").write(str(number))
        yield number

frame, note = Frame(width=200), parts.Note()
start, stop = w.Button(description="Start"), w.Button(description="Stop")
frame.show(jpeg(0), "step 0")
job = Job(frame)
job.observe(lambda change: note.say(change.new), "state")
start.on_click(lambda _: job.start(steps, lambda n: frame.show(jpeg(n), f"step {n}"), note.say))
stop.on_click(lambda _: job.stop())
parts.Page(frame, parts.row(start, stop), note)
"""

MOVE = """
import ipywidgets as w
from widgets import parts
from widgets.frame import Frame

frame, note = Frame(width=200, use="move", x=0.5, y=0.5, size=0.2), parts.Note()
frame.show(picture, "a grey square")
frame.observe(lambda _: note.say(f"{frame.x:.2f} {frame.y:.2f} {frame.size:.3f}"), ["x", "y", "size"])
parts.Page(frame, note)
"""

IMAGE = ".cb-frame img"
SQUARE = """
import io
from PIL import Image
file = io.BytesIO()
Image.new("RGB", (50, 50), "grey").save(file, "PNG")
picture = file.getvalue()
"""


@pytest.fixture
def fast(write_notebook, tmp_path):
    diary = tmp_path / "diary"
    return write_notebook("fast", python(diary=str(diary)) + FAST), diary


def start(page):
    expect(page.locator(IMAGE)).to_have_attribute("alt", "step 0")
    count_changes(page, IMAGE)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".cb-note")).to_have_text("running")


def stop(page) -> float:
    began = time.perf_counter()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".cb-note")).to_have_text("stopped")
    return time.perf_counter() - began


def test_pictures_come_at_twenty_a_second_and_stop_stops(voila, visit, fast):
    page = visit(voila(fast[0]))
    start(page)
    page.wait_for_timeout(3000)
    assert 10 <= changes(page) <= 70
    assert stop(page) < 1.0
    seen = changes(page)
    page.wait_for_timeout(500)
    assert changes(page) <= seen + 1


def test_a_slow_browser_still_stops_soon(voila, visit, fast):
    page = visit(voila(fast[0]))
    expect(page.locator(IMAGE)).to_have_attribute("alt", "step 0")
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 20})
    start(page)
    page.wait_for_timeout(4000)
    assert changes(page) >= 2
    assert stop(page) < 6.0  # most of it is the page's own slowness; unpaced it took a minute


def test_work_ends_when_the_tab_is_closed(voila, visit, fast):
    name, diary = fast
    page = visit(voila(name))
    start(page)
    page.close()
    time.sleep(MISSES * PATIENCE + 4)
    count = diary.read_text()
    time.sleep(1)
    assert diary.read_text() == count


def test_work_goes_on_in_a_tab_out_of_sight(voila, visit, fast):
    name, diary = fast
    page = visit(voila(name))
    start(page)
    page.evaluate(
        """() => {
             Object.defineProperty(document, "hidden", { get: () => true });
             HTMLImageElement.prototype.decode = () => new Promise(() => {});
             document.dispatchEvent(new Event("visibilitychange"));
           }"""
    )
    seen, seconds = changes(page), MISSES * PATIENCE + 2
    time.sleep(seconds)
    assert changes(page) - seen > 2 * seconds  # not only as often as what is never decoded
    count = diary.read_text()
    time.sleep(0.5)
    assert diary.read_text() != count
    stop(page)


def test_pictures_that_are_never_decoded_do_not_end_the_work(voila, visit, fast):
    page = visit(voila(fast[0]))
    page.add_init_script("HTMLImageElement.prototype.decode = () => new Promise(() => {})")
    page.reload()
    start(page)
    page.wait_for_timeout(3000)
    assert 2 <= changes(page) <= 5  # one a second
    stop(page)


@pytest.mark.thorough
def test_the_same_in_jupyterlab(lab, visit, fast):
    page = visit(lab(fast[0]))
    run_all(page)
    start(page)
    page.wait_for_timeout(2000)
    assert changes(page) >= 10
    assert stop(page) < 1.0


@pytest.fixture
def movable(voila, visit, write_notebook):
    page = visit(voila(write_notebook("move", SQUARE + MOVE)))
    expect(page.locator(IMAGE)).to_have_attribute("alt", "a grey square")
    page.wait_for_function("document.querySelector('.cb-frame img').naturalWidth > 0")
    return page


def reported(page, text):
    expect(page.locator(".cb-note")).to_have_text(text)


def test_a_label_is_dragged_by_where_it_was_gripped(movable):
    box = movable.locator(IMAGE).bounding_box()
    assert (box["width"], box["height"]) == (200, 200)
    movable.mouse.move(box["x"] + 110, box["y"] + 100)  # ten pixels beside its centre
    movable.mouse.down()
    movable.mouse.move(box["x"] + 160, box["y"] + 60, steps=5)
    reported(movable, "0.75 0.30 0.200")
    movable.mouse.move(box["x"] + 900, box["y"] - 50, steps=3)  # outside: it stays at the edge
    reported(movable, "1.00 0.00 0.200")
    movable.mouse.up()


def test_a_click_puts_the_label_there(movable):
    movable.locator(IMAGE).click(position={"x": 50, "y": 150})
    reported(movable, "0.25 0.75 0.200")


def test_the_wheel_sizes_the_label(movable):
    movable.locator(IMAGE).hover()
    movable.mouse.wheel(0, -100)
    reported(movable, "0.50 0.50 0.221")  # e^0.1


def test_the_keyboard_does_what_the_mouse_does(movable):
    movable.locator(IMAGE).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Shift+ArrowDown"):
        movable.keyboard.press(key)
    reported(movable, "0.54 0.58 0.200")
    movable.keyboard.press("+")
    reported(movable, "0.54 0.58 0.220")
    movable.keyboard.press("-")
    reported(movable, "0.54 0.58 0.200")


def test_pixels_are_shown_as_squares_only_when_much_enlarged(movable):
    sharp = "getComputedStyle(document.querySelector('.cb-frame img')).imageRendering"
    assert movable.evaluate(sharp) == "pixelated"  # 50 px shown on 200
    movable.set_viewport_size({"width": 110, "height": 500})
    movable.wait_for_function(f"{sharp} !== 'pixelated'")
