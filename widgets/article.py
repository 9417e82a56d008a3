"""The panel "The article's attacks": its tables, its nine texts, the Stroop test and the wall, all live."""

from collections.abc import Mapping

from widgets import parts
from widgets.inks import Inks
from widgets.nine import NineTexts
from widgets.tables import NinePhotos
from widgets.wall import Wall
from widgets.workbench import Workbench


class Panel(parts.Page):
    """What the article published of its attacks, and the same of the model of the page.

    Args:
        bench: the shared state.
        query: the parsed address of the page, of which this panel has no keys of its own.
    """

    def __init__(self, bench: Workbench, query: Mapping[str, str] | None = None):
        sections = [NinePhotos(bench), NineTexts(bench), Inks(bench), Wall(bench)]
        super().__init__(*(parts.classed(section, "cb-section") for section in sections))
