"""A button that starts work of seconds or minutes and stops it, and a line that says how far it has come."""

from collections.abc import Callable, Iterable
from typing import Any

import ipywidgets as w

from widgets import parts
from widgets.frame import Frame
from widgets.jobs import Job, guarded

_PIXEL = bytes.fromhex(  # a GIF of one clear pixel
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)


class Worker(w.VBox):
    """Runs one stream at a time; what it has shown stays when it is stopped.

    Args:
        name: what stands on the button.
        work: called when the button is pressed; returns what makes the stream, which is called in a thread
            of its own, or None where a control is wrong and says so.
        show: called with the newest result.
        tell: result -> how far it has come, in words.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], Callable[[], Iterable[Any]] | None],
        show: Callable[[Any], None],
        tell: Callable[[Any], str],
    ):
        self._name, self._work, self._show_result, self._tell = name, work, show, tell
        self._go, self._note, self._message = w.Button(), parts.Note(), parts.Message()
        self._pulse = parts.classed(Frame(), "cb-sheet")  # by it the browser says that it is still there
        self._job, self._newest = Job(self._pulse), None
        super().__init__([parts.row(self._go, self._note), self._message, self._pulse])
        self._go.on_click(guarded(lambda _: self._start_or_stop(), self._message.say))
        self._job.observe(guarded(lambda _: self._turn(), self._message.say), ["state", "progress"])
        self._turn()

    def start(self) -> None:
        """Start, as the button does; nothing happens while it runs."""
        if self._job.state == "running":
            return
        self._message.say("")
        work = self._work()
        if work is not None:
            self._newest = None
            self._job.start(work, self._take, self._message.say)

    def _start_or_stop(self) -> None:
        if self._job.state == "running":
            self._job.stop()
        else:
            self.start()

    def _take(self, result: Any) -> None:
        if result is not self._newest:  # a stream may give a moment to stop in, and nothing new
            self._newest = result
            self._show_result(result)
        self._pulse.show(_PIXEL, "")

    def _turn(self) -> None:
        state, running = self._job.state, self._job.state == "running"
        self._go.description = "Stop" if running else self._name
        self._go.button_style = "" if running else "primary"
        told = [] if state == "idle" else [state]
        if self._newest is not None:
            told.append(self._tell(self._newest))
        if running:
            told += self._left()
        self._note.say(" · ".join(told))

    def _left(self) -> list[str]:
        """Seconds until the end, of a stream whose results know their `done` and `total`."""
        progress, newest = self._job.progress, self._newest
        if not progress.rate or not getattr(newest, "done", 0):
            return []
        pace = progress.rate * newest.done / progress.done
        return [f"{(newest.total - newest.done) / pace:.0f} s left"]
