"""Work on many items in several processes, in order and with bounded memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import TypeVar

from joblib.externals.loky import get_reusable_executor

from wsss.processes import end_with, process_identity

Item = TypeVar("Item")
Result = TypeVar("Result")

IN_FLIGHT = 4
# The processes themselves are the parallel part: libraries below them keep to one thread each.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def parallel_map(
    function: Callable[[Item], Result], items: Iterable[Item], *, workers: int
) -> Iterator[Result]:
    """Yield `function(item)` for every item, in the order of the items.

    With one worker everything runs in this process. Otherwise `workers` processes are started
    afresh (not forked: a forked copy of a process whose numeric libraries run threads can hang),
    and at most four items per worker wait, are worked on or have a result that nobody has taken.
    `function` must be importable by its name.

    Raises:
        ValueError: `workers` is below one.
    """
    if workers < 1:
        raise ValueError(f"workers is {workers}, but at least one is needed")
    if workers == 1:
        yield from map(function, items)
        return
    # Else a worker whose result nobody takes, for this process was killed, waits for ever.
    executor = get_reusable_executor(
        max_workers=workers, env=ONE_THREAD, initializer=end_with, initargs=(process_identity(),)
    )
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(executor.submit(function, item))
            if len(waiting) == IN_FLIGHT * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
