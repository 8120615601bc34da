"""Work on many items in several processes, in order and with bounded memory."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from joblib import Parallel, delayed

Item = TypeVar("Item")
Result = TypeVar("Result")


def parallel_map(
    function: Callable[[Item], Result], items: Iterable[Item], *, workers: int
) -> Iterator[Result]:
    """Yield `function(item)` for every item, in the order of the items.

    With one worker everything runs in this process. Otherwise `workers` processes are started
    afresh (not forked: a forked copy of a process whose numeric libraries run threads can hang),
    and a few items per worker are in flight. `function` must be importable by its name.

    Raises:
        ValueError: `workers` is below one.
    """
    if workers < 1:
        raise ValueError(f"workers is {workers}, but at least one is needed")
    if workers == 1:
        yield from map(function, items)
        return
    jobs = Parallel(n_jobs=workers, return_as="generator", pre_dispatch="4*n_jobs")
    yield from jobs(delayed(function)(item) for item in items)
