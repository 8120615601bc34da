"""SLURM, as far as a stage and its user need it: which job this is, and which jobs there are."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ANSWER_SECONDS = 60
# Between the fields: folders and comments hold nearly any other character.
BETWEEN = "\x1f"
FIELDS = ("%i", "%T", "%j", "%N", "%r", "%k", "%Z")
# What has begun and is not over; a job that is made to wait again has no process.
AT_WORK = {"CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "STAGE_OUT", "SIGNALING"}
OVER = {
    "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY",
    "PREEMPTED", "REVOKED", "SPECIAL_EXIT", "TIMEOUT",
}  # fmt: skip
# The workflow's engine names the jobs of one start alike, by a random number.
OF_A_WORKFLOW = re.compile(r"([\w-]+_)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


# What `own_place` says, as a log has it.
SAID_PLACE = re.compile(
    r" wsss\.logs: SLURM job (?P<number>\d+)\S* on (?P<node>[^,]+), (?P<cpus>\d+|\?) CPUs?"
    r"(?:, GPUs? (?P<gpus>[^\s,]+(?:,[^\s,]+)*))?"
)
NO_GPU = "none"


class SlurmError(ValueError):
    """SLURM does not answer; the text says which command failed and how."""


@dataclass(frozen=True)
class Job:
    """A job of the queue.

    Attributes:
        number: SLURM's id.
        state: In SLURM's words, `RUNNING`.
        name: Equal for all jobs that one start of a workflow submitted.
        node: Where it runs; empty while it waits.
        reason: Why it waits, in SLURM's words.
        comment: The rule and its wildcards.
        folder: Where it was submitted from.
    """

    number: str
    state: str
    name: str
    node: str
    reason: str
    comment: str
    folder: Path

    @property
    def rule(self) -> str:
        """What the job does, in the workflow's words."""
        return self.comment.removeprefix("rule_").replace("_wildcards_", " ") or self.number


class Place(NamedTuple):
    """What a process got from SLURM: its job, CPUs (None where SLURM did not say) and GPUs."""

    job: str
    cpus: int | None
    gpus: int


def available() -> bool:
    """Return whether this machine can ask a SLURM."""
    return shutil.which("squeue") is not None


def own_job(environment: Mapping[str, str] = os.environ) -> str:
    """Return the number of the SLURM job that this process runs in, or nothing."""
    return environment.get("SLURM_JOB_ID", "")


def own_place(environment: Mapping[str, str] = os.environ) -> str:
    """Return what this process got from SLURM, for a log, or nothing outside of a job."""
    if not (number := own_job(environment)):
        return ""
    node = environment.get("SLURMD_NODENAME", "an unknown node")
    cpus = environment.get("SLURM_CPUS_PER_TASK", "?")
    gpus = environment.get("CUDA_VISIBLE_DEVICES", "") or NO_GPU
    restarts = environment.get("SLURM_RESTART_COUNT", "0")
    again = f", requeued {restarts} times" if restarts != "0" else ""
    return f"SLURM job {number} on {node}, {cpus} CPUs, GPUs {gpus}{again}"


def said_place(log_head: str) -> Place | None:
    """Return what `own_place` said at the beginning of a log; None of a log from outside SLURM."""
    said = SAID_PLACE.search(log_head)
    if said is None:
        return None
    gpus = 0 if said["gpus"] in (None, NO_GPU) else len(said["gpus"].split(","))
    return Place(said["number"], None if said["cpus"] == "?" else int(said["cpus"]), gpus)


def ask(*command: str, seconds: float | None = None) -> list[str]:
    """Run one of SLURM's commands and return the lines of its answer.

    Args:
        command: Its name and arguments.
        seconds: How long to wait for the answer; a minute unless told otherwise.

    Raises:
        SlurmError: SLURM does not answer.
    """
    seconds = ANSWER_SECONDS if seconds is None else seconds
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds)
    except FileNotFoundError:
        raise SlurmError(f"{command[0]} is not installed here: ask on a login node") from None
    except subprocess.TimeoutExpired:
        raise SlurmError(f"{command[0]} did not answer within {seconds:.0f} s") from None
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or f"exit status {done.returncode}"
        raise SlurmError(f"{command[0]} failed: {said}")
    return done.stdout.splitlines()


def jobs_of(folder: Path) -> list[Job]:
    """Return the user's jobs that workflows in a folder submitted and that are not over.

    Raises:
        SlurmError: SLURM does not answer.
    """
    lines = ask(
        "squeue", "--noheader", "--user", str(os.getuid()), "--format", BETWEEN.join(FIELDS)
    )
    found = []
    for line in lines:
        fields = line.split(BETWEEN, maxsplit=len(FIELDS) - 1)
        if len(fields) != len(FIELDS):
            continue
        number, state, name, node, reason, comment, place = fields
        job = Job(number, state, name, node, reason, comment, Path(place))
        if (
            job.state not in OVER
            and OF_A_WORKFLOW.fullmatch(job.name)
            and job.folder.resolve() == folder.resolve()
        ):
            found.append(job)
    return found


def state_of(number: str) -> str:
    """Return the state of a job, or nothing where SLURM no longer knows it.

    Raises:
        SlurmError: SLURM does not answer.
    """
    arguments = ("--noheader", "--states", "all", "--jobs", number, "--format", "%T")
    try:
        lines = ask("squeue", *arguments)
    except SlurmError as error:
        if "Invalid job id" in str(error):
            return ""
        raise
    return lines[0].strip() if lines else ""


def waiting_reasons(name: str) -> dict[str, str]:
    """Return why the waiting jobs of a name wait, in SLURM's words, by their numbers.

    Raises:
        SlurmError: SLURM does not answer.
    """
    arguments = ("--noheader", "--states", "PENDING", "--name", name)
    lines = ask("squeue", *arguments, "--format", BETWEEN.join(("%i", "%r")))
    pairs = (line.split(BETWEEN, maxsplit=1) for line in lines)
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}


def min_job_age() -> int | None:
    """Return how many seconds SLURM remembers a job after its end; None if it does not say."""
    try:
        lines = ask("scontrol", "show", "config")
    except SlurmError:
        return None
    found = re.search(r"^MinJobAge\s*=\s*(\d+)", "\n".join(lines), re.MULTILINE)
    return int(found[1]) if found else None


def accounting_fails() -> str:
    """Return why `sacct` gives no answer, or nothing where it gives one."""
    try:
        ask("sacct", "--noheader", "--allocations", "--name", "no-such-job")
    except SlurmError as error:
        return str(error)
    return ""


def cancel(numbers: Sequence[str]) -> None:
    """Ask SLURM to end jobs; those that ended meanwhile do not matter.

    Raises:
        SlurmError: SLURM does not answer.
    """
    if numbers:
        ask("scancel", "--quiet", *numbers)
