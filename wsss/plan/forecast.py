"""What jobs will cost, by rule: hours, memory, disk, and what nobody can know yet."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wsss.plan.counts import Counts
from wsss.plan.disk import OUTPUTS, bytes_written, disk_key
from wsss.plan.jobs import Job
from wsss.plan.rates import Measured, Rate, expected_seconds
from wsss.plan.work import CRF, NEGLIGIBLE, RULES, Work, work_of

SMALL_RULES = "decisions, tables, figures"


@dataclass
class Line:
    """The jobs of a rule.

    Hours count the jobs whose work and rate are known; `unprepared` jobs wait for the images of
    their data sets, `unrated` ones for a rate. Of the `gpu_jobs`, which ask for GPUs, `on_gpu` have
    a rate of one, `on_cpu` that of a CPU: their GPU-hours are missing. What `unweighed` jobs write
    is not known.
    """

    rule: str
    jobs: int = 0
    images: int = 0
    core_hours: float = 0.0
    gpu_hours: float = 0.0
    longest_seconds: float = 0.0
    mem_mb: int = 0
    minutes: int = 0
    written: float = 0.0
    unprepared: int = 0
    unrated: int = 0
    gpu_jobs: int = 0
    on_gpu: int = 0
    on_cpu: int = 0
    unweighed: int = 0

    @property
    def known(self) -> int:
        """The number of jobs whose time is known."""
        return self.jobs - self.unprepared - self.unrated


@dataclass
class Forecast:
    """The lines of all rules in the workflow's order, and where their numbers come from.

    `missing` indices are those of data sets that are not prepared yet; `kinds` of work have no
    rate; `rates` were used.
    """

    lines: list[Line]
    missing: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    rates: list[Rate] = field(default_factory=list)

    def total(self) -> Line:
        """Return all lines as one."""
        total = Line("total")
        for line in self.lines:
            for name in SUMMED:
                setattr(total, name, getattr(total, name) + getattr(line, name))
            for name in LARGEST:
                setattr(total, name, max(getattr(total, name), getattr(line, name)))
        return total


SUMMED = (
    *("jobs", "images", "core_hours", "gpu_hours", "written"),
    *("unprepared", "unrated", "gpu_jobs", "on_gpu", "on_cpu", "unweighed"),
)
LARGEST = ("longest_seconds", "mem_mb", "minutes")


def forecast(
    jobs: Sequence[Job], config: Mapping[str, Any], counts: Counts, measured: Measured
) -> Forecast:
    """Return what jobs will cost.

    Args:
        jobs: That would run.
        config: The resolved config.
        counts: Images by data set and split.
        measured: Rates and bytes by kind.
    """
    lines: dict[str, Line] = {}
    found = Forecast([])
    kinds: dict[str, None] = {}
    used: dict[str, Rate] = {}
    for job in jobs:
        name = SMALL_RULES if job.rule in NEGLIGIBLE else job.rule
        line = lines.setdefault(name, Line(name))
        if job.rule not in RULES and job.rule not in NEGLIGIBLE:
            _count(line, job, Work(job.rule, None))
            line.unrated += 1
            kinds[job.rule] = None
            continue
        work = work_of(job.rule, job.wildcards, config, counts)
        rate = measured.rates.get(work.kind)
        _count(line, job, work)
        if work.amount is None:
            line.unprepared += 1
            continue
        _weigh(line, job, work, measured.bytes_each)
        if rate is None:
            line.unrated += 1
            kinds[work.kind] = None
            continue
        used[work.kind] = rate
        _time(line, job, work, rate, measured.rates.get(CRF))
    order = {name: place for place, name in enumerate([*RULES, SMALL_RULES])}
    found.lines = sorted(lines.values(), key=lambda line: order.get(line.rule, len(order)))
    found.missing = _unprepared(jobs, config, counts)
    found.kinds, found.rates = list(kinds), list(used.values())
    return found


def _count(line: Line, job: Job, work: Work) -> None:
    line.jobs += 1
    line.gpu_jobs += job.gpus > 0
    line.images += work.amount.images if work.amount else 0
    line.mem_mb = max(line.mem_mb, job.mem_mb or 0)
    line.minutes = max(line.minutes, job.runtime or 0)


def _time(line: Line, job: Job, work: Work, rate: Rate, crf: Rate | None) -> None:
    if work.amount is None:
        return
    seconds = expected_seconds(work.amount, rate, crf, threads=job.threads, gpus=job.gpus)
    line.core_hours += seconds * job.threads / 3600
    line.longest_seconds = max(line.longest_seconds, seconds)
    if job.gpus and rate.device == "gpu":
        line.gpu_hours += seconds * job.gpus / 3600
        line.on_gpu += 1
    elif job.gpus:
        line.on_cpu += 1


def _weigh(line: Line, job: Job, work: Work, known: Mapping[str, float]) -> None:
    """Add what a job writes; of another network's results, the most that was measured of any."""
    if job.rule not in OUTPUTS or work.amount is None:
        return
    key = disk_key(job.rule, work.kind)
    each = known.get(key)
    if each is None and OUTPUTS[job.rule][0] != "job" and job.rule != "prepare_data":
        others = [value for name, value in known.items() if name.split(":")[0] == job.rule]
        each = max(others, default=None)
    if each is None:
        line.unweighed += 1
    else:
        line.written += bytes_written(job.rule, work.amount, each)


def _unprepared(jobs: Iterable[Job], config: Mapping[str, Any], counts: Counts) -> list[str]:
    named = {job.wildcards.get("dataset") for job in jobs}
    names = [name for name in config["datasets"] if name in named and name not in counts]
    return [f"{config['results']}/{name}/index.csv" for name in names]
