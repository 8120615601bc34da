"""One launch of torchrun for a training on several GPUs, and the first and last act of its ranks.

The process that the workflow starts for a stage becomes the launcher; it has the stage's hold and
watches. Each rank runs the stage's script anew, with one GPU.
"""

import contextlib
import logging
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

import torch
import torch.distributed as dist

from wsss.logs import ENGINE, RANKS
from wsss.processes import own_children, process_identity

if TYPE_CHECKING:
    from torch.distributed.elastic.multiprocessing.errors import ProcessFailure

log = logging.getLogger(__name__)

STOP_SIGNALS = (signal.SIGTERM, signal.SIGUSR1)
# How long a rank waits for the others: for a disk that stalls, or the first one's checkpoint.
LONGEST_WAIT = timedelta(minutes=30)
# How long a rank that ends after another lives on, for torchrun ends them all with the first.
SPEAKING_SECONDS = 2.0
FIRST_ERROR = "first_error"
Hook = Callable[[type[BaseException], BaseException, TracebackType | None], object]


class RankError(RuntimeError):
    """A rank ended without a word; the text says how."""


def launch(processes: int) -> None:
    """Make this process one of so many ranks of a training.

    Call it right after `log_to`. With one process nothing happens. Else the first call does not
    return: it launches torchrun, whose ranks run this script from its beginning and come here
    again, and ends with their status. A rank has the GPU of its number and talks to the others by
    NCCL; where no GPU is seen, it computes on the CPU and talks by Gloo.

    Args:
        processes: Number of ranks, and of GPUs.

    Raises:
        ValueError: The machine has GPUs, but fewer.
        RankError: A rank was killed.
    """
    if folder := os.environ.get(RANKS):
        _join(Path(folder, FIRST_ERROR))
    elif processes > 1:
        _check_gpus(processes)
        with tempfile.TemporaryDirectory(prefix="wsss_ranks_") as name:
            status = _run_ranks(processes, Path(name))
        sys.exit(status)


def end_other_ranks() -> None:
    """Leave the ranks' group and end all but the first, which has the outputs to write."""
    if dist.is_initialized():
        is_first = dist.get_rank() == 0
        dist.destroy_process_group()
        if not is_first:
            sys.exit(0)


def _check_gpus(processes: int) -> None:
    count = torch.cuda.device_count()
    if 0 < count < processes:
        raise ValueError(
            f"a training on {processes} GPUs was asked for, but this job sees {count}: ask the "
            f"cluster for {processes}, or write gpus: {{train: {count}}}"
        )


def _run_ranks(processes: int, folder: Path) -> int:
    """Run the ranks to their end and return the status of all."""
    # Only here: other stages and the ranks have no use for it.
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import main

    os.environ |= {
        RANKS: str(folder),
        # A rank ends soon after its launcher, which ends soon after the engine.
        ENGINE: process_identity(),
        # Torchrun would say at length that it sets it; threads are set where they are used.
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        # Torch's warnings of its inside would reach the person at the terminal.
        "TORCH_CPP_LOG_LEVEL": os.environ.get("TORCH_CPP_LOG_LEVEL", "ERROR"),
    }
    said = logging.getLogger("torch.distributed.elastic")
    said.handlers, said.propagate = logging.getLogger().handlers, False
    options = ["--standalone", "--nnodes=1", f"--nproc-per-node={processes}"]
    # Its files would stay behind, and its way with SIGTERM is to give up on the ranks' results.
    options += [f"--log-dir={folder}", "--signals-to-handle=SIGHUP", "--local-addr=127.0.0.1"]
    log.info("launching %d ranks", processes)
    with _forwarded_signals():
        try:
            main([*options, sys.argv[0]])
        except ChildFailedError as error:
            if not (folder / FIRST_ERROR).exists():
                raise RankError(_how_it_ended(error.failures, processes)) from None
            return 1
        except KeyboardInterrupt:
            # Torchrun has told the ranks to end, as `_forwarded_signals` would have.
            if not (folder / FIRST_ERROR).exists():
                raise
            return 1
    return 0


def _how_it_ended(failures: Mapping[int, "ProcessFailure"], processes: int) -> str:
    """Return a sentence on the rank that ended first, or was killed at the same time."""
    number, failure = min(failures.items(), key=lambda f: (f[1].timestamp, f[1].exitcode >= 0))
    how = f"ended with status {failure.exitcode}"
    if failure.exitcode < 0:
        how = f"was ended by {signal.Signals(-failure.exitcode).name}"
        if -failure.exitcode == signal.SIGKILL:
            how += ", as the system does when memory runs out"
    return (
        f"rank {number} of {processes} {how}; run the same command again to go on from what is "
        "saved"
    )


@contextlib.contextmanager
def _forwarded_signals() -> Iterator[None]:
    """Pass on what asks the training to stop; the ranks save their state and end by themselves."""

    def forward(number: int, _: FrameType | None) -> None:
        started = own_children()
        for child in started:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, number)
        if not started:
            sys.exit(128 + number)

    previous = {number: signal.signal(number, forward) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _join(first_error: Path) -> None:
    """Become the rank that torchrun started this process as."""
    hook = _one_sentence_of_all(first_error, sys.excepthook)
    sys.excepthook = hook
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, timeout=LONGEST_WAIT)
    # Torch has put its own around it.
    sys.excepthook = hook
    place = torch.cuda.get_device_name() if backend == "nccl" else "the CPU: no GPU is seen"
    log.info("rank %d of %d on %s", dist.get_rank(), dist.get_world_size(), place)


def _one_sentence_of_all(first_error: Path, report: Hook) -> Hook:
    """Return what lets only the first rank that meets an error report it, and ends each at once."""

    def report_once(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        # Torchrun sends them as soon as some rank has ended.
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        if _says_that_others_are_gone(error):
            log.error("rank %s lost the others: %s", os.environ["RANK"], error)
        elif _is_made(first_error):
            report(kind, error, traceback)
        else:
            time.sleep(SPEAKING_SECONDS)
        # Not by the interpreter's way: it would wait for what the others still owe this rank.
        sys.stderr.flush()
        os._exit(1)

    return report_once


def _is_made(path: Path) -> bool:
    """Make a file and return whether it is new, or would be if its folder still were there."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    except FileNotFoundError:
        log.warning("the launcher is gone, and took %s along", path.parent)
    return True


def _says_that_others_are_gone(error: BaseException) -> bool:
    # Gloo's errors have no type of their own, but name the file of its source.
    return isinstance(error, dist.DistError) or (
        isinstance(error, RuntimeError) and "/gloo/" in str(error)
    )
