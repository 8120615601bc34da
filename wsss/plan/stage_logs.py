"""What the logs of stages say in their first lines: the device, and the SLURM job."""

import re
from pathlib import Path

from wsss.plan.records import Record
from wsss.plan.work import NETWORK
from wsss.slurm import said_place

DEVICE = re.compile(r" wsss\.train\.device: computes on (.+)$", re.MULTILINE)
CPU = "the CPU"
HEAD = 4096


def device_of(record: Record, *, gpu: bool) -> str:
    """Return "gpu" or "cpu": what a job computed on.

    Args:
        record: Of the job.
        gpu: Whether jobs that ask for a GPU had one, where their logs do not say it.
    """
    if record.rule not in NETWORK:
        return "cpu"
    head = log_head(record.log)
    if said := DEVICE.search(head):
        return "cpu" if said[1].startswith(CPU) else "gpu"
    place = said_place(head)
    return "gpu" if gpu or (place is not None and place.gpus) else "cpu"


def gpu_name(record: Record) -> str | None:
    """Return the GPU that a job's log names, if it names one."""
    said = DEVICE.search(log_head(record.log))
    return None if said is None or said[1].startswith(CPU) else said[1]


def log_head(path: Path) -> str:
    """Return the first lines of a stage's log; nothing where it is not there."""
    try:
        with path.open("rb") as file:
            return file.read(HEAD).decode(errors="replace")
    except FileNotFoundError:
        return ""
