"""What the feature panel shows: the picture, how its value rose, how it looked before, what it looks like."""

from collections.abc import Callable, Sequence
from functools import partial

import ipywidgets as w
from PIL import Image

from clipbench.optvis import Step
from clipbench.optvis.frames import steps_shown
from widgets import parts, pictures
from widgets.compare import Pinned
from widgets.findings import Finder, Findings, FindingsView
from widgets.frame import Frame
from widgets.growth import Example, Growth
from widgets.jobs import Latest
from widgets.saving import Saving


class View(w.VBox):
    """Draws a growth, live or as it was at one of its kept steps.

    Args:
        looked_at: called with every picture that is drawn large.
        take: called with the name of a photo that is to be the start of the next picture.
        below: stands under the pictures, above what is found out about them.
    """

    def __init__(
        self, looked_at: Callable[[Image.Image], None], take: Callable[[str], None], below: w.Widget
    ):
        self.frame = Frame(width=384)
        self.progress = parts.Note()
        self._looked_at = looked_at
        self._growth: Growth | Example | None = None
        self._now: tuple[int, Image.Image] | None = None  # newest step and its pictures
        self._chosen: int | None = None  # kept step that is looked at; None follows the newest
        self._earlier: list[int] = []  # kept steps that stand in the strip, before the newest
        self._thumbs: dict[int, bytes] = {}
        self._resting = True
        self._kept: Growth | Example | None = None  # that is compared with
        self._curve, self._save, self._difference = w.HTML(), Saving(), parts.Note()
        self._strip = parts.Strip(self._choose)
        self._likely, self._caption = parts.Bars(), parts.Caption()
        self._heading = parts.prose("To the model it looks like", "h3")
        self._pinned, self._findings, self._message = Pinned(), FindingsView(take), parts.Message()
        self._finder = Finder()
        self._asker = Latest(self._tell_findings, self._message.say, delay=0.0)
        self._side = w.VBox([self._difference, self.progress, self._curve, self._heading, self._likely])
        self._pictures = parts.beside(self.frame, self._side)
        rest = [self._strip, self._caption, self._save, below, self._message, self._findings]
        super().__init__([self._pictures, *rest])

    def show_example(self, example: Example) -> None:
        """Show a finished example."""
        number = example.numbers[-1]
        self._growth, self._now = example, (number, example.image(number))
        self._enlarge()
        self.show_likely(example.likely)
        self.rest()

    def draw(self, growth: Growth, step: Step) -> None:
        """Show the pictures of the newest step of a growth; the rest of the view waits for `tell`."""
        self._now = step.number, pictures.picture(step)
        self._resting = False
        if growth is not self._growth:
            self._growth, self._chosen, self._thumbs = growth, None, {}
            self.frame.address = growth.recipe.query()
            self._save.withdraw()
            self._findings.show(None)
            self._tell_difference()
            self._tell_origin(growth.goal)
        self._enlarge()

    def tell(self) -> None:
        """Bring the earlier pictures and the curve up to date."""
        growth, (number, image) = self._growth, self._now
        self._earlier = [kept for kept in growth.numbers if kept < number]  # the worker is ahead of it
        for kept in self._earlier:
            if kept not in self._thumbs:
                self._thumbs[kept] = pictures.thumbnail(growth.image(kept))
        small = [(str(kept), self._thumbs[kept]) for kept in self._earlier]
        self._strip.show([*small, (str(number) if self._resting else "now", pictures.thumbnail(image))])
        self._mark()
        self._curve.value = pictures.curve(growth.values[: number + 1], "objective")

    def rest(self) -> None:
        """Say where the picture comes from, offer to save it and ask about it, now that it stays as it is."""
        growth, self._resting = self._growth, True
        if growth.model is not None:
            growth.hold()
        self.tell()
        number, _ = self._shown()
        self._tell_origin(number)
        self._save.offer(growth.recipe.name, partial(_file, growth, number))
        if growth.model is None:
            known = growth.found if number == growth.number else None
            self._findings.show(known and Findings.from_dict(known))
        else:
            self._asker.ask(lambda: (growth, number, self._finder.find(growth, number)))

    def keep(self) -> None:
        """Keep the picture that is shown beside the next ones."""
        self._kept = self._growth
        self._pinned.show(self._growth, self._shown()[0])
        self._pictures.children = (self._pinned, self.frame, self._side)
        self._tell_difference()

    def drop(self) -> None:
        """Take the picture that was kept away."""
        self._kept = None
        self._pictures.children = (self.frame, self._side)
        self._tell_difference()

    @property
    def keeps(self) -> bool:
        """Whether there is a picture to compare with."""
        return self._kept is not None

    def show_likely(self, shares: Sequence[tuple[str, float]]) -> None:
        """Show what the model takes the picture for."""
        self._likely.show(shares)

    def _enlarge(self) -> None:
        growth, (number, image) = self._growth, self._shown()
        one = growth.recipe.batch == 1
        what = "optimised picture" if one else f"{growth.recipe.batch} optimised pictures"
        self.frame.show(pictures.jpeg(image), f"{what}, {growth.recipe.name}, step {number}")
        for widget in (self._heading, self._likely):
            widget.layout.display = None if one else "none"
        if one:
            self._looked_at(image)

    def _choose(self, position: int) -> None:
        self._chosen = self._earlier[position] if position < len(self._earlier) else None
        self._save.withdraw()  # until it holds the picture that is shown
        self._mark()
        self._enlarge()
        if self._resting:
            self.rest()

    def _mark(self) -> None:
        newest = len(self._earlier)
        self._strip.mark(newest if self._chosen is None else self._earlier.index(self._chosen))

    def _shown(self) -> tuple[int, Image.Image]:
        return self._now if self._chosen is None else (self._chosen, self._growth.image(self._chosen))

    def _tell_difference(self) -> None:
        told = ""
        if self._kept is not None:
            other = self._kept.recipe.difference(self._growth.recipe)
            told = f"B: {other or 'the same settings as A, until you change some'}"
        self._difference.say(told)

    def _tell_origin(self, number: int) -> None:
        origin, recipe = self._growth.provenance(number), self._growth.recipe
        command = recipe.command(origin.model, number) if number else ""
        self._caption.show(origin.caption(), command, parts.about(origin.model))

    def _tell_findings(self, answer: tuple) -> None:
        growth, number, found = answer
        if self._resting and growth is self._growth and number == self._shown()[0]:  # else it is overtaken
            self._findings.show(found)


def _file(growth: Growth | Example, number: int, ending: str) -> bytes:
    return growth.frames(number).only(steps_shown(ending, number)).encoded(ending)
