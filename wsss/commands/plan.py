"""`wsss plan`: what a run would cost, before it is made."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wsss.plan.counts import count_datasets
from wsss.plan.forecast import Forecast, Line, forecast
from wsss.plan.jobs import PLAN, Job, read_jobs
from wsss.plan.measuring import measure
from wsss.plan.rates import (
    OWN,
    SHIPPED,
    Measured,
    joined,
    known_rates,
    read_rates,
    write_rates,
)
from wsss.plan.telling import missing
from wsss.plan.words import aligned, count, duration, hours, listed, size, unit_of

# More cores than a job may ask for: with fewer, the dry run would cut its threads.
CORES = 1024
UNKNOWN = "?"
NOTICES = ("Using workflow specific profile", "Assuming unrestricted", "Building DAG", "File ")
LAST_LINES = 3
# Stands above what a function of the workflow's own says.
SENTENCE = "WorkflowError:"


def plan(
    targets: Sequence[str], *, configfiles: Sequence[Path], profile: str | None, measured: Measured
) -> str:
    """Return what making the targets would cost, as text.

    Args:
        targets: Files or rules; none for what the config wants.
        configfiles: Config files, as the engine takes them; none for config.yaml.
        profile: Of the engine, which may set memory and run times.
        measured: Rates and bytes by kind.

    Raises:
        ValueError: This is no folder of the workflow, or it cannot be planned.
    """
    config, jobs = dry_run(targets, configfiles=configfiles, profile=profile)
    if not jobs:
        return "Nothing to be done: every file is there and up to date.\n"
    counts = count_datasets(config, Path(config["results"]))
    return told(forecast(jobs, config, counts, measured))


def dry_run(
    targets: Sequence[str], *, configfiles: Sequence[Path], profile: str | None
) -> tuple[dict[str, Any], list[Job]]:
    """Return the resolved config and the jobs that a run would have.

    Raises:
        ValueError: This is no folder of the workflow, or it cannot be planned.
    """
    if not any(map(Path.is_file, (Path("Snakefile"), Path("workflow/Snakefile")))):
        raise ValueError("there is no Snakefile here: go to the project's folder first")
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "rules", "progress"]
    command += ["--cores", str(CORES), *(["--profile", profile] if profile else [])]
    if configfiles:
        command += ["--configfile", *map(str, configfiles)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "jobs.json")
        done = subprocess.run(
            [*command, "--", *targets],
            env=os.environ | {PLAN: str(file)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            reason = _reason(done.stdout + done.stderr)
            raise ValueError(f"the workflow cannot be planned: {reason}")
        return read_jobs(file)


def _reason(said: str) -> str:
    """Return what the workflow said, or the last lines of the engine without its notices."""
    lines = [" ".join(line.split()) for line in said.splitlines()]
    own = [line for line in lines if line and not line.startswith(NOTICES)]
    if SENTENCE in own[:-1]:
        return own[own.index(SENTENCE) + 1]
    return " ".join(own[-LAST_LINES:])


def told(found: Forecast) -> str:
    """Return a forecast as a table, and how its numbers came about."""
    total = found.total()
    memory, minutes = total.mem_mb > 0, total.minutes > 0
    core, per_hour = unit_of(total.core_hours)
    gpu, gpu_per_hour = unit_of(total.gpu_hours or 1)
    header = ["rule", "jobs", "images", f"core-{core}", f"GPU-{gpu}", "longest job"]
    header += ["asked: memory"] * memory + ["asked: time"] * minutes + ["written"]
    rows = [
        _row(line, (per_hour, gpu_per_hour), memory=memory, minutes=minutes)
        for line in [*found.lines, total]
    ]
    notes = "".join(f"\n- {note}" for note in _notes(found))
    return f"{aligned(header, rows, total=True)}\n{notes}\n"


def _row(line: Line, per_hour: tuple[float, float], *, memory: bool, minutes: bool) -> list[str]:
    cells = [line.rule, f"{line.jobs:,}"]
    # Part of a sum is at least told as one.
    least = "≥ " if 0 < line.known < line.jobs else ""
    cells.append(UNKNOWN if line.unprepared == line.jobs else f"{line.images:,}")
    cells.append(f"{least}{hours(per_hour[0] * line.core_hours)}" if line.known else UNKNOWN)
    cells.append(_gpu_time(line, per_hour[1]))
    cells.append(f"{least}{duration(line.longest_seconds)}" if line.known else UNKNOWN)
    cells += [f"{line.mem_mb / 1000:.1f} GB" if line.mem_mb else "–"] * memory
    cells += [duration(60 * line.minutes) if line.minutes else "–"] * minutes
    unknown = line.unprepared + line.unweighed
    least = "≥ " if unknown and line.written else ""
    cells.append(f"{least}{size(line.written)}" if line.written else UNKNOWN if unknown else "–")
    return cells


def _gpu_time(line: Line, per_hour: float) -> str:
    if not line.on_gpu:
        return UNKNOWN if line.gpu_jobs else "–"
    least = "≥ " if line.on_gpu < line.gpu_jobs else ""
    return f"{least}{hours(per_hour * line.gpu_hours)}"


def _notes(found: Forecast) -> list[str]:
    notes = [_rate_note(found, device) for device in ("cpu", "gpu")]
    notes += missing(found)
    total = found.total()
    if total.on_gpu + total.unprepared < total.gpu_jobs:
        notes.append(
            "For GPU-hours run a small config on such a GPU, then: wsss plan --rates its/results/"
        )
    if total.unweighed:
        notes.append(
            f"What {count(total.unweighed, 'job')} would write was not measured for such networks "
            "or data sets."
        )
    notes.append(
        "Images of a training are its views; an OoD set that is not collected yet counts as large "
        "as it can get. Failed attempts and waiting in a queue come on top."
    )
    return [note for note in notes if note]


def _rate_note(found: Forecast, device: str) -> str:
    own = [rate for rate in found.rates if rate.device == device]
    if not own:
        return ""
    machines = listed(list(dict.fromkeys(rate.machine for rate in own)))
    jobs = sum(rate.jobs for rate in own)
    what = "core-hours are those on such a CPU" if device == "cpu" else "GPU-hours on such a GPU"
    return f"Rates of {count(len(own), 'kind')} of work, from {jobs:,} jobs on {machines}: {what}."


def find_rates(
    sources: Sequence[Path], *, machine: str | None, gpu: bool, cores: int | None
) -> Measured:
    """Return the rates of results folders and tables, over those that come with the package.

    Args:
        sources: Results folders, and tables made by `save_rates`; none for the table in this
            folder, if there is one.
        machine: What the folders' jobs ran on.
        gpu: Whether their jobs that ask for a GPU had one.
        cores: What their runs had.

    Raises:
        ValueError: A source cannot be read or has no jobs.
    """
    if not sources:
        return known_rates(Path())
    return joined(read_rates(SHIPPED), _measured(sources, machine=machine, gpu=gpu, cores=cores))


def save_rates(
    sources: Sequence[Path],
    path: Path,
    *,
    machine: str | None,
    gpu: bool,
    cores: int | None,
) -> str:
    """Write the rates of results folders and tables as one table; return what was done.

    Args:
        sources: As for `find_rates`.
        path: Where to.
        machine: As for `find_rates`, and so are the following.
        gpu: Likewise.
        cores: Likewise.

    Raises:
        ValueError: There is no source, or one cannot be read or has no jobs.
    """
    if not sources:
        raise ValueError("there are no rates to save: name a results folder with --rates")
    measured = _measured(sources, machine=machine, gpu=gpu, cores=cores)
    write_rates(path, measured)
    used = "; the workflow and wsss plan use it from now on" if path == Path(OWN) else ""
    return f"{path}: rates of {count(len(measured.rates), 'kind')} of work{used}\n"


def _measured(
    sources: Sequence[Path], *, machine: str | None, gpu: bool, cores: int | None
) -> Measured:
    found = Measured({}, {})
    for source in sources:
        if not source.is_dir():
            found = joined(found, read_rates(source))
    if folders := [source for source in sources if source.is_dir()]:
        known = read_rates(SHIPPED).rates
        named = machine or f"the machine of {listed([str(folder) for folder in folders])}"
        found = joined(found, measure(folders, known, machine=named, gpu=gpu, cores=cores))
    return found
