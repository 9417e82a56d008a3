"""A button that starts work and stops it, with a browser that answers at once."""

import threading
import time
from dataclasses import dataclass

import pytest

import clipbench as cb
from widgets.frame import Frame
from widgets.worker import Worker


@dataclass
class Counted:
    done: int
    total: int = 3


@pytest.fixture(autouse=True)
def browser(monkeypatch):
    """Answers each picture as soon as it is sent."""
    show = Frame.show

    def answered(frame, picture, alt):
        show(frame, picture, alt)
        frame._receive(frame, {"acknowledged": frame.sent}, None)

    monkeypatch.setattr(Frame, "show", answered)


def worker(work) -> tuple[Worker, list]:
    shown = []
    return Worker("Begin", work, shown.append, lambda result: f"{result.done} of {result.total}"), shown


def until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_runs_to_the_end_and_says_so():
    made, shown = worker(lambda: lambda: (Counted(number) for number in (1, 2, 3)))
    assert (made._go.description, made._go.button_style, made._note.value) == ("Begin", "primary", "")
    made._go.click()
    until(lambda: "finished · 3 of 3" in made._note.value)
    assert made._go.description == "Begin" and shown[-1] == Counted(3)


def test_what_is_given_again_is_shown_once():
    one, two = Counted(1), Counted(2)

    def slowly():
        for result in (one, one, one, two, two):
            yield result
            time.sleep(0.1)

    made, shown = worker(lambda: slowly)
    made._go.click()
    until(lambda: "finished" in made._note.value)
    assert shown == [one, two] and made._pulse.sent > 2


def test_it_is_stopped_by_the_same_button_and_begins_anew():
    goes_on, ended = threading.Event(), []

    def counting():
        yield Counted(1)
        goes_on.wait(10)
        yield Counted(2)
        ended.append(True)

    made, _ = worker(lambda: counting)
    made._go.click()
    until(lambda: "running · 1 of 3" in made._note.value)
    assert (made._go.description, made._go.button_style) == ("Stop", "")
    made._go.click()
    goes_on.set()
    until(lambda: "stopped · 2 of 3" in made._note.value)
    assert made._go.description == "Begin" and ended == []
    made.start()
    until(lambda: "finished · 2 of 3" in made._note.value)
    assert ended == [True]


def test_what_goes_wrong_is_said_and_a_wrong_control_starts_nothing():
    def fails():
        yield Counted(1)
        raise cb.ClipbenchError("the <b>folder</b> is gone")

    made, _ = worker(lambda: fails)
    made.start()
    until(lambda: "failed" in made._note.value)
    assert "the &lt;b&gt;folder&lt;/b&gt; is gone" in made._message.value
    idle, shown = worker(lambda: None)
    idle.start()
    assert idle._job.state == "idle" and shown == []
