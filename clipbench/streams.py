"""Long work as a stream: how far it has come, in which parts, and what threads do ahead of its reader."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from threadpoolctl import threadpool_limits

T, U = TypeVar("T"), TypeVar("U")


@dataclass(frozen=True, eq=False)
class Progress(Generic[T]):
    """How far a stream has come.

    Args:
        done, total: of what it counts: images, words, units that were held.
        result: None until there is one.
    """

    done: int
    total: int
    result: T | None = None


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """A sequence in parts of so many items, the last perhaps shorter; each is a sequence of the same kind."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def ahead(work: Callable[[T], U], items: Iterable[T], depth: int = 2, workers: int = 1) -> Iterator[U]:
    """`map`, but threads work on the next items while the reader is busy with one.

    Each of them keeps to itself: torch's share of a small picture is not worth a team of threads, which would
    take the cores from the reader.

    Args:
        work: what is done with each item.
        items: read no further than needed.
        depth: how many results are made before they are asked for.
        workers: how many threads make them; the results keep the order of the items.
    """
    alone = partial(threadpool_limits, 1, "openmp")
    pool, pending = ThreadPoolExecutor(max_workers=workers, initializer=alone), deque()
    try:
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) > depth:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def meanwhile(steps: Generator[object, None, T], told: U) -> Generator[U, None, T]:
    """What a generator returns at its end; at each of its steps `told` is given on, for a reader to stop."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
        yield told


def result_of(steps: Generator[object, None, T]) -> T:
    """What a generator returns at its end; it is read to there."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
