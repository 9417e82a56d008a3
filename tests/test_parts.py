"""The pieces of all panels: what a person wrote is escaped, and what is wrong is said where it is wrong."""

import pytest

from clipbench.errors import ClipbenchError
from widgets import parts
from widgets.frame import Frame

ATTACK = '<img src=x onerror="alert(1)">\'&'


def escaped(widget, say):
    """What the widget shows of the attack; the only tags left are its own."""
    say()
    assert "<img" not in widget.value
    assert '"alert(' not in widget.value  # cannot leave an attribute either
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#x27;&amp;" in widget.value


def test_text_is_escaped_wherever_it_can_be_shown():
    message, note, caption, bars = parts.Message(), parts.Note(), parts.Caption(), parts.Bars()
    escaped(message, lambda: message.say(ATTACK))
    escaped(note, lambda: note.say(ATTACK))
    escaped(caption, lambda: caption.show(ATTACK))
    escaped(caption, lambda: caption.show("", command=ATTACK))
    escaped(caption, lambda: caption.show("", about=(ATTACK, ATTACK)))
    escaped(bars, lambda: bars.show([(ATTACK, 0.5)]))
    escaped(parts.prose(ATTACK), lambda: None)


def test_an_empty_message_takes_no_place():
    message = parts.Message()
    message.say("wrong")
    assert 'role="alert"' in message.value
    message.say("")
    assert message.value == ""


def whole(text):
    if not text.isdecimal():
        raise ClipbenchError(f"{text!r} is no whole number")
    return int(text)


def test_a_field_means_something_or_says_what_is_wrong():
    field = parts.Field("steps", "12", whole)
    message = field.children[1]
    assert (field.meaning, message.value) == (12, "")
    field.line.value = "many"
    assert field.meaning is None and "&#x27;many&#x27; is no whole number" in message.value
    field.line.value = "3"
    assert (field.meaning, message.value) == (3, "")


def test_a_field_that_is_read_by_what_changes_is_checked_again():
    limit = [10]

    def below(text):
        if int(text) > limit[0]:
            raise ClipbenchError("too large")
        return int(text)

    field = parts.Field("unit", "12", below)
    assert field.meaning is None
    limit[0] = 20
    field.check()
    assert field.meaning == 12


def test_a_strip_keeps_word_and_picture_together():
    strip = parts.Strip(pytest.fail)
    strip.show([("0", b"grey"), ("now", b"eye")])
    strip.show([("0", b"grey"), ("4", b"eye"), ("now", b"dog")])  # what was newest has become a kept step
    told = [(thumb.children[0].alt, thumb.children[0].picture) for thumb in strip.children]
    assert told == [("0", b"grey"), ("4", b"eye"), ("now", b"dog")]
    strip.show([("0", b"new")])
    assert len(strip.children) == 1 and strip.children[0].children[0].picture == b"new"


def test_a_strip_tells_which_picture_was_pressed():
    pressed = []
    strip = parts.Strip(pressed.append)
    strip.show([("a", b"1"), ("b", b"2")])
    strip.children[1].children[0]._receive(None, {"pressed": True}, [])
    assert pressed == [1]


def test_a_frame_counts_what_it_sent_and_what_was_drawn():
    frame, woken = Frame(), []
    frame.on_acknowledge(lambda: woken.append(frame.acknowledged))
    frame.show(b"one", "first")
    frame.show(b"two", "second")
    assert (frame.sent, frame.acknowledged, frame.alt) == (2, 0, "second")
    frame._receive(None, {"acknowledged": 2}, [])
    frame._receive(None, {"acknowledged": 1}, [])  # an answer that was overtaken takes nothing back
    assert (frame.acknowledged, woken) == (2, [2, 2])
