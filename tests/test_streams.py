"""Work ahead of its reader keeps its order, stays within its depth, and ends with its reader."""

import threading
import time

import torch

from clipbench.streams import ahead, chunks, meanwhile


def test_results_keep_the_order_of_the_items_whatever_thread_is_first():
    def work(item):
        time.sleep((item % 3) / 200)
        return item

    assert list(ahead(work, range(30), depth=8, workers=4)) == list(range(30))


def test_parts_make_up_the_whole_and_are_of_its_kind():
    parts = list(chunks("abcdefg", 3))
    assert parts == ["abc", "def", "g"] and "".join(parts) == "abcdefg"
    assert list(chunks((1, 2, 3, 4), 2)) == [(1, 2), (3, 4)] and not list(chunks([], 4))


def test_each_step_of_what_returns_at_its_end_is_a_moment_to_stop_in():
    begun = []

    def steps():
        for number in range(3):
            begun.append(number)
            yield number
        return "the end"

    def whole():
        result = yield from meanwhile(steps(), "so far")
        yield result

    assert list(whole()) == ["so far"] * 3 + ["the end"]
    begun.clear()
    stopped = whole()
    next(stopped)
    stopped.close()
    assert begun == [0]


def test_several_threads_work_at_once_and_no_further_than_asked():
    started, meet = [], threading.Barrier(3, timeout=5)

    def work(item):
        started.append(item)
        if item < 3:
            meet.wait()  # only three threads at once get past it
        return item

    results = ahead(work, range(100), depth=5, workers=3)
    assert next(results) == 0
    time.sleep(0.05)
    assert len(started) <= 6
    results.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")]


def test_an_error_reaches_the_reader_in_its_turn():
    results = ahead(lambda item: 1 / item, [2, 1, 0, 4])
    assert [next(results), next(results)] == [0.5, 1]
    try:
        next(results)
    except ZeroDivisionError:
        return
    raise AssertionError("the error was swallowed")


def test_work_ahead_leaves_the_cores_to_its_reader():
    before = torch.get_num_threads()
    assert list(ahead(lambda _: torch.get_num_threads(), range(4), workers=2)) == [1] * 4
    assert torch.get_num_threads() == before
