"""One run of a job: a worker that never waits, and a publisher that waits for the browser.

    worker     stream → newest result
    publisher  newest result → show → wait until the browser has drawn it, at most 20 times a second

Sending is not slowed down by itself when a browser cannot keep up: an unbounded loop fills the socket
within seconds, and the page then shows nothing and answers no click for a minute. Hence the waiting.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

RATE = 20  # pictures a second that are sent at most: smooth to the eye
TELLING = 5  # times a second that progress is told at most: faster, nobody reads it
PATIENCE = 5.0  # seconds that the browser may take for one picture; on a poor network it does take some
MISSES = 2  # times that patience may run out before the browser counts as gone

_NOTHING = object()


class Watcher(Protocol):
    """Counts the pictures sent to a browser and those that the browser says it has drawn."""

    sent: int
    acknowledged: int

    def on_acknowledge(self, callback: Callable[[], None]) -> None:
        """Call back whenever `acknowledged` grows."""


@dataclass(frozen=True)
class Progress:
    """How far a run has come, measured over its last results.

    Args:
        done: results so far.
        total: results to expect, or None.
        rate: results a second, or 0 while there are too few to tell.
    """

    done: int = 0
    total: int | None = None
    rate: float = 0.0

    @property
    def left(self) -> float | None:
        """Seconds until the end, or None while nobody knows."""
        return (self.total - self.done) / self.rate if self.total and self.rate else None


class Run:
    """The state that worker and publisher share; `produce` and `publish` each belong to one thread."""

    def __init__(
        self,
        work: Callable[[], Iterable[Any]],
        show: Callable[[Any], None],
        watcher: Watcher,
        total: int | None,
    ):
        self._work, self._show, self._watcher, self._total = work, show, watcher, total
        self._changed = threading.Condition()
        self._newest: Any = _NOTHING
        self._finished_at: deque[float] = deque(maxlen=30)
        self._done = 0
        self._over = False
        self._error: Exception | None = None
        self._main_loop = _running_loop()
        self.stopped = False
        self.unwatched = False

    def wake(self) -> None:
        """Look again whether the browser has drawn what it was sent."""
        with self._changed:
            self._changed.notify_all()

    def stop(self) -> None:
        """Let the worker end after the result that it is working on."""
        self.stopped = True

    def produce(self) -> None:
        """Read the stream to its end or until stopped, keeping only the newest result."""
        try:
            for result in self._work():
                with self._changed:
                    self._newest = result
                    self._done += 1
                    self._finished_at.append(time.perf_counter())
                    self._changed.notify_all()
                if self.stopped:
                    return
            self.stopped = False  # it came too late
        except Exception as error:
            self._error = error
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def publish(self) -> Iterator[Progress]:
        """Show the newest results until the last, saying now and then, and at last, how far the run is.

        Raises:
            Exception: whatever the worker or `show` raised.
        """
        told = 0.0
        while (result := self._next()) is not _NOTHING:
            started = time.perf_counter()
            self._show(result)
            if started >= told + 1 / TELLING:
                told = started
                yield self._progress()
            self._wait_for_browser()
            time.sleep(max(0.0, started + 1 / RATE - time.perf_counter()))
        if self._done:
            yield self._progress()
        if self._error is not None:
            raise self._error

    def _next(self) -> Any:
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._newest is not _NOTHING)
            result, self._newest = self._newest, _NOTHING
            return result

    def _progress(self) -> Progress:
        with self._changed:
            seconds = self._finished_at[-1] - self._finished_at[0]
            rate = (len(self._finished_at) - 1) / seconds if seconds > 0 else 0.0
            return Progress(self._done, self._total, rate)

    def _wait_for_browser(self) -> None:
        for _ in range(MISSES):
            with self._changed:
                if self._changed.wait_for(lambda: self._drawn() or self._over, PATIENCE):
                    return
            self._wait_for_main_thread()
        self.unwatched = True
        self.stop()

    def _drawn(self) -> bool:
        return self._watcher.acknowledged >= self._watcher.sent

    def _wait_for_main_thread(self) -> None:
        """A kernel busy with a cell reads no acknowledgement; that is not the browser's fault."""
        if self._main_loop is not None:
            turned = threading.Event()
            self._main_loop.call_soon_threadsafe(turned.set)
            turned.wait()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:  # a plain script or a test: acknowledgements come from another thread
        return None
