"""A picture in the browser that says when it has been drawn, and that can be pressed or dragged on."""

import threading
from collections.abc import Callable
from pathlib import Path

import anywidget
import traitlets

_HERE = Path(__file__).parent


class Frame(anywidget.AnyWidget):
    """One picture, replaced as often as wanted.

    The browser answers each picture once it has decoded it, or after a second; `sent` and `acknowledged`
    count both, so that a `Job` can keep pace with a slow browser and notice one that has gone. Pictures to
    press are not answered: an answer costs the kernel as much as a frame, and they change along with a
    large one.

    Args:
        alt: what the picture shows, for those who do not see it.
        width: widest size on the page in CSS pixels; on a narrow page it shrinks.
        use: "look" at it; "press" it like a button (click, Enter); "move" a label on it: drag or the arrow
            keys set `x` and `y`, mouse wheel, pinch, + and - set `size`.
        x: place of the label's centre, from 0 (left) to 1 (right).
        y: place of the label's centre, from 0 (top) to 1 (bottom).
        size: size of the label, from 0.02 to 1.
        address: query string, such as "unit=conv_head:550", that brings this picture back; in Voilà the
            page's address follows it.
    """

    _esm = _HERE / "frame.js"

    picture = traitlets.Bytes(b"").tag(sync=True)
    sent = traitlets.Int(0).tag(sync=True)
    alt = traitlets.Unicode("").tag(sync=True)
    width = traitlets.Int(384).tag(sync=True)
    use = traitlets.Enum(("look", "press", "move"), "look").tag(sync=True)
    x = traitlets.Float(0.5).tag(sync=True)
    y = traitlets.Float(0.5).tag(sync=True)
    size = traitlets.Float(0.2).tag(sync=True)
    address = traitlets.Unicode("").tag(sync=True)

    def __init__(self, **traits):
        super().__init__(**traits)
        self.acknowledged = 0
        self._sending = threading.Lock()
        self._on_acknowledge: list[Callable[[], None]] = []
        self._on_press: list[Callable[[], None]] = []
        self.on_msg(self._receive)
        self.add_class("cb-frame")

    def show(self, picture: bytes, alt: str) -> None:
        """Send a picture to the browser; from any thread.

        Args:
            picture: the bytes of a JPEG or PNG file.
            alt: what it shows, in words.
        """
        with self._sending, self.hold_sync():
            self.picture, self.alt = picture, alt
            self.sent += 1

    def on_acknowledge(self, callback: Callable[[], None]) -> None:
        """Call back whenever the browser has drawn a picture."""
        self._on_acknowledge.append(callback)

    def on_press(self, callback: Callable[[], None]) -> None:
        """Call back when the picture is clicked, or Enter is pressed on it."""
        self._on_press.append(callback)

    def _receive(self, _widget, content: dict, _buffers) -> None:
        if "acknowledged" in content:
            self.acknowledged = max(self.acknowledged, int(content["acknowledged"]))
            callbacks = self._on_acknowledge
        else:
            callbacks = self._on_press
        for callback in callbacks:
            callback()
