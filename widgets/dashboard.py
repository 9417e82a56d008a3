"""The dashboard: on the page at once, complete as soon as torch has been imported."""

import asyncio
import threading
from importlib import import_module
from urllib.parse import parse_qsl

from widgets import parts
from widgets.jobs import guarded


def dashboard(query: str | None = None) -> parts.Page:
    """All panels as tabs, and the menu of models.

    Args:
        query: query string of the page's address, such as "tab=fool&photo=apple&text=iPod", which says what
            to show at first; None in JupyterLab, which has none.
    """
    loading = parts.Note()
    loading.say("clipbench is loading, which takes a few seconds …")
    page = parts.Page(loading)
    asked = dict(parse_qsl(query or ""))

    def fill() -> None:
        page.children = (page.children[0], import_module("widgets.tabs").Tabs(asked))

    loop, fill = asyncio.get_running_loop(), guarded(fill, loading.say)

    def load() -> None:  # here takes the seconds, so that the page can appear meanwhile
        guarded(import_module, loading.say)("widgets.tabs")
        loop.call_soon_threadsafe(fill)

    threading.Thread(target=load, name="clipbench imports", daemon=True).start()
    return page
