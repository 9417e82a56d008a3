"""What has been painted, or how it grew, as a file to keep."""

import html
from base64 import b64encode
from collections.abc import Callable

import ipywidgets as w

from widgets import parts
from widgets.jobs import Latest

_PNG = ".png"
_KINDS = {  # ending -> what the menu and the link call it, and its type
    _PNG: ("picture", "image/png"),
    ".gif": ("film (GIF)", "image/gif"),
    ".mp4": ("film (MP4)", "video/mp4"),
    ".svg": ("steps (SVG)", "image/svg+xml"),
}


class Saving(w.VBox):
    """A link that saves a file, and a menu of what is to be in it."""

    def __init__(self):
        self._name, self._encoded = "", None
        self._link, self._message = w.HTML(), parts.Message()
        self._menu = w.Dropdown(
            options=[(name, ending) for ending, (name, _) in _KINDS.items()],
            layout={"width": "120px"},
            tooltip="what the file is to hold",
        )
        self._maker = Latest(lambda made: self._show(*made), self._message.say, delay=0.0)
        super().__init__([parts.row(self._link, self._menu), self._message])
        self.add_class("cb-save")
        self._menu.observe(lambda _: self._encoded is not None and self._make(), "value")
        self.withdraw()

    def offer(self, name: str, encoded: Callable[[str], bytes]) -> None:
        """Offer files of one name; from any thread.

        Args:
            name: without its ending.
            encoded: from an ending to what is in the file; a picture takes it no time, a film a second.
        """
        self._name, self._encoded = name, encoded
        self.layout.display = None
        self._make()

    def withdraw(self) -> None:
        """Offer nothing."""
        self._encoded = None
        self._link.value, self.layout.display = "", "none"

    def _make(self) -> None:
        ending, encoded = self._menu.value, self._encoded
        self._message.say("")
        if ending == _PNG:
            self._show(encoded, ending, encoded(ending))
            return
        self._link.value = '<span class="cb-note">making the file …</span>'
        self._maker.ask(lambda: (encoded, ending, encoded(ending)))

    def _show(self, encoded: Callable[[str], bytes], ending: str, content: bytes) -> None:
        if (encoded, ending) != (self._encoded, self._menu.value):
            return  # overtaken
        name, kind = _KINDS[ending]
        data = f"data:{kind};base64,{b64encode(content).decode()}"
        file = html.escape(f"{self._name}{ending}")
        self._link.value = f'<a class="cb-link" href="{data}" download="{file}">Save {name}</a>'
