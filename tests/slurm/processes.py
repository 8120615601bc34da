"""The processes of a test cluster, found by its folder."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psutil

from tests.campaigns.processes import kill

WANTED = ["pid", "ppid", "status", "cwd", "cmdline", "environ"]


def of_cluster(folder: Path) -> set[int]:
    """Return all processes of a cluster, but for this process and those that it came from."""
    every = _processes()
    found = {one["pid"] for one in every if _names(one, folder)}
    return _with_children(found, every) - _own_line()


def of_jobs(folder: Path, node: str | None = None) -> set[int]:
    """Return the processes of jobs, of one node or of all, orphans included."""
    every = _processes()
    marked = {
        one["pid"]
        for one in every
        if _names(one, folder)
        and (there := (one["environ"] or {}).get("SLURMD_NODENAME"))
        and node in (there, None)
    }
    daemons = of_daemon(folder, node) if node else set()
    return _with_children(marked | daemons, every) - daemons - _own_line()


def of_daemon(folder: Path, name: str) -> set[int]:
    """Return a daemon and what it started to look after jobs.

    Those overwrite their command line and their environment; they stay in the daemon's folder.
    """
    return {one["pid"] for one in _processes() if one["cwd"] == str(folder / name)}


def kill_all(find: Callable[[], set[int]], seconds: float) -> set[int]:
    """Kill what is found until nothing is found; return what is left."""
    end = time.monotonic() + seconds
    while (found := find()) and time.monotonic() < end:
        kill(sorted(found))
        time.sleep(0.05)
    return found


def lives(number: int, folder: Path) -> bool:
    """Return whether a process lives and is one of the folder's."""
    return any(one["pid"] == number and _names(one, folder) for one in _processes())


def described(numbers: Iterable[int]) -> str:
    """Return processes in words."""
    every = {one["pid"]: " ".join(one["cmdline"] or ())[:80] for one in _processes()}
    return ", ".join(f"{number} ({every.get(number, 'ended now')})" for number in sorted(numbers))


def _processes() -> list[dict[str, Any]]:
    """Return what is known of each live process; None for what only its owner may know."""
    # Else a number that is used again is taken for the process that had it before.
    psutil.process_iter.cache_clear()
    found = [one.info for one in psutil.process_iter(WANTED)]
    return [one for one in found if one["status"] not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)]


def _names(one: dict[str, Any], folder: Path) -> bool:
    """Return whether a process is in a folder, or was started with the folder's name."""
    texts = [*(one["cmdline"] or ()), *(one["environ"] or {}).values(), f"{one['cwd']}/"]
    return any(f"{folder}/" in text for text in texts)


def _with_children(numbers: set[int], every: list[dict[str, Any]]) -> set[int]:
    found, size = set(numbers), -1
    while len(found) > size:
        size = len(found)
        found |= {one["pid"] for one in every if one["ppid"] in found}
    return found


def _own_line() -> set[int]:
    this = psutil.Process()
    return {this.pid, *(one.pid for one in this.parents())}
