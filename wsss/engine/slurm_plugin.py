"""What `snakemake-executor-plugin-slurm` 2.8 forgets, so that a run neither hangs nor goes astray.

The plugin asks for the states of its jobs from time to time and passes on what it learns. Left to
itself it
- drops every job, and then waits for ever for none, when SLURM does not answer a few times in a
  row (a restarted controller is enough);
- takes a cancelled job for a running one where it asks `sacct`, which says `CANCELLED by 1000`;
- waits for ever for a job that SLURM has forgotten, or that could not be launched and is held;
- looks ever more rarely, up to every three minutes, however often it was told to;
- says that a job failed, but not why: that stands in a log on which the stage wrote one sentence.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from wsss import slurm

# The engine's, which prints a message as it is.
log = logging.getLogger("snakemake.logging")

# Longer than SLURM needs to list a job that it has just taken.
FORGOTTEN_SECONDS = 300.0
REMIND_SECONDS = 300.0
# Why a job waits that will never run. A launch that failed puts it back, held.
NEVER = ("launch failed", "launch_failed", "BadConstraints", "DependencyNeverSatisfied")
# The end of a traceback.
ERROR = re.compile(r"[A-Za-z_.]*(Error|Exception|Interrupt|Exit)\b")
LONGEST_LINE = 10_000


class PluginError(ValueError):
    """The plugin cannot work on this cluster as it is set; the text says what to change."""


def mend(plugin: ModuleType) -> None:
    """Replace functions of the imported plugin by ones that do not forget; twice is as once.

    Raises:
        PluginError: The plugin is of a version that does not have them.
    """
    executor = getattr(plugin, "Executor", None)
    query = getattr(plugin, "query_job_status", None)
    if isinstance(query, _Query):
        return
    if query is None or not hasattr(executor, "check_active_jobs"):
        raise PluginError(
            "snakemake-executor-plugin-slurm has another structure than version 2.8: install the "
            "version of envs/requirements.txt"
        )
    changed: Any = plugin
    changed.query_job_status = _Query(query)
    changed.Executor.check_active_jobs = _keeping_jobs(
        changed.Executor.check_active_jobs, changed.query_job_status
    )
    changed.Executor.report_job_error = _with_sentences(changed.Executor.report_job_error)


def check_settings(settings: Any) -> None:
    """Stop a run by whose settings work is lost, or never seen to end, on this cluster.

    Args:
        settings: The plugin's, of which `array_jobs`, `status_command` and
            `init_seconds_before_status_checks` count here.

    Raises:
        PluginError: The text names the setting.
    """
    if settings.array_jobs:
        raise PluginError(
            "in arrays of jobs the plugin takes running tasks for finished ones, and one that "
            "fails deletes the output of another: leave slurm-array-jobs out of the profile "
            "(slurm/config.yaml)"
        )
    first = settings.init_seconds_before_status_checks
    remembers = slurm.min_job_age()
    if settings.status_command == "sacct":
        if reason := slurm.accounting_fails():
            raise PluginError(
                f"this cluster keeps no accounts ({reason}): set slurm-status-command: squeue in "
                "the profile (slurm/config.yaml)"
            )
    # The plugin turns to sacct by itself where it thinks that squeue forgets too soon.
    elif (remembers is None or remembers < 3 * first) and (reason := slurm.accounting_fails()):
        raise PluginError(
            f"SLURM forgets jobs {remembers} s after their end and keeps no accounts ({reason}): "
            "set slurm-init-seconds-before-status-checks in the profile (slurm/config.yaml) to at "
            "most a third of that"
        )


class _Query:
    """The plugin's query; its last answer stays known, and states are one word each."""

    def __init__(self, query: Callable[..., Awaitable[Any]]) -> None:
        self.query = query
        self.states: dict[str, str] | None = None

    async def __call__(self, *arguments: Any) -> Any:
        states, seconds = await self.query(*arguments)
        if states is not None:
            # "CANCELLED by 1000", "CANCELLED+"
            states = {job: state.split()[0].rstrip("+") for job, state in states.items() if state}
        self.states = states
        return states, seconds


def _keeping_jobs(
    check: Callable[..., AsyncIterator[Any]], query: _Query
) -> Callable[..., AsyncIterator[Any]]:
    silence = _Silence()
    unseen: dict[str, float] = {}

    async def check_active_jobs(self: Any, active_jobs: Sequence[Any]) -> AsyncIterator[Any]:
        query.states = None
        still_active = [job async for job in check(self, active_jobs)]
        told = self.workflow.remote_execution_settings.seconds_between_status_checks
        self.next_seconds_between_status_checks = min(told, self.next_seconds_between_status_checks)
        if not active_jobs:
            return
        if query.states is None:
            silence.note(len(active_jobs))
            # Without an answer, the plugin has reported none and dropped all.
            for job in active_jobs:
                yield job
            return
        silence.end()
        held = _held_jobs(self.run_uuid) if "PENDING" in query.states.values() else {}
        for job in still_active:
            number = job.external_jobid
            if number in query.states:
                unseen.pop(number, None)
            if number in held:
                _give_up(self, job, held[number])
            elif number in query.states or not _forgotten(number, unseen):
                yield job
            else:
                # Its output, which appears whole or not at all, says how it ended.
                log.warning(f"SLURM no longer knows job {number}: its output decides")
                self.report_job_success(job)

    return check_active_jobs


def _with_sentences(report: Callable[..., None]) -> Callable[..., None]:
    def report_job_error(self: Any, job_info: Any, msg: str | None = None, **rest: Any) -> None:
        sentences = [sentence for path in job_info.job.log if (sentence := _error_in(Path(path)))]
        if job_info.job.is_group():
            # The engine's message on a group of jobs has no place for them.
            for sentence in sentences:
                log.error(sentence)
        report(self, job_info, msg=" | ".join([*sentences, msg or ""]), **rest)

    return report_job_error


def _error_in(log_file: Path) -> str:
    """Return the last line of a stage's log if it is that of an error, else nothing."""
    try:
        with log_file.open("rb") as file:
            file.seek(max(0, log_file.stat().st_size - LONGEST_LINE))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    last = next((line for line in reversed(lines) if line.strip()), "")
    return last if ERROR.match(last) else ""


class _Silence:
    """How long SLURM has not answered, said once and then every few minutes."""

    def __init__(self) -> None:
        self.since = self.said = 0.0

    def note(self, jobs: int) -> None:
        now = time.monotonic()
        self.since = self.since or now
        if now - self.said > REMIND_SECONDS or not self.said:
            self.said = now
            silent = now - self.since
            what = f"has not answered for {silent:.0f} s" if silent else "does not answer"
            log.warning(
                f"SLURM {what}: its {jobs} jobs go on without it; this run waits (ctrl-C ends it)"
            )

    def end(self) -> None:
        if self.since:
            log.warning(f"SLURM answers again after {time.monotonic() - self.since:.0f} s")
        self.since = self.said = 0.0


def _forgotten(number: str, unseen: dict[str, float]) -> bool:
    now = time.monotonic()
    if now - unseen.setdefault(number, now) < FORGOTTEN_SECONDS:
        return False
    try:
        return not slurm.state_of(number)
    except slurm.SlurmError:
        return False


def _held_jobs(name: str) -> dict[str, str]:
    """Return the jobs that will never run, and why."""
    try:
        reasons = slurm.waiting_reasons(name)
    except slurm.SlurmError:
        return {}
    return {number: reason for number, reason in reasons.items() if reason.startswith(NEVER)}


def _give_up(executor: Any, job: Any, reason: str) -> None:
    number = job.external_jobid
    try:
        slurm.cancel([number])
    except slurm.SlurmError as error:
        log.warning(f"job {number} is not cancelled: {error}")
    path = job.aux.get("slurm_logfile")
    executor.report_job_error(
        job, msg=f"SLURM job {number} cannot start: {reason}. ", aux_logs=[str(path)]
    )
