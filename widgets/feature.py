"""The panel "See a unit": a picture grows from noise until it excites what was chosen."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import ipywidgets as w
from PIL import Image

from clipbench.classify.likely import most_likely
from widgets import parts
from widgets.compare import Compare
from widgets.controls import Controls
from widgets.explain import Explainer
from widgets.feature_view import View
from widgets.growth import Example, Growth
from widgets.jobs import Job, Latest, guarded
from widgets.recipe import Recipe
from widgets.workbench import Workbench

EXAMPLE = Path(__file__).parent / "examples" / "feature"
_LOOK = 1.0  # seconds between two looks of the model at the frame: each takes time from the optimiser
_BARE = {"frequency": False, "robustness": False, "prior": False}
_FAINT = {"rate": 0.1, "steps": 32}  # of an adversarial example: enough to fool, and hardly to be seen


class Panel(parts.Page):
    """Choose a unit, watch its picture grow, stop it, go on, look back, compare, save it.

    Args:
        bench: the shared state.
        query: the parsed address of the page, such as {"unit": "conv_head:550"}; its keys are the fields
            of a `Recipe`. What it asks for, other than the shipped example, is painted at once.
    """

    def __init__(self, bench: Workbench, query: Mapping[str, str] | None = None):
        self._bench = bench
        self._message = parts.Message()
        self._comparison = Compare(self._keep, self._without, self._drop)
        self._view = View(self._look, self._start_from, self._comparison)
        self._likely = Latest(self._view.show_likely, self._message.say, delay=0.0, pause=_LOOK)
        self._job = Job(self._view.frame)
        self._growth: Growth | Example = Example(EXAMPLE)
        self._view.show_example(self._growth)
        asked = guarded(Recipe.from_query, self._message.say)(query or {}, self._growth.recipe)
        recipe = self._growth.recipe if asked is None else asked
        self._controls = Controls(bench, recipe)
        self._go = w.Button(button_style="primary")
        self._more = w.Button(description="Continue")
        self._next: Recipe | None = None  # what is painted after this, for a comparison
        controls = [self._controls, parts.row(self._go, self._more), self._message]
        super().__init__(parts.columns(controls, [self._view]), Explainer(bench))
        self._go.on_click(guarded(self._start_or_stop, self._message.say))
        self._more.on_click(guarded(self._go_on, self._message.say))
        self._controls.start.compare.on_click(guarded(self._picture_or_adversarial, self._message.say))
        self._controls.on_enter(guarded(self.start, self._message.say))
        self._controls.on_change(self._offer)
        self._job.observe(guarded(lambda _: self._tell(), self._message.say), "progress")
        self._job.observe(guarded(lambda _: self._turn(), self._message.say), "state")
        self._turn()
        if recipe != self._growth.recipe:
            self.start()

    def start(self) -> None:
        """Paint what the controls say, as the button does; nothing happens while one of them is wrong."""
        recipe = self._controls.recipe
        if recipe is not None:  # else the control that is wrong says so
            self._grow(Growth(recipe, self._bench.loaded))

    def _start_or_stop(self, _button: w.Button) -> None:
        if self._job.state == "running":
            self._next = None
            self._job.stop()
        else:
            self.start()

    def _go_on(self, _button: w.Button) -> None:
        self._growth.extend()
        self._grow(self._growth)

    def _keep(self) -> None:
        self._view.keep()
        self._offer()

    def _drop(self) -> None:
        self._view.drop()
        self._offer()

    def _without(self, group: str) -> None:
        """Keep this picture, and paint it anew without one family of regularizers."""
        self._keep()
        self._controls.groups[group].switch.value = False
        self._grow(Growth(self._growth.recipe.without(group), self._bench.loaded))

    def _picture_or_adversarial(self, _button: w.Button) -> None:
        """Go from the same photo without any regularizer, keep that, and go again with them.

        Both at the model's own size: a faint change that was found at another is lost when the model resizes.
        """
        if self._job.state == "running":
            return
        if self._bench.model is not None:
            self._controls.resize(self._bench.model.image_size)
        recipe = self._controls.recipe
        if recipe is not None:
            self._grow(Growth(replace(recipe, **_BARE, **_FAINT), self._bench.loaded))
            self._next = recipe

    def _grow(self, growth: Growth) -> None:
        if self._job.state != "running":
            self._message.say("")
            self._growth = growth
        show = partial(self._view.draw, growth)
        self._job.start(growth.grow, show, self._complain, total=growth.missing)

    def _complain(self, sentence: str) -> None:
        if self._controls.recipe is not None:  # else the control that is wrong has said so
            self._message.say(sentence)

    def _start_from(self, photo: str) -> None:
        self._controls.start.choose(photo)

    def _look(self, image: Image.Image) -> None:
        self._likely.ask(lambda: most_likely(self._bench.loaded(), image))

    def _turn(self) -> None:
        running = self._job.state == "running"
        self._go.description = "Stop" if running else "Start"
        self._go.button_style = "" if running else "primary"
        if not running and self._job.state != "idle":
            self._view.rest()
        self._tell_progress()
        self._offer()
        asked, self._next = self._next, None if not running else self._next
        if self._job.state == "finished" and asked is not None:
            self._keep()
            self._grow(Growth(asked, self._bench.loaded))

    def _tell(self) -> None:
        if self._job.progress.done:
            self._view.tell()
        self._tell_progress()

    def _offer(self) -> None:
        """Going on makes sense only for what the controls still say."""
        growth = self._growth
        possible = (
            self._job.state in ("stopped", "finished")
            and growth.recipe == self._controls.recipe
            and growth.model is self._bench.model
        )
        self._more.layout.display = None if possible else "none"
        self._comparison.offer(None if self._job.state == "running" else growth.recipe, self._view.keeps)

    def _tell_progress(self) -> None:
        growth, progress, state = self._growth, self._job.progress, self._job.state
        told = [f"step {growth.number} of {growth.goal}"]
        if state == "idle":
            told.append("a finished example")
        elif state != "running":
            told.append(state)
        elif progress.left is None:
            told = ["starting …"]
        else:
            told += [f"{progress.rate:.1f} a second", f"{progress.left:.0f} s left"]
        self._view.progress.say(" · ".join(told))
