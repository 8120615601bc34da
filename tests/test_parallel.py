import os
import signal
import subprocess
import sys
import time

import pytest

from wsss.parallel import parallel_map


def slow_first(number: int) -> tuple[int, int]:
    time.sleep(0.2 if number == 0 else 0)
    return number, os.getpid()


def refuse_three(number: int) -> int:
    if number == 3:
        raise ValueError("image 3 is broken")
    return number


def test_one_worker_stays_in_this_process_and_is_lazy():
    seen = []
    results = parallel_map(slow_first, (seen.append(n) or n for n in range(5)), workers=1)
    assert next(results) == (0, os.getpid())
    assert seen == [0]


@pytest.mark.slow
def test_several_workers_keep_the_order():
    results = list(parallel_map(slow_first, range(12), workers=2))
    assert [number for number, _ in results] == list(range(12))
    assert os.getpid() not in {process for _, process in results}


@pytest.mark.slow
def test_only_a_few_items_are_in_flight():
    taken = []
    results = parallel_map(slow_first, (taken.append(n) or n for n in range(200)), workers=2)
    next(results)
    assert len(taken) == 8
    time.sleep(0.5)
    assert len(taken) == 8
    results.close()


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_an_error_comes_through(workers):
    with pytest.raises(ValueError, match="image 3 is broken"):
        list(parallel_map(refuse_three, range(6), workers=workers))


def test_no_items_and_no_workers():
    assert list(parallel_map(slow_first, [], workers=1)) == []
    with pytest.raises(ValueError, match="workers is 0, but at least one"):
        list(parallel_map(slow_first, [1], workers=0))


PARENT = """
import os
from wsss.parallel import parallel_map
for _ in parallel_map(bytes, [10**7] * 40, workers=2):
    print("a result", flush=True)
    os.kill(os.getpid(), 9)
"""


@pytest.mark.slow
def test_workers_end_with_the_process_that_started_them():
    """Results that nobody takes fill the pipe, on which a worker would wait for ever."""
    # The workers have the same output, which ends when they have ended.
    done = subprocess.run(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, check=False, timeout=120
    )
    assert done.stdout == "a result\n" and done.returncode == -signal.SIGKILL
