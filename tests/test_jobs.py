"""Work off the main thread: stopping, pacing, errors, and a browser that has gone."""

import asyncio
import itertools
import threading
import time

import pytest

from clipbench.errors import ClipbenchError
from widgets import run
from widgets.jobs import Job, Latest, guarded


class Browser:
    """Draws each picture `delay` seconds after it was sent; never, when the delay is None."""

    def __init__(self, delay: float | None = 0.0):
        self.delay, self.sent, self.acknowledged = delay, 0, 0
        self.shown, self.complaints, self.times = [], [], []
        self._callbacks = []

    def on_acknowledge(self, callback):
        self._callbacks.append(callback)

    def show(self, result):
        self.shown.append(result)
        self.times.append(time.perf_counter())
        self.sent += 1
        if self.delay is not None:
            threading.Timer(self.delay, self.draw, [self.sent]).start()

    def draw(self, number):
        self.acknowledged = number
        for callback in self._callbacks:
            callback()

    def complain(self, sentence):
        self.complaints.append(sentence)


class Steps:
    """Counts without end, one step every `seconds`, as an optimiser would."""

    def __init__(self, seconds: float):
        self.seconds, self.count = seconds, 0

    def __call__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        time.sleep(self.seconds)
        self.count += 1
        return self.count


def eventually(true, seconds=5.0):
    deadline = time.perf_counter() + seconds
    while not true():
        assert time.perf_counter() < deadline, "this never came true"
        time.sleep(0.005)


def finish(job, seconds=5.0):
    eventually(lambda: job.state != "running", seconds)


def begin(work, browser, **options):
    job = Job(browser)
    assert job.start(work, browser.show, browser.complain, **options)
    return job


def test_the_last_result_is_always_shown_and_the_order_kept():
    browser = Browser()
    job = begin(lambda: iter(range(1000)), browser, total=1000)
    finish(job)
    assert job.state == "finished"
    assert browser.shown[-1] == 999
    assert browser.shown == sorted(browser.shown)
    assert job.progress.done == job.progress.total == 1000


def test_no_more_than_twenty_pictures_a_second_are_sent():
    browser, steps = Browser(), Steps(0.001)
    job = begin(steps, browser)
    time.sleep(1.0)
    job.stop()
    finish(job)
    gaps = [later - earlier for earlier, later in itertools.pairwise(browser.times)]
    assert len(gaps) > 5
    assert min(gaps[:-1]) > 0.045
    assert steps.count > 3 * len(browser.shown)  # most results were overtaken


def test_stop_takes_effect_within_one_step():
    browser, steps = Browser(), Steps(0.1)
    job = begin(steps, browser)
    eventually(lambda: steps.count == 3)
    job.stop()
    finish(job, seconds=0.5)
    assert job.state == "stopped"
    assert steps.count <= 4
    assert browser.shown[-1] == steps.count  # what there is stays, up to the last


def test_stop_does_not_wait_for_a_slow_browser():
    browser = Browser(delay=1.5)
    job = begin(Steps(0.01), browser)
    eventually(lambda: browser.shown)
    job.stop()
    finish(job, seconds=0.3)


def test_going_on_reads_the_same_stream_from_where_it_stopped():
    browser, stream = Browser(), iter(range(100_000))
    job = begin(lambda: stream, browser)
    eventually(lambda: browser.shown)
    job.stop()
    finish(job)
    stopped_at = browser.shown[-1]
    job.start(lambda: itertools.islice(stream, 5), browser.show, browser.complain)
    finish(job)
    assert browser.shown[-1] == stopped_at + 5


def test_the_worker_never_waits_for_whoever_watches():
    counts = {}
    for delay in (0.0, 0.4):  # a browser that is at once done, and one that draws 2.5 pictures a second
        steps = Steps(0.002)
        job = begin(steps, Browser(delay))
        time.sleep(1.0)
        counts[delay] = steps.count
        job.stop()
        finish(job)
    assert counts[0.4] > 0.9 * counts[0.0]


def test_a_slow_browser_is_sent_no_more_than_it_draws():
    browser = Browser(delay=0.3)
    job = begin(Steps(0.002), browser)
    time.sleep(1.0)
    assert browser.sent - browser.acknowledged <= 1
    assert 3 <= browser.sent <= 5
    job.stop()
    finish(job)


def test_without_a_browser_the_work_ends_by_itself(monkeypatch):
    monkeypatch.setattr(run, "PATIENCE", 0.1)
    browser, steps = Browser(delay=None), Steps(0.01)
    job = begin(steps, browser)
    finish(job, seconds=1.0)
    count = steps.count
    time.sleep(0.1)
    assert steps.count == count
    assert job.state == "stopped"
    assert browser.complaints == ["Stopped, because the browser no longer answered."]


def test_one_slow_picture_does_not_count_as_gone(monkeypatch):
    monkeypatch.setattr(run, "PATIENCE", 0.1)
    browser = Browser(delay=0.15)
    job = begin(Steps(0.01), browser)
    time.sleep(0.8)
    assert job.state == "running"
    job.stop()
    finish(job)


def test_a_busy_kernel_does_not_count_as_gone(monkeypatch):
    monkeypatch.setattr(run, "PATIENCE", 0.1)

    async def kernel():
        loop, browser = asyncio.get_running_loop(), Browser(delay=None)
        show = browser.show

        def show_and_answer(result):  # the answer is read by the main loop, as a kernel does
            show(result)
            loop.call_soon_threadsafe(browser.draw, browser.sent)

        browser.show = show_and_answer
        job = begin(Steps(0.01), browser)
        await asyncio.sleep(0.1)
        time.sleep(0.8)  # a cell that computes: eight times the patience
        await asyncio.sleep(0.3)
        assert job.state == "running"
        job.stop()
        await asyncio.sleep(0.2)
        assert job.state == "stopped"

    asyncio.run(kernel())


def test_bad_input_reaches_the_person_as_its_own_sentence():
    def work():
        yield 1
        raise ClipbenchError("unit 9999 is too large; channels go from 0 to 1279")

    browser = Browser()
    job = begin(work, browser)
    finish(job)
    assert job.state == "failed"
    assert browser.complaints == ["unit 9999 is too large; channels go from 0 to 1279"]


def test_an_error_before_the_first_result_reaches_the_person():
    browser = Browser()
    job = begin(lambda: [][0], browser)
    finish(job)
    assert len(browser.complaints) == 1
    assert job.state == "failed"


@pytest.mark.parametrize("broken", ["work", "show"])
def test_an_unexpected_error_is_told_in_one_sentence_and_logged_in_full(broken, caplog):
    browser, steps = Browser(), Steps(0.01)

    def fail(*_):
        raise KeyError("the cause")

    job = Job(browser)
    job.start(*(fail, browser.show) if broken == "work" else (steps, fail), browser.complain)
    finish(job)
    assert job.state == "failed"
    assert isinstance(job.error, KeyError)
    (complaint,) = browser.complaints
    assert "KeyError" in complaint and "the cause" in complaint and "\n" not in complaint
    assert "Traceback" in caplog.text and "in fail" in caplog.text
    count = steps.count
    time.sleep(0.1)
    assert steps.count <= count + 1  # nothing goes on behind the person's back


def test_a_second_start_is_refused_and_the_first_goes_on():
    browser, steps = Browser(), Steps(0.01)
    job = begin(steps, browser)
    assert not job.start(lambda: iter([-1]), browser.show, browser.complain)
    assert len(browser.complaints) == 1 and "Stop" in browser.complaints[0]
    time.sleep(0.2)
    assert job.state == "running"
    job.stop()
    finish(job)
    assert -1 not in browser.shown


def test_after_a_failure_the_job_can_start_again():
    browser = Browser()
    job = begin(lambda: 1 / 0, browser)
    finish(job)
    assert job.start(lambda: iter([7]), browser.show, browser.complain)
    finish(job)
    assert (job.state, job.error, browser.shown) == ("finished", None, [7])


def test_states_can_be_observed():
    browser, states = Browser(), []
    job = Job(browser)
    job.observe(lambda change: states.append(change.new), "state")
    job.start(lambda: iter([1]), browser.show, browser.complain)
    finish(job)
    assert states == ["running", "finished"]


def test_rate_and_time_left_are_measured():
    browser = Browser()
    job = begin(lambda: itertools.islice(Steps(0.02), 60), browser, total=60)
    time.sleep(0.6)
    progress = job.progress
    assert 20 < progress.rate < 51  # a step takes 0.02 s at least
    assert progress.left == pytest.approx((60 - progress.done) / progress.rate)
    finish(job)


def at_work() -> bool:
    return any(thread.name.startswith("clipbench") for thread in threading.enumerate())


def test_no_thread_outlives_its_run():
    job = begin(Steps(0.001), Browser())
    time.sleep(0.1)
    assert at_work()
    job.stop()
    eventually(lambda: not at_work())


def test_of_many_requests_only_the_newest_runs():
    ran, shown = [], []
    latest = Latest(shown.append, pytest.fail, delay=0.1)
    for number in range(10):
        latest.ask(lambda number=number: ran.append(number) or number)
    eventually(lambda: shown)
    time.sleep(0.2)
    assert ran == shown == [9]


def test_requests_without_a_pause_are_still_answered_on_the_way():
    shown = []
    latest = Latest(shown.append, pytest.fail, delay=0.1)
    for number in range(50):
        latest.ask(lambda number=number: number)
        time.sleep(0.01)
    eventually(lambda: shown[-1] == 49)
    assert 3 <= len(shown) <= 7
    assert shown == sorted(shown)


def test_a_request_made_during_work_waits_its_turn():
    shown, free = [], threading.Event()
    latest = Latest(shown.append, pytest.fail, delay=0.01)
    latest.ask(lambda: free.wait() and "slow")
    time.sleep(0.1)
    latest.ask(lambda: "overtaken")
    latest.ask(lambda: "newest")
    free.set()
    eventually(lambda: len(shown) == 2)
    assert shown == ["slow", "newest"]


def test_latest_does_not_block_its_caller_and_leaves_no_thread():
    latest, started = Latest(lambda _: None, pytest.fail, delay=0.05), time.perf_counter()
    latest.ask(lambda: time.sleep(0.5))
    assert time.perf_counter() - started < 0.4
    assert at_work()
    eventually(lambda: not at_work())


def test_a_dropped_request_is_never_run():
    ran = []
    latest = Latest(ran.append, pytest.fail, delay=0.05)
    latest.ask(lambda: 1)
    latest.drop()
    time.sleep(0.2)
    assert ran == []


def test_a_failed_request_is_told_and_the_next_one_served():
    shown, complaints = [], []
    latest = Latest(shown.append, complaints.append, delay=0.01)
    latest.ask(lambda: 1 / 0)
    eventually(lambda: complaints)
    latest.ask(lambda: "fine")
    eventually(lambda: shown)
    assert "ZeroDivisionError" in complaints[0] and shown == ["fine"]


def test_a_failing_callback_is_told():
    complaints = []
    guarded(lambda change: change["new"], complaints.append)({})
    assert len(complaints) == 1 and "KeyError" in complaints[0]


def test_a_pause_keeps_requests_apart():
    times = []
    latest = Latest(lambda _: times.append(time.perf_counter()), pytest.fail, delay=0.0, pause=0.2)
    for _ in range(50):
        latest.ask(lambda: None)
        time.sleep(0.01)
    eventually(lambda: len(times) >= 3)
    assert all(later - earlier > 0.19 for earlier, later in itertools.pairwise(times))
