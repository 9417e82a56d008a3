"""The one place that runs work off the kernel's main thread.

A callback that computes for seconds freezes the page, because the kernel answers no click until it
returns, and an exception in a thread or a callback vanishes without a word. So a panel hands its work
to one of three helpers, and all of them bring errors to the person:

    Job      a stream of results for seconds or minutes, watched live; one at a time, can be stopped
    Latest   many cheap requests, of which only the newest matters, as when a slider moves
    guarded  a callback that may fail
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import traitlets

from clipbench.errors import ClipbenchError
from widgets.run import Progress, Run, Watcher

Complain = Callable[[str], None]

SETTLE = 0.15  # seconds that a change may wait for the next one: below what a person notices

_log = logging.getLogger(__name__)


class Job(traitlets.HasTraits):
    """Reads a stream of results in a worker thread and shows the newest ones to a browser.

    The worker never waits for whoever watches. `state`, `error` and, a few times a second, `progress` can
    be observed; observers, `show` and `complain` are called in a thread of their own, one call at a time.

    Args:
        watcher: what tells that the browser has taken a picture, usually the `Frame` that `show` fills.
            When it no longer does, the job stops by itself, so that the kernel can be culled.
    """

    state = traitlets.Enum(("idle", "running", "stopped", "finished", "failed"), "idle")
    progress = traitlets.Instance(Progress, ())
    error = traitlets.Instance(Exception, allow_none=True)

    def __init__(self, watcher: Watcher):
        super().__init__()
        self._watcher = watcher
        self._run: Run | None = None
        watcher.on_acknowledge(self._acknowledged)

    def start(
        self,
        work: Callable[[], Iterable[Any]],
        show: Callable[[Any], None],
        complain: Complain,
        total: int | None = None,
    ) -> bool:
        """Begin to read `work()` and return at once.

        Args:
            work: makes the stream; called in the worker, so that its errors reach `complain` too. Handing
                over the same iterator again goes on where the last run stopped.
            show: called with the newest result, at most 20 times a second and no faster than the
                browser takes them; always called with the last one.
            complain: called with one sentence when the work fails, or when it cannot start.
            total: number of results to expect, for the time left.

        Returns:
            False, after a complaint, when this job runs already.
        """
        if self.state == "running":
            complain("This is running already; press Stop before starting anew.")
            return False
        self._run = run = Run(work, show, self._watcher, total)
        self.error, self.progress, self.state = None, Progress(total=total), "running"
        threading.Thread(target=run.produce, name="clipbench worker", daemon=True).start()
        publish = partial(self._publish, run, complain)
        threading.Thread(target=publish, name="clipbench publisher", daemon=True).start()
        return True

    def stop(self) -> None:
        """End the run within one result; what has been shown stays. Harmless when nothing runs."""
        if self._run is not None:
            self._run.stop()

    def _acknowledged(self) -> None:
        if self._run is not None:
            self._run.wake()

    def _publish(self, run: Run, complain: Complain) -> None:
        try:
            for progress in run.publish():
                self.progress = progress
        except Exception as error:  # from show, or passed on by the worker
            run.stop()
            self.error = error
            complain(sentence(error))
            self.state = "failed"
            return
        if run.stopped and run.unwatched:
            complain("Stopped, because the browser no longer answered.")
        self.state = "stopped" if run.stopped else "finished"


class Latest:
    """Runs only the newest of many requests, off the main thread, and shows results in order.

    A request waits until `delay` seconds after the first one not yet served, so that a person who keeps
    dragging still sees something move. Requests overtaken meanwhile are never run.

    Args:
        show: called with what the work returned.
        complain: called with one sentence when the work or `show` fails.
        delay: seconds in which requests are gathered into one.
        pause: seconds between the end of one request and the start of the next, at least.
    """

    def __init__(
        self,
        show: Callable[[Any], None],
        complain: Complain,
        delay: float = SETTLE,
        pause: float = 0.0,
    ):
        self._show, self._complain, self._delay, self._pause = show, complain, delay, pause
        self._lock = threading.Lock()
        self._newest: Callable[[], Any] | None = None
        self._serving = False

    def ask(self, work: Callable[[], Any]) -> None:
        """Request `show(work())`, in place of any request that still waits."""
        with self._lock:
            self._newest = work
            if self._serving:
                return
            self._serving = True
        threading.Thread(target=self._serve, name="clipbench latest", daemon=True).start()

    def drop(self) -> None:
        """Forget the request that still waits, if any."""
        with self._lock:
            self._newest = None

    def _serve(self) -> None:
        while True:
            time.sleep(self._delay)
            with self._lock:
                work, self._newest = self._newest, None
                if work is None:
                    self._serving = False
                    return
            guarded(lambda work=work: self._show(work()), self._complain)()
            time.sleep(self._pause)


def guarded(callback: Callable[..., Any], complain: Complain) -> Callable[..., Any]:
    """The same callback, whose errors reach the person instead of vanishing; it then returns None."""

    def call(*args: Any) -> Any:
        try:
            return callback(*args)
        except Exception as error:
            complain(sentence(error))
            return None

    return call


def sentence(error: Exception) -> str:
    """What to tell a person about an error: bad input explains itself, the rest is logged in full."""
    if isinstance(error, ClipbenchError):
        return str(error)
    _log.error("work of a panel failed", exc_info=error)
    return f"This failed unexpectedly: {type(error).__name__}: {error} (the log has the details)."
