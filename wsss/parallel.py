"""Work on many items in several processes, in order and with bounded memory."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def parallel_map(
    function: Callable[[Item], Result], items: Iterable[Item], *, workers: int
) -> Iterator[Result]:
    """Yield `function(item)` for every item, in the order of the items.

    With one worker everything runs in this process. Otherwise `workers` processes are started, and
    at most four items per worker are in flight, so that neither items nor results pile up.
    Processes are started afresh (not forked): a forked copy of a process whose numeric libraries
    have running threads can hang.

    Raises:
        ValueError: `workers` is below one.
    """
    if workers < 1:
        raise ValueError(f"workers is {workers}, but at least one is needed")
    if workers == 1:
        yield from map(function, items)
        return
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        pending: deque[Future[Result]] = deque()
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) >= 4 * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
