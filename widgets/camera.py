"""A photo by the camera of whoever looks at the page."""

from collections.abc import Callable
from pathlib import Path

import anywidget

_WHY = {  # the names that browsers give what went wrong
    "NotAllowedError": "the browser was not allowed to use the camera; allow it for this page and try again",
    "NotFoundError": "no camera was found; connect one, or upload a photo instead",
    "NotReadableError": "the camera is in use by another program; close that and try again",
    "InsecureError": (
        "a browser lends its camera only to pages at https:// or on the same machine; open the page so, or "
        "upload a photo instead"
    ),
}
_ELSE = "the camera gave no picture ({}); upload a photo instead"


class Camera(anywidget.AnyWidget):
    """A button that shows what the camera sees, and one that takes the photo; the camera is then let go.

    Nothing leaves the browser but the photo that was taken, as a JPEG file of the camera's own size.

    Args:
        taken: called with the bytes of the file.
        complain: called with one sentence when there is no camera, or no permission to use it.
    """

    _esm = Path(__file__).with_name("camera.js")

    def __init__(self, taken: Callable[[bytes], None], complain: Callable[[str], None], **traits):
        super().__init__(**traits)
        self._taken, self._complain = taken, complain
        self.on_msg(self._receive)
        self.add_class("cb-camera")

    def _receive(self, _widget, content: dict, buffers: list) -> None:
        if "failed" in content:
            name = str(content["failed"])
            self._complain(_WHY.get(name, _ELSE.format(name)))
        else:
            self._taken(bytes(buffers[0]))
