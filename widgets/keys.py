"""A place on the page that takes the keyboard."""

from collections.abc import Callable
from pathlib import Path

import anywidget
import traitlets


class Keys(anywidget.AnyWidget):
    """Calls back with each key that is pressed while it has the focus, in the order in which they came.

    Args:
        hint: what stands in it.
    """

    _esm = Path(__file__).with_name("keys.js")

    hint = traitlets.Unicode("").tag(sync=True)

    def __init__(self, pressed: Callable[[str], None], **traits):
        super().__init__(**traits)
        self.on_msg(lambda _widget, content, _buffers: pressed(str(content.get("key", ""))))
