"""What SLURM knows of jobs: how long they waited, what they held, what they used of it."""

import re
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from wsss import slurm

FIELDS = (
    *("JobIDRaw", "State", "Elapsed", "CPUTimeRAW", "MaxRSS", "ReqMem"),
    *("AllocTRES", "Submit", "Start"),
)
# A table is not worth more waiting than this, in all.
SECONDS = 30.0
AT_ONCE = 500
# As SLURM counts, and the benchmark files.
UNITS = {"": 2**-20, "K": 2**-10, "M": 1.0, "G": 2.0**10, "T": 2.0**20}


class Account(NamedTuple):
    """What SLURM says of a job: seconds of waiting, allocated CPU- and GPU-seconds, MB of memory.

    `asked_mb` and `used_mb` are 0 where it does not say.
    """

    state: str
    waited: float
    cpu_seconds: float
    gpu_seconds: float
    asked_mb: float
    used_mb: float


def ask_slurm(numbers: Iterable[str]) -> tuple[dict[str, Account], str]:
    """Return what SLURM's accounting says of jobs, and a sentence if it says nothing of some.

    Args:
        numbers: Of the jobs.
    """
    wanted = list(dict.fromkeys(numbers))
    if not wanted:
        return {}, ""
    if shutil.which("sacct") is None:
        return {}, "SLURM's accounting was not asked: there is no sacct on this machine."
    found: dict[str, Account] = {}
    ends = time.monotonic() + SECONDS
    for start in range(0, len(wanted), AT_ONCE):
        some = ",".join(wanted[start : start + AT_ONCE])
        left = max(0.1, ends - time.monotonic())
        try:
            lines = slurm.ask("sacct", "-P", "-n", "-j", some, "-o", ",".join(FIELDS), seconds=left)
        except slurm.SlurmError as error:
            return found, f"SLURM's accounting has no answer ({error})."
        found |= accounts(lines)
    missing = len([number for number in wanted if number not in found])
    if missing:
        return found, f"SLURM's accounting does not know {missing} of {len(wanted)} jobs."
    return found, ""


def accounts(lines: Iterable[str]) -> dict[str, Account]:
    """Return the jobs of sacct's output of `FIELDS`; of their steps, the largest memory."""
    jobs: dict[str, list[Mapping[str, str]]] = {}
    for line in lines:
        cells = line.split("|")
        if len(cells) == len(FIELDS):
            row = dict(zip(FIELDS, cells, strict=True))
            jobs.setdefault(row["JobIDRaw"].split(".", 1)[0], []).append(row)
    return {
        number: _account(own[0], rows)
        for number, rows in jobs.items()
        if (own := [row for row in rows if row["JobIDRaw"] == number])
    }


def _account(job: Mapping[str, str], rows: Sequence[Mapping[str, str]]) -> Account:
    tres = dict(part.split("=", 1) for part in job["AllocTRES"].split(",") if "=" in part)
    cpus, gpus = _whole(tres.get("cpu", "")), _gpus(tres)
    elapsed = elapsed_seconds(job["Elapsed"])
    asked = megabytes(tres.get("mem", "")) or _asked(job["ReqMem"], cpus)
    return Account(
        state=job["State"].split(" ", 1)[0],
        waited=_between(job["Submit"], job["Start"]),
        cpu_seconds=float(_whole(job["CPUTimeRAW"]) or elapsed * cpus),
        gpu_seconds=elapsed * gpus,
        asked_mb=asked,
        used_mb=max(megabytes(row["MaxRSS"]) for row in rows),
    )


def _gpus(tres: Mapping[str, str]) -> int:
    """Return the number of GPUs; those of a type stand twice, with and without it."""
    if "gres/gpu" in tres:
        return _whole(tres["gres/gpu"])
    return sum(_whole(value) for name, value in tres.items() if name.startswith("gres/gpu:"))


def _asked(text: str, cpus: int) -> float:
    """Return a request in MB; older versions end it with n (per node) or c (per CPU)."""
    if text.endswith("c"):
        return megabytes(text[:-1]) * cpus
    return megabytes(text.removesuffix("n"))


def elapsed_seconds(text: str) -> float:
    """Return the seconds of [days-[hours:]]minutes:seconds; 0 for anything else."""
    found = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)(?:\.\d+)?", text)
    if found is None:
        return 0.0
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def megabytes(text: str) -> float:
    """Return an amount of memory, as 16000M or 1.5G, in MB; 0 for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)", text)
    if found is None:
        return 0.0
    return float(found[1]) * UNITS[found[2]]


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def _between(submitted: str, started: str) -> float:
    try:
        waited = datetime.fromisoformat(started) - datetime.fromisoformat(submitted)
    except ValueError:
        # "Unknown" or "None" of a job that never started.
        return 0.0
    return max(0.0, waited.total_seconds())
