"""`wsss cost`: what a run did cost."""

from collections.abc import Sequence
from pathlib import Path

from wsss.plan.spent import Costs, Spent, costs_of
from wsss.plan.words import aligned, duration, hours, unit_of


def cost(results: Path) -> str:
    """Return what the run of a results folder did cost, as text.

    Raises:
        ValueError: The folder is none, or no job of it left a benchmark.
    """
    if not results.is_dir():
        raise ValueError(f"{results} is no folder; name the results folder of a run, as results/")
    costs = costs_of(results)
    if not costs.rules:
        raise ValueError(
            f"{results} has no benchmarks: name the results folder of a run, in which jobs ended"
        )
    return told(costs)


def told(costs: Costs) -> str:
    """Return costs as a table and sentences."""
    total = _total(costs.rules)
    gpus, slurm = total.gpu_hours > 0, total.waited is not None
    core, per_hour = unit_of(total.core_hours)
    gpu, gpu_per_hour = unit_of(total.gpu_hours)
    header = ["rule", "jobs", f"core-{core}", *([f"GPU-{gpu}"] * gpus), "longest job"]
    header.append("peak memory")
    header += ["memory asked", "longest wait"] * slurm
    rows = [
        _row(line, (per_hour, gpu_per_hour), gpus=gpus, slurm=slurm)
        for line in [*costs.rules, total]
    ]
    notes = "".join(f"\n- {note}" for note in costs.notes)
    return f"{aligned(header, rows, total=True)}\n{notes}\n"


def _row(line: Spent, per_hour: tuple[float, float], *, gpus: bool, slurm: bool) -> list[str]:
    cells = [line.rule, f"{line.jobs:,}", hours(per_hour[0] * line.core_hours)]
    cells += [hours(per_hour[1] * line.gpu_hours)] * gpus
    cells += [duration(line.longest_seconds), _memory(line.peak_mb)]
    waited = "–" if line.waited is None else duration(line.waited)
    return cells + [_memory(line.asked_mb), waited] * slurm


def _memory(megabytes: float | None) -> str:
    return "–" if megabytes is None else f"{megabytes / 1000:.1f} GB"


def _total(lines: Sequence[Spent]) -> Spent:
    def largest(values: Sequence[float | None]) -> float | None:
        return max((value for value in values if value is not None), default=None)

    return Spent(
        rule="total",
        jobs=sum(line.jobs for line in lines),
        core_hours=sum(line.core_hours for line in lines),
        gpu_hours=sum(line.gpu_hours for line in lines),
        longest_seconds=max(line.longest_seconds for line in lines),
        peak_mb=largest([line.peak_mb for line in lines]),
        asked_mb=largest([line.asked_mb for line in lines]),
        waited=largest([line.waited for line in lines]),
    )
