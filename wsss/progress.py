"""Progress of long stages: a bar for a person, log lines for a log file."""

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
log = logging.getLogger(__name__)

LOG_EVERY_SECONDS = 10.0


def progress(
    items: Iterable[Item],
    *,
    total: int,
    description: str,
    unit: str = "images",
    weight: Callable[[Item], int] | None = None,
    inputs: bool = False,
) -> Iterator[Item]:
    """Yield the items and report how many units are done, and how many per second.

    Where log lines are wanted (a log file of the workflow, level INFO), this is a line every ten
    seconds and one at the end, which says how long all took; else a bar, if a person sits at a
    terminal. `weight` says how many units an item stands for (a batch of images, say). Where the
    items are `inputs`, which something else reads meanwhile, the lines also say how much of the
    time went by waiting for them.
    """
    if not log.isEnabledFor(logging.INFO):
        hidden = not sys.stderr.isatty()
        with tqdm(total=total, desc=description, unit=f" {unit}", disable=hidden) as bar:
            for item in items:
                yield item
                bar.update(weight(item) if weight else 1)
        return
    started = reported = time.monotonic()
    done = 0
    waiting = _Waiting(items) if inputs else None
    for item in waiting or items:
        yield item
        done += weight(item) if weight else 1
        now = time.monotonic()
        if now - reported >= LOG_EVERY_SECONDS:
            reported = now
            _report(description, done, total, unit, unit, now - started, waiting)
    seconds = time.monotonic() - started
    # Tables of times read it.
    _report(description, done, total, f"{unit} in {seconds:.2f} s", unit, seconds, waiting)


class _Waiting(Iterable[Item]):
    """Items, and the seconds spent waiting for them."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.items = items
        self.seconds = 0.0

    def __iter__(self) -> Iterator[Item]:
        asked = time.monotonic()
        for item in self.items:
            self.seconds += time.monotonic() - asked
            yield item
            asked = time.monotonic()


def _report(
    description: str,
    done: int,
    total: int,
    counted: str,
    unit: str,
    seconds: float,
    waiting: _Waiting[Item] | None,
) -> None:
    rate = done / seconds if seconds > 0 else float("inf")
    share = f", {waiting.seconds / seconds:.0%} of the time waiting" if waiting and seconds else ""
    log.info("%s: %d of %d %s, %.1f %s/s%s", description, done, total, counted, rate, unit, share)
