"""The jobs that a run would have: handed from a dry run to `wsss plan` as a JSON file."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

PLAN = "WSSS_PLAN"
"""Environment variable with the path of the file that a dry run writes its jobs to."""


class Job(NamedTuple):
    """One job: its rule and names, and what it asks for (None: nothing was said)."""

    rule: str
    wildcards: dict[str, str]
    threads: int
    gpus: int
    mem_mb: int | None
    runtime: int | None


def jobs_of(planned: Iterable[Any]) -> list[Job]:
    """Return the engine's jobs as plain data, without those that only ask for files of others.

    Args:
        planned: Its jobs, with `rule`, `wildcards_dict`, `threads` and `resources`.
    """
    found = []
    for job in planned:
        if job.rule.norun:
            continue
        resources = job.resources
        numbers = (resources.get(name, None) for name in ("gpu", "mem_mb", "runtime"))
        gpus, mem_mb, runtime = (int(n) if isinstance(n, int | float) else None for n in numbers)
        names = {str(k): str(v) for k, v in job.wildcards_dict.items()}
        found.append(Job(job.rule.name, names, int(job.threads), gpus or 0, mem_mb, runtime))
    return found


def write_jobs(path: Path, config: Mapping[str, Any], jobs: Sequence[Job]) -> None:
    """Write the resolved config and the jobs."""
    content = {"config": config, "jobs": [job._asdict() for job in jobs]}
    path.write_text(json.dumps(content), "utf-8")


def read_jobs(path: Path) -> tuple[dict[str, Any], list[Job]]:
    """Return the config and the jobs of a dry run.

    Raises:
        ValueError: It left none.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        return content["config"], [Job(**job) for job in content["jobs"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"the dry run left no list of its jobs ({error})") from None
