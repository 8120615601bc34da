"""What a dry run says of the work at its end."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from wsss.plan.counts import count_datasets
from wsss.plan.forecast import Forecast, forecast
from wsss.plan.jobs import jobs_of, write_jobs
from wsss.plan.rates import Rate, known_rates
from wsss.plan.words import count, duration, hours, listed, unit_of


def tell(
    planned: Iterable[Any],
    config: Mapping[str, Any],
    results: Path,
    *,
    file: str | None,
) -> None:
    """Write the jobs of a dry run to a file, or tell their work.

    Args:
        planned: The engine's jobs.
        config: The resolved config.
        results: The results folder.
        file: Where to, if somebody waits for the jobs.
    """
    jobs = jobs_of(planned)
    if file:
        write_jobs(Path(file), config, jobs)
    elif jobs:
        found = forecast(jobs, config, count_datasets(config, results), known_rates(Path()))
        sys.stdout.write("".join(f"{line}\n" for line in summary(found)))


def summary(found: Forecast) -> list[str]:
    """Return what the work is in two or three sentences, a line each."""
    total = found.total()
    known = total.jobs - total.unprepared - total.unrated
    lines = [f"Work: {count(total.jobs, 'job')}, {count(total.images, 'image')} to compute on"]
    if known:
        times = [_told(total.core_hours, "core"), _told(total.gpu_hours, "GPU")]
        lines[0] += (
            f"; {', '.join(filter(None, times))}, the longest job "
            f"{duration(total.longest_seconds)}, {where(found.rates)}"
        )
    lines[0] += "."
    lines += missing(found)
    lines.append("More, and how to measure your own machine: wsss plan (--help).")
    return lines


def _told(value: float, of: str) -> str:
    unit, per_hour = unit_of(value)
    return f"{hours(per_hour * value)} {of}-{unit}" if value else ""


def missing(found: Forecast) -> list[str]:
    """Return a sentence for each thing that is not known."""
    total, lines = found.total(), []
    if found.missing:
        lines.append(
            f"Not counted: {count(total.unprepared, 'job')}, whose data sets are not prepared yet; "
            f"make {listed(found.missing)} first."
        )
    if total.unrated:
        lines.append(
            f"Not counted: the time of {count(total.unrated, 'job')}; nobody measured "
            f"{listed(found.kinds)}."
        )
    if total.on_cpu:
        lines.append(
            f"{count(total.on_cpu, 'job')} can use a GPU; nobody measured one, so their time is a "
            "CPU's."
        )
    return lines


def where(rates: Iterable[Rate]) -> str:
    """Return where rates were measured."""
    machines = dict.fromkeys(rate.machine for rate in rates if rate.jobs)
    return f"as measured on {listed(list(machines))}"
