"""What holds at the start of a run: nothing of an earlier run is still at work in its folder."""

import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from wsss import slurm
from wsss.engine.slurm_plugin import check_settings
from wsss.holds import HoldWatch, take_hold

SHOWN_JOBS = 5


class StartError(ValueError):
    """A run cannot start; the text says why and what to do."""


def engine_hold(folder: Path) -> Path:
    """Return the path of the hold that an engine has while it runs in a folder."""
    return folder / ".snakemake" / "engine.hold"


def begin_run(folder: Path, slurm_settings: Any | None) -> None:
    """Refuse a run beside jobs of an earlier one, and note that an engine runs here.

    An engine that is killed leaves its SLURM jobs at work. The next one does not know them: it
    would submit the same stages again beside them.

    Args:
        folder: The project's.
        slurm_settings: The executor's, where the jobs go to SLURM.

    Raises:
        StartError: Jobs of an earlier run are waiting or at work.
        PluginError: The executor cannot work on this cluster as it is set.
        SlurmError: Jobs are to go to SLURM, and it does not answer.
    """
    if slurm_settings is not None:
        check_settings(slurm_settings)
    if jobs := _jobs_of(folder, needed=slurm_settings is not None):
        raise StartError(
            f"{len(jobs)} SLURM jobs of an earlier run in this folder are not over "
            f"({name_jobs(jobs)}): `wsss recover` waits for them or cancels them, then start again"
        )
    path = engine_hold(folder)
    if HoldWatch(path).holder() is None:
        take_hold(path)
    _heed_sigterm_in_a_thread()


def _heed_sigterm_in_a_thread() -> None:
    """Let what the engine does on SIGTERM wait in a thread of its own.

    It takes a lock. In the main thread, where signals arrive, it would wait for ever for the lock
    that the very same thread holds while it chooses the next jobs (Snakemake 9.27).
    """
    handler = signal.getsignal(signal.SIGTERM)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        return

    def in_a_thread(number: int, frame: FrameType | None) -> None:
        threading.Thread(target=handler, args=(number, frame), daemon=True).start()

    signal.signal(signal.SIGTERM, in_a_thread)


def name_jobs(jobs: Sequence[slurm.Job]) -> str:
    """Return the jobs' numbers and what they do, for a sentence."""
    named = [f"{job.number} {job.state.lower()}: {job.rule}" for job in jobs[:SHOWN_JOBS]]
    return "; ".join([*named, "..."] if len(jobs) > SHOWN_JOBS else named)


def _jobs_of(folder: Path, *, needed: bool) -> list[slurm.Job]:
    if not slurm.available():
        return []
    try:
        return slurm.jobs_of(folder)
    except slurm.SlurmError:
        if needed:
            raise
        # SLURM's commands without a cluster.
        return []
