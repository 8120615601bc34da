"""`wsss recover`: what a killed run left behind comes to an end, so that the next one can start."""

import logging
import shutil
import time
from pathlib import Path

from wsss import slurm
from wsss.engine.start import engine_hold, name_jobs
from wsss.holds import Holder, HoldWatch
from wsss.processes import runs_here

log = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 5.0
REPORT_EVERY_SECONDS = 60.0


def recover(folder: Path, *, cancel: str) -> str:
    """Wait until nothing of an earlier run is at work in a folder, unlock it, and say so.

    The SLURM jobs of a killed engine go on. What they finish is used by the next run, which does
    not make it again.

    Args:
        folder: The project's, in which the engine was started.
        cancel: `none` waits for all jobs, `waiting` cancels those that have not begun, `all` all.

    Raises:
        FileNotFoundError: No run was ever started in the folder.
        ValueError: The engine still runs.
        SlurmError: SLURM does not answer.
    """
    if not (folder / ".snakemake").is_dir():
        raise FileNotFoundError(
            f"{folder} has no folder .snakemake: call this where snakemake was started"
        )
    _wait_for_engine(folder)
    jobs = slurm.jobs_of(folder) if slurm.available() else []
    chosen = [
        job for job in jobs if cancel == "all" or (cancel == "waiting" and job.state == "PENDING")
    ]
    if chosen:
        log.info("cancelling %d jobs: %s", len(chosen), name_jobs(chosen))
        slurm.cancel([job.number for job in chosen])
    _wait_for_jobs(folder, jobs)
    # As `snakemake --unlock` does, which would need the run's config.
    locks = folder / ".snakemake" / "locks"
    was_locked = locks.is_dir() and any(locks.iterdir())
    shutil.rmtree(locks, ignore_errors=True)
    ended = f"{len(jobs)} SLURM jobs have ended" if jobs else "no SLURM job of this folder is left"
    unlocked = "the folder is unlocked" if was_locked else "the folder was not locked"
    return f"{ended}; {unlocked}: start again with the same command as before"


def _wait_for_engine(folder: Path) -> None:
    """Refuse to work beside a live engine; one on another host is watched for a sign of life."""
    watch = HoldWatch(engine_hold(folder))
    if not (holder := watch.holder()):
        return
    if runs_here(holder.identity):
        raise ValueError(f"{_still_runs(holder)}: stop it first, by ctrl-C in its terminal")
    log.info("%s, if it was not killed; waiting five minutes for a sign of it", _still_runs(holder))
    began = watch.last_sign()
    while watch.holder():
        if watch.last_sign() != began:
            raise ValueError(f"{_still_runs(holder)}: stop it there first, by ctrl-C")
        time.sleep(LOOK_EVERY_SECONDS)


def _still_runs(holder: Holder) -> str:
    return f"snakemake ({holder}) still runs in this folder"


def _wait_for_jobs(folder: Path, jobs: list[slurm.Job]) -> None:
    said = -float("inf")
    while jobs:
        if time.monotonic() - said > REPORT_EVERY_SECONDS:
            said = time.monotonic()
            log.info("waiting for %d SLURM jobs: %s", len(jobs), name_jobs(jobs))
        time.sleep(LOOK_EVERY_SECONDS)
        try:
            jobs = slurm.jobs_of(folder)
        except slurm.SlurmError as error:
            log.info("%s; asking again", error)
