"""The one state that all panels of a page share."""

import os
import threading
from functools import partial

import torch
import traitlets

import clipbench as cb
from clipbench.errors import ClipbenchError
from widgets.jobs import Latest, guarded


class Workbench(traitlets.HasTraits):
    """Model, unit and device. Panels read and observe it; whoever sets a trait changes all panels.

    The model is loaded in a thread of its own: until then `model` is None and `loading` names it. A model
    that cannot be loaded leaves the one before in place and says why in `message`.

    Args:
        name: what `clipbench.load` takes.
        device: likewise; None takes the best that there is.
    """

    model = traitlets.Any(None, help="ClipModel or VisionModel, or None before the first one is loaded")
    loading = traitlets.Unicode("", help="name of the model that is being loaded, or empty")
    unit = traitlets.Unicode("", help='address of the unit that is looked at, as in "conv_head:550"')
    device = traitlets.Unicode(None, allow_none=True)
    message = traitlets.Unicode("", help="one sentence about the last model that could not be loaded")

    def __init__(self, name: str = "mini", device: str | None = None):
        super().__init__(device=device)
        _leave_a_core_to_the_browser()
        self._settled = threading.Event()
        self._loader = Latest(self._arrived, self._give_up, delay=0.0)
        self.load(name)

    def load(self, name: str) -> None:
        """Change to another model, as soon as it has been loaded; returns at once."""
        self.loading, self.message = name, ""
        self._settled.clear()
        load = guarded(partial(cb.load, name, device=self.device), partial(self._failed, name))
        self._loader.ask(load)

    def loaded(self):
        """The model, waiting for one that is being loaded; not for the kernel's main thread.

        Raises:
            ClipbenchError: no model could be loaded.
        """
        self._settled.wait()
        if self.model is None:
            raise ClipbenchError(self.message)
        return self.model

    def _arrived(self, model) -> None:
        if model is not None and model.name == self.loading:  # else the wish has changed meanwhile
            self.model, self.loading = model, ""
            self._settled.set()

    def _failed(self, name: str, sentence: str) -> None:
        if name == self.loading:
            self._give_up(sentence)

    def _give_up(self, sentence: str) -> None:
        self.message, self.loading = sentence, ""
        self._settled.set()


def _leave_a_core_to_the_browser() -> None:
    """Use all cores but one for torch.

    torch's threads wait for each other actively. When the browser draws on one of their cores, each step
    waits for it: on two cores, 55 steps a second fell to between 3 and 14, but with one thread to 20.
    """
    torch.set_num_threads(max(1, min(torch.get_num_threads(), (os.cpu_count() or 2) - 1)))
